export { childContext } from './combine/child-context.ts'
export {
  type Sequential,
  type SequentialParams,
  type SequentialState,
  sequential,
} from './combine/sequential.ts'
export type { Chain, Chained } from './combine/sizes.ts'
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
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.ts'
export { type MseOptions, mse } from './losses/mse.ts'
export type { Loss, Reduction } from './losses/reduction.ts'
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
