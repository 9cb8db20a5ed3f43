import { failRange, failType, kindOf, type Tensor } from '@tapeflow/autodiff'
import { bidirectional } from '../combine/bidirectional.ts'
import { concat } from '../combine/concat.ts'
import { parallel } from '../combine/parallel.ts'
import { residual } from '../combine/residual.ts'
import { sequential } from '../combine/sequential.ts'
import type { AnyLayer } from '../layer.ts'
import { avgPool1d } from '../layers/avg-pool1d.ts'
import { avgPool2d } from '../layers/avg-pool2d.ts'
import { batchNorm } from '../layers/batch-norm.ts'
import { convTranspose2d } from '../layers/conv-transpose2d.ts'
import { conv1d } from '../layers/conv1d.ts'
import { conv2d } from '../layers/conv2d.ts'
import { depthwiseConv2d } from '../layers/depthwise-conv2d.ts'
import { dropout } from '../layers/dropout.ts'
import { elu } from '../layers/elu.ts'
import { embedding } from '../layers/embedding.ts'
import { flatten } from '../layers/flatten.ts'
import { gelu } from '../layers/gelu.ts'
import { globalAvgPool } from '../layers/global-avg-pool.ts'
import { globalMaxPool } from '../layers/global-max-pool.ts'
import { groupNorm } from '../layers/group-norm.ts'
import { gru } from '../layers/gru.ts'
import { hardSigmoid } from '../layers/hard-sigmoid.ts'
import { identity } from '../layers/identity.ts'
import { layerNorm } from '../layers/layer-norm.ts'
import { leakyRelu } from '../layers/leaky-relu.ts'
import { learnedPositions } from '../layers/learned-positions.ts'
import { linear } from '../layers/linear.ts'
import { logSoftmax } from '../layers/log-softmax.ts'
import { lstm } from '../layers/lstm.ts'
import { maxPool1d } from '../layers/max-pool1d.ts'
import { maxPool2d } from '../layers/max-pool2d.ts'
import { mish } from '../layers/mish.ts'
import { multiHeadAttention } from '../layers/multi-head-attention.ts'
import type { NamedActivations } from '../layers/named-activation.ts'
import { prelu } from '../layers/prelu.ts'
import { type RecurrentLayer, type RecurrentOptions, recurrentActivations } from '../layers/recurrent.ts'
import { relu } from '../layers/relu.ts'
import { reshape } from '../layers/reshape.ts'
import { rmsNorm } from '../layers/rms-norm.ts'
import { rnn } from '../layers/rnn.ts'
import { selu } from '../layers/selu.ts'
import { separableConv2d } from '../layers/separable-conv2d.ts'
import { sigmoid } from '../layers/sigmoid.ts'
import { silu } from '../layers/silu.ts'
import { sinusoidalPositions } from '../layers/sinusoidal-positions.ts'
import { softmax } from '../layers/softmax.ts'
import { softplus } from '../layers/softplus.ts'
import { softsign } from '../layers/softsign.ts'
import { spatialDropout } from '../layers/spatial-dropout.ts'
import { step } from '../layers/step.ts'
import { tanh } from '../layers/tanh.ts'
import { blockActivations, transformerBlock } from '../layers/transformer-block.ts'
import type { LayerOptions, LayerReaders } from './layer-options.ts'
import { perAxis, windows1dOf, windowsOf } from './window-options.ts'

