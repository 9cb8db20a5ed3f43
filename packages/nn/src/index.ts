export { applyInner } from './combine/apply-inner.ts'
export { type BidirectionalLayer, type BidirectionalParams, bidirectional } from './combine/bidirectional.ts'
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
export { type Sequential, sequential } from './combine/sequential.ts'
export type { Chain, Chained } from './combine/sizes.ts'
export { type Constrainer, type ConstraintTerm, constrain } from './constraints/constrain.ts'
export type { Constraint, NormAxes } from './constraints/incoming.ts'
export { maxNorm } from './constraints/max-norm.ts'
export { nonNeg } from './constraints/non-neg.ts'
export { unitNorm } from './constraints/unit-norm.ts'
export type { ArraySnapshot, NumberArray } from './files/array-snapshot.ts'
export type { Inexact } from './files/element-type.ts'
export { FileError } from './files/file-error.ts'
export {
  fromSafetensors,
  inspectSafetensors,
  type LoadOptions,
  type SafetensorsContents,
  snapshotsFromSafetensors,
} from './files/from-safetensors.ts'
export { type SafetensorsOptions, toSafetensors } from './files/to-safetensors.ts'
export { constant } from './initializers/constant.ts'
export { glorotNormal } from './initializers/glorot-normal.ts'
export { glorotUniform } from './initializers/glorot-uniform.ts'
export { heNormal } from './initializers/he-normal.ts'
export { heUniform } from './initializers/he-uniform.ts'
export { identityMatrix } from './initializers/identity-matrix.ts'
export type { GainOptions, Initializer } from './initializers/initializer.ts'
export { lecunNormal } from './initializers/lecun-normal.ts'
export { lecunUniform } from './initializers/lecun-uniform.ts'
export { type NormalOptions, normal } from './initializers/normal.ts'
export { ones } from './initializers/ones.ts'
export { orthogonal } from './initializers/orthogonal.ts'
export { truncatedNormal } from './initializers/truncated-normal.ts'
export { type UniformOptions, uniform } from './initializers/uniform.ts'
export { type VarianceScalingOptions, varianceScaling } from './initializers/variance-scaling.ts'
export { zeros } from './initializers/zeros.ts'
export { features } from './inspect/features.ts'
export { type FreezeOptions, type Frozen, type FrozenState, freeze } from './inspect/freeze.ts'
export { type Gapped, merge, type Partition, partition } from './inspect/partition.ts'
export { startFrom, type Trained } from './inspect/start-from.ts'
export { type Summary, type SummaryRow, summary } from './inspect/summary.ts'
export type {
  AnyLayer,
  Applied,
  ConfigValue,
  Context,
  Initialized,
  Inner,
  Inside,
  Layer,
  LayerConfig,
  ParamsOf,
  SizePreserving,
  StateOf,
  Tap,
  Tapped,
  TreeModel,
} from './layer.ts'
export { activation } from './layers/activation.ts'
export type { Attended } from './layers/attended.ts'
export { type AvgPool1dOptions, avgPool1d } from './layers/avg-pool1d.ts'
export { avgPool2d } from './layers/avg-pool2d.ts'
export {
  type BatchNormOptions,
  type BatchNormParams,
  type BatchNormState,
  batchNorm,
} from './layers/batch-norm.ts'
export { type ConvTranspose2dOptions, convTranspose2d } from './layers/conv-transpose2d.ts'
export { type Conv1dOptions, conv1d } from './layers/conv1d.ts'
export { type Conv2dOptions, conv2d } from './layers/conv2d.ts'
export type { ConvolutionParams, ConvolutionStart } from './layers/convolution.ts'
export { type DepthwiseConv2dOptions, depthwiseConv2d } from './layers/depthwise-conv2d.ts'
export { dropout } from './layers/dropout.ts'
export { elu } from './layers/elu.ts'
export { type EmbeddingOptions, type EmbeddingParams, embedding } from './layers/embedding.ts'
export { flatten } from './layers/flatten.ts'
export { type GeluOptions, gelu } from './layers/gelu.ts'
export { globalAvgPool } from './layers/global-avg-pool.ts'
export { globalMaxPool } from './layers/global-max-pool.ts'
export { type GroupNormOptions, type GroupNormParams, groupNorm } from './layers/group-norm.ts'
export { type GruOptions, type GruParams, gru } from './layers/gru.ts'
export { hardSigmoid } from './layers/hard-sigmoid.ts'
export { identity } from './layers/identity.ts'
export { type LayerNormOptions, type LayerNormParams, layerNorm } from './layers/layer-norm.ts'
export { leakyRelu } from './layers/leaky-relu.ts'
export {
  type LearnedPositionsOptions,
  type LearnedPositionsParams,
  learnedPositions,
} from './layers/learned-positions.ts'
export {
  type LinearOptions,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
} from './layers/linear.ts'
export { logSoftmax } from './layers/log-softmax.ts'
export { type LstmOptions, type LstmParams, type LstmState, lstm } from './layers/lstm.ts'
export { maxPool1d } from './layers/max-pool1d.ts'
export { maxPool2d } from './layers/max-pool2d.ts'
export { mish } from './layers/mish.ts'
export {
  type MultiHeadAttention,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadAttention,
} from './layers/multi-head-attention.ts'
export type { Pool1dOptions } from './layers/pooling.ts'
export { type PreluOptions, type PreluParams, prelu } from './layers/prelu.ts'
export type { HiddenState, KeptState, RecurrentLayer, RecurrentOptions } from './layers/recurrent.ts'
export { relu } from './layers/relu.ts'
export { reshape } from './layers/reshape.ts'
export { type RmsNormOptions, type RmsNormParams, rmsNorm } from './layers/rms-norm.ts'
export { type RnnOptions, type RnnParams, rnn } from './layers/rnn.ts'
export { type RotaryPositionsOptions, rotaryPositions } from './layers/rotary-positions.ts'
export { selu } from './layers/selu.ts'
export {
  type SeparableConv2dOptions,
  type SeparableParams,
  separableConv2d,
} from './layers/separable-conv2d.ts'
export { sigmoid } from './layers/sigmoid.ts'
export { silu } from './layers/silu.ts'
export { sinusoidalPositions } from './layers/sinusoidal-positions.ts'
export { softmax } from './layers/softmax.ts'
export { softplus } from './layers/softplus.ts'
export { softsign } from './layers/softsign.ts'
export { spatialDropout } from './layers/spatial-dropout.ts'
export { step } from './layers/step.ts'
export { tanh } from './layers/tanh.ts'
export {
  type TransformerBlock,
  type TransformerBlockOptions,
  type TransformerBlockParams,
  type TransformerMasks,
  transformerBlock,
} from './layers/transformer-block.ts'
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
export { accuracy } from './metrics/accuracy.ts'
export type { AccuracyState } from './metrics/accuracy-state.ts'
export { type AucOptions, auc } from './metrics/auc.ts'
export { binaryAccuracy } from './metrics/binary-accuracy.ts'
export type { ThresholdOptions } from './metrics/binary-rows.ts'
export type { Average, ClassRateOptions, EachClassOptions } from './metrics/class-rate.ts'
export {
  type ClassificationReport,
  type ClassificationReportOptions,
  classificationReport,
  type ReportLine,
} from './metrics/classification-report.ts'
export type { ConfusionState } from './metrics/confusion.ts'
export { confusionMatrix } from './metrics/confusion-matrix.ts'
export { f1 } from './metrics/f1.ts'
export { meanAbsoluteError } from './metrics/mean-absolute-error.ts'
export type { MeanState } from './metrics/mean-error.ts'
export { meanIoU } from './metrics/mean-iou.ts'
export { meanSquaredError } from './metrics/mean-squared-error.ts'
export { measure } from './metrics/measure.ts'
export type { Measure, Metric } from './metrics/metric.ts'
export { type PerplexityOptions, perplexity } from './metrics/perplexity.ts'
export { precision } from './metrics/precision.ts'
export { type PrecisionRecallCurve, precisionRecallCurve } from './metrics/precision-recall-curve.ts'
export { type R2State, r2 } from './metrics/r2.ts'
export { recall } from './metrics/recall.ts'
export { type RocCurve, rocCurve } from './metrics/roc-curve.ts'
export { rootMeanSquaredError } from './metrics/root-mean-squared-error.ts'
export type { ScoresState } from './metrics/scores.ts'
export { sparseAccuracy } from './metrics/sparse-accuracy.ts'
export { type TopKAccuracyOptions, topKAccuracy } from './metrics/top-k-accuracy.ts'
export { type Perceptron, type PerceptronOptions, perceptron } from './perceptron.ts'
export { l1 } from './regularizers/l1.ts'
export { l1l2 } from './regularizers/l1l2.ts'
export { l2 } from './regularizers/l2.ts'
export { orthogonalPenalty } from './regularizers/orthogonal-penalty.ts'
export type { Penalty } from './regularizers/penalty.ts'
export { type Penalties, type PenaltyTerm, type Regularizer, regularize } from './regularizers/regularize.ts'
export { resetRecurrentState } from './reset-recurrent-state.ts'
export { sequenceMask } from './sequence-mask.ts'
