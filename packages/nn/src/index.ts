export { childContext } from './combine/child-context.ts'
export {
  type Sequential,
  type SequentialParams,
  type SequentialState,
  sequential,
} from './combine/sequential.ts'
export type { Chain, Chained } from './combine/sizes.ts'
export { type Constrainer, type ConstraintTerm, constrain } from './constraints/constrain.ts'
export type { Constraint, NormAxes } from './constraints/incoming.ts'
export { maxNorm } from './constraints/max-norm.ts'
export { nonNeg } from './constraints/non-neg.ts'
export { unitNorm } from './constraints/unit-norm.ts'
export { glorotNormal } from './initializers/glorot-normal.ts'
export { glorotUniform } from './initializers/glorot-uniform.ts'
export { heNormal } from './initializers/he-normal.ts'
export { heUniform } from './initializers/he-uniform.ts'
export type { Initializer } from './initializers/initializer.ts'
export { ones } from './initializers/ones.ts'
export { zeros } from './initializers/zeros.ts'
export type {
  AnyLayer,
  Applied,
  Context,
  Initialized,
  Layer,
  ParamsOf,
  SizePreserving,
  StateOf,
} from './layer.ts'
export { activation } from './layers/activation.ts'
export {
  type BatchNormOptions,
  type BatchNormParams,
  type BatchNormState,
  batchNorm,
} from './layers/batch-norm.ts'
export { dropout } from './layers/dropout.ts'
export {
  type LinearOptions,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
} from './layers/linear.ts'
export { relu } from './layers/relu.ts'
export { sigmoid } from './layers/sigmoid.ts'
export { tanh } from './layers/tanh.ts'
export { type BinaryCrossEntropyOptions, binaryCrossEntropy } from './losses/binary-cross-entropy.ts'
export type { BinaryLossOptions } from './losses/binary-loss.ts'
export { type CategoricalHingeOptions, categoricalHinge } from './losses/categorical-hinge.ts'
export { cosineSimilarity } from './losses/cosine-similarity.ts'
export { crossEntropy } from './losses/cross-entropy.ts'
export type { CrossEntropyOptions } from './losses/cross-entropy-of-rows.ts'
export type { ElementLossOptions } from './losses/element-loss.ts'
export { type FocalOptions, focal } from './losses/focal.ts'
export type { From } from './losses/from.ts'
export { hinge } from './losses/hinge.ts'
export { type HuberOptions, huber } from './losses/huber.ts'
export { type KlDivergenceOptions, klDivergence } from './losses/kl-divergence.ts'
export { logCosh } from './losses/log-cosh.ts'
export { mae } from './losses/mae.ts'
export { mse } from './losses/mse.ts'
export { perceptronLoss } from './losses/perceptron-loss.ts'
export { type PoissonOptions, poisson } from './losses/poisson.ts'
export type { Loss, Reduction } from './losses/reduction.ts'
export { sparseCrossEntropy } from './losses/sparse-cross-entropy.ts'
export { squaredHinge } from './losses/squared-hinge.ts'
export { type Triplet, type TripletLoss, type TripletOptions, triplet } from './losses/triplet.ts'
export { type AccuracyState, accuracy } from './metrics/accuracy.ts'
export type { Metric } from './metrics/metric.ts'
export { l1 } from './regularizers/l1.ts'
export { l1l2 } from './regularizers/l1l2.ts'
export { l2 } from './regularizers/l2.ts'
export { orthogonalPenalty } from './regularizers/orthogonal-penalty.ts'
export type { Penalty } from './regularizers/penalty.ts'
export { type Penalties, type PenaltyTerm, type Regularizer, regularize } from './regularizers/regularize.ts'
