export { childContext } from './combine/child-context.ts'
export {
  type Sequential,
  type SequentialParams,
  type SequentialState,
  sequential,
} from './combine/sequential.ts'
export type { Chain, Chained } from './combine/sizes.ts'
export type { Inexact } from './files/element-type.ts'
export { FileError } from './files/file-error.ts'
export {
  fromSafetensors,
  inspectSafetensors,
  type LoadOptions,
  type SafetensorsContents,
} from './files/from-safetensors.ts'
export { type SafetensorsOptions, toSafetensors } from './files/to-safetensors.ts'
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
  ConfigValue,
  Context,
  Initialized,
  Layer,
  LayerConfig,
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
export { type AccuracyState, accuracy } from './metrics/accuracy.ts'
export type { Metric } from './metrics/metric.ts'