/** How each layer of this package is made from the options in its `config`. */
export const layersByType: LayerReaders = {
  avgPool1d: (o) =>
    avgPool1d(o.number('size'), {
      ...windows1dOf(o),
      countIncludePadding: o.boolean('countIncludePadding'),
    }),
  avgPool2d: (o) =>
    avgPool2d(perAxis(o, 'size'), {
      ...windowsOf(o),
      ...(o.has('countIncludePadding') && { countIncludePadding: o.boolean('countIncludePadding') }),
    }),
  batchNorm: (o) =>
    batchNorm({
      momentum: o.number('momentum'),
      epsilon: o.number('epsilon'),
      unbiasedMovingVariance: o.boolean('unbiasedMovingVariance'),
      center: o.boolean('center'),
      scale: o.boolean('scale'),
    }),
  bidirectional: (o) => bidirectional(recurrentIn(o, 'forward'), recurrentIn(o, 'backward')),
  concat: (o) => concat(...someLayers(o)),
  conv1d: (o) =>
    conv1d(o.size('inChannels'), o.size('outChannels'), o.size('size'), {
      ...windows1dOf(o),
      ...numberOf(o, 'dilation'),
      ...numberOf(o, 'groups'),
      useBias: o.boolean('useBias'),
    }),
  conv2d: (o) =>
    conv2d(o.size('inChannels'), o.size('outChannels'), perAxis(o, 'size'), {
      ...windowsOf(o),
      ...numberOf(o, 'groups'),
      useBias: o.boolean('useBias'),
    }),
  convTranspose2d: (o) =>
    convTranspose2d(o.size('inChannels'), o.size('outChannels'), perAxis(o, 'size'), {
      ...windowsOf(o),
      ...(o.has('outputPadding') && { outputPadding: perAxis(o, 'outputPadding') }),
      ...numberOf(o, 'groups'),
      useBias: o.boolean('useBias'),
    }),
  depthwiseConv2d: (o) =>
    depthwiseConv2d(o.size('channels'), perAxis(o, 'size'), {
      ...windowsOf(o),
      multiplier: o.size('multiplier'),
      useBias: o.boolean('useBias'),
    }),
  dropout: (o) => dropout(o.number('p')),
  elu: (o) => elu(o.number('alpha')),
  embedding: (o) => embedding(o.size('count'), o.size('features'), numberOf(o, 'padding')),
  flatten: () => flatten(),
  gelu: (o) => gelu({ approximate: o.choice('approximate', ['none', 'tanh']) }),
  globalAvgPool: () => globalAvgPool(),
  globalMaxPool: () => globalMaxPool(),
  groupNorm: (o) =>
    groupNorm(o.number('groups'), {
      epsilon: o.number('epsilon'),
      center: o.boolean('center'),
      scale: o.boolean('scale'),
    }),
  gru: (o) =>
    gru(o.size('inSize'), o.size('outSize'), { ...recurrentOf(o), resetAfter: o.boolean('resetAfter') }),
  hardSigmoid: () => hardSigmoid(),
  identity: () => identity(),
  layerNorm: (o) =>
    layerNorm({
      axes: o.number('axes'),
      epsilon: o.number('epsilon'),
      center: o.boolean('center'),
      scale: o.boolean('scale'),
    }),
  leakyRelu: (o) => leakyRelu(o.number('slope')),
  learnedPositions: (o) => learnedPositions(o.size('length')),
  linear: (o) => linear(o.size('inSize'), o.size('outSize'), { useBias: o.boolean('useBias') }),
  logSoftmax: () => logSoftmax(),
  lstm: (o) => lstm(o.size('inSize'), o.size('outSize'), recurrentOf(o)),
  maxPool1d: (o) => maxPool1d(o.number('size'), windows1dOf(o)),
  maxPool2d: (o) => maxPool2d(perAxis(o, 'size'), windowsOf(o)),
  mish: () => mish(),
  multiHeadAttention: (o) =>
    multiHeadAttention(o.size('features'), o.number('heads'), {
      keyFeatures: o.size('keyFeatures'),
      valueFeatures: o.size('valueFeatures'),
      depth: o.size('depth'),
      causal: o.boolean('causal'),
      rotary: o.boolean('rotary'),
      dropout: o.number('dropout'),
      useBias: o.boolean('useBias'),
    }),
  parallel: (o) => parallel([...someLayers(o)], { combine: o.choice('combine', ['sum']) }),
  prelu: (o) => prelu({ shared: o.boolean('shared') }),
  relu: () => relu(),
  reshape: (o) => reshape(o.numbers('shape')),
  residual: (o) =>
    o.has('shortcut')
      ? residual(o.layer('layer'), { shortcut: o.layer('shortcut') })
      : residual(o.layer('layer')),
  rmsNorm: (o) => rmsNorm({ epsilon: o.number('epsilon'), scale: o.boolean('scale') }),
  rnn: (o) => rnn(o.size('inSize'), o.size('outSize'), recurrentOf(o)),
  selu: () => selu(),
  separableConv2d: (o) =>
    separableConv2d(o.size('inChannels'), o.size('outChannels'), perAxis(o, 'size'), {
      ...windowsOf(o),
      multiplier: o.size('multiplier'),
      useBias: o.boolean('useBias'),
    }),
  sequential: (o) => sequential(...o.layers('layers')),
  sigmoid: () => sigmoid(),
  silu: () => silu(),
  sinusoidalPositions: () => sinusoidalPositions(),
  softmax: () => softmax(),
  softplus: () => softplus(),
  softsign: () => softsign(),
  spatialDropout: (o) => spatialDropout(o.number('p')),
  step: () => step(),
  tanh: () => tanh(),
  transformerBlock: (o) =>
    transformerBlock(o.size('features'), o.number('heads'), {
      norm: o.choice('norm', ['pre', 'post']),
      causal: o.boolean('causal'),
      hidden: o.size('hidden'),
      dropout: o.number('dropout'),
      attentionDropout: o.number('attentionDropout'),
      rotary: o.boolean('rotary'),
      epsilon: o.number('epsilon'),
      activation: activationIn(o, blockActivations),
    }),
}

function activationIn(o: LayerOptions, known: NamedActivations): (x: Tensor) => Tensor {
  return known[o.choice('activation', Object.keys(known))]!
}

// What a file lacks is left out, so that the layer says the same of itself.
function numberOf<N extends string>(o: LayerOptions, name: N): { [K in N]?: number } {
  const given: { [K in N]?: number } = {}
  if (o.has(name)) given[name] = o.number(name)
  return given
}

function someLayers(o: LayerOptions): readonly [AnyLayer, ...AnyLayer[]] {
  const [first, ...others] = o.layers('layers')
  return first === undefined ? failRange('layers', 'at least one layer is needed, got 0') : [first, ...others]
}

function recurrentOf(o: LayerOptions): RecurrentOptions & { activation: (x: Tensor) => Tensor } {
  return {
    returnSequences: o.boolean('returnSequences'),
    reverse: o.boolean('reverse'),
    ...numberOf(o, 'paddingValue'),
    ...numberOf(o, 'statefulRows'),
    activation: activationIn(o, recurrentActivations),
  }
}

function recurrentIn(o: LayerOptions, name: string): RecurrentLayer<unknown, null> {
  const layer = o.layer(name)
  const isRecurrent = (given: object): given is RecurrentLayer<unknown, null> => 'reversed' in given
  return isRecurrent(layer)
    ? layer
    : failType('bidirectional', `the ${name} layer is not recurrent, got ${layer.name ?? kindOf(layer)}`)
}
