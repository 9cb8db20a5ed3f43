export { applyInner } from './combine/apply-inner.ts'
export type { Branches, BranchParams, BranchState } from './combine/branches.ts'
export { childContext } from './combine/child-context.ts'
export { type Concat, concat } from './combine/concat.ts'
export { lambda } from './combine/lambda.ts'
export {
  type Outputs,
  type Parallel,
  type ParallelOptions,
  parallel,
  type Summed,
} from './combine/parallel.ts'
export { residual } from './combine/residual.ts'
export {
  type Sequential,
  type SequentialParams,
  type SequentialState,
  sequential,
} from './combine/sequential.ts'
export type { Chain, Chained } from './combine/sizes.ts'
export { glorotNormal } from './initializers/glorot-normal.ts'
export { glorotUniform } from './initializers/glorot-uniform.ts'
export { heNormal } from './initializers/he-normal.ts'
export { heUniform } from './initializers/he-uniform.ts'
export type { Initializer } from './initializers/initializer.ts'
export { ones } from './initializers/ones.ts'
export { zeros } from './initializers/zeros.ts'
export { features } from './inspect/features.ts'
export { type FreezeOptions, type Frozen, type FrozenState, freeze } from './inspect/freeze.ts'
export { type Gapped, merge, type Partition, partition } from './inspect/partition.ts'
export { startFrom, type Trained } from './inspect/start-from.ts'
export { type Summary, type SummaryRow, summary } from './inspect/summary.ts'
export type {
  AnyLayer,
  Applied,
  Context,
  Initialized,
  Inner,
  Inside,
  Layer,
  ParamsOf,
  SizePreserving,
  StateOf,
  Tap,
  Tapped,
  TreeModel,
} from './layer.ts'
export { activation } from './layers/activation.ts'
export {
  type BatchNormOptions,
  type BatchNormParams,
  type BatchNormState,
  batchNorm,
} from './layers/batch-norm.ts'
export { dropout } from './layers/dropout.ts'
export { elu } from './layers/elu.ts'
export { type GeluOptions, gelu } from './layers/gelu.ts'
export { hardSigmoid } from './layers/hard-sigmoid.ts'
export { identity } from './layers/identity.ts'
export { leakyRelu } from './layers/leaky-relu.ts'
export {
  type LinearOptions,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
} from './layers/linear.ts'
export { logSoftmax } from './layers/log-softmax.ts'
export { mish } from './layers/mish.ts'
export { relu } from './layers/relu.ts'
export { selu } from './layers/selu.ts'
export { sigmoid } from './layers/sigmoid.ts'
export { silu } from './layers/silu.ts'
export { softmax } from './layers/softmax.ts'
export { softplus } from './layers/softplus.ts'
export { softsign } from './layers/softsign.ts'
export { step } from './layers/step.ts'
export { tanh } from './layers/tanh.ts'
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.ts'
export { type MseOptions, mse } from './losses/mse.ts'
export type { Loss, Reduction } from './losses/reduction.ts'
export { type AccuracyState, accuracy } from './metrics/accuracy.ts'
export type { Metric } from './metrics/metric.ts'
