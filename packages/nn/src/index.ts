export { childContext } from './combine/child-context.ts'
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
export { flatten } from './layers/flatten.ts'
export { globalAvgPool } from './layers/global-avg-pool.ts'
export { globalMaxPool } from './layers/global-max-pool.ts'
export {
  type LinearOptions,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
} from './layers/linear.ts'
export { maxPool1d } from './layers/max-pool1d.ts'
export { maxPool2d } from './layers/max-pool2d.ts'
export type { Pool1dOptions } from './layers/pooling.ts'
export { relu } from './layers/relu.ts'
export { reshape } from './layers/reshape.ts'
export {
  type SeparableConv2dOptions,
  type SeparableParams,
  separableConv2d,
} from './layers/separable-conv2d.ts'
export { sigmoid } from './layers/sigmoid.ts'
export { spatialDropout } from './layers/spatial-dropout.ts'
export { tanh } from './layers/tanh.ts'
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.ts'
export { type MseOptions, mse } from './losses/mse.ts'
export type { Loss, Reduction } from './losses/reduction.ts'
export { type AccuracyState, accuracy } from './metrics/accuracy.ts'
export type { Metric } from './metrics/metric.ts'
