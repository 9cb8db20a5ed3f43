export {
  type BidirectionalLayer,
  type BidirectionalParams,
  bidirectional,
} from './combine/bidirectional.ts'
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
export { identity } from './initializers/identity.ts'
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
export type { Attended } from './layers/attended.ts'
export {
  type BatchNormOptions,
  type BatchNormParams,
  type BatchNormState,
  batchNorm,
} from './layers/batch-norm.ts'
export { dropout } from './layers/dropout.ts'
export { type EmbeddingOptions, type EmbeddingParams, embedding } from './layers/embedding.ts'
export { type GroupNormOptions, type GroupNormParams, groupNorm } from './layers/group-norm.ts'
export { type GruOptions, type GruParams, gru } from './layers/gru.ts'
export { type LayerNormOptions, type LayerNormParams, layerNorm } from './layers/layer-norm.ts'
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
export { type LstmOptions, type LstmParams, type LstmState, lstm } from './layers/lstm.ts'
export {
  type MultiHeadAttention,
  type MultiHeadAttentionOptions,
  type MultiHeadAttentionParams,
  multiHeadAttention,
} from './layers/multi-head-attention.ts'
export { type PreluOptions, type PreluParams, prelu } from './layers/prelu.ts'
export type { HiddenState, KeptState, RecurrentLayer, RecurrentOptions } from './layers/recurrent.ts'
export { relu } from './layers/relu.ts'
export { type RmsNormOptions, type RmsNormParams, rmsNorm } from './layers/rms-norm.ts'
export { type RnnOptions, type RnnParams, rnn } from './layers/rnn.ts'
export { type RotaryPositionsOptions, rotaryPositions } from './layers/rotary-positions.ts'
export { sigmoid } from './layers/sigmoid.ts'
export { sinusoidalPositions } from './layers/sinusoidal-positions.ts'
export { tanh } from './layers/tanh.ts'
export {
  type TransformerBlock,
  type TransformerBlockOptions,
  type TransformerBlockParams,
  type TransformerMasks,
  transformerBlock,
} from './layers/transformer-block.ts'
export { type CrossEntropyOptions, crossEntropy } from './losses/cross-entropy.ts'
export { type MseOptions, mse } from './losses/mse.ts'
export type { Loss, Reduction } from './losses/reduction.ts'
export { type AccuracyState, accuracy } from './metrics/accuracy.ts'
export type { Metric } from './metrics/metric.ts'
export { resetRecurrentState } from './reset-recurrent-state.ts'
export { sequenceMask } from './sequence-mask.ts'
