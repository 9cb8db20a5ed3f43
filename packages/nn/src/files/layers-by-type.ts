import { sequential } from '../combine/sequential.ts'
import { batchNorm } from '../layers/batch-norm.ts'
import { dropout } from '../layers/dropout.ts'
import { linear } from '../layers/linear.ts'
import { relu } from '../layers/relu.ts'
import { sigmoid } from '../layers/sigmoid.ts'
import { tanh } from '../layers/tanh.ts'
import type { LayerReaders } from './layer-options.ts'

/** How each layer of this package is made from the options in its `config`. */
export const layersByType: LayerReaders = {
  batchNorm: (options) =>
    batchNorm({
      momentum: options.number('momentum'),
      epsilon: options.number('epsilon'),
      unbiasedMovingVariance: options.boolean('unbiasedMovingVariance'),
      center: options.boolean('center'),
      scale: options.boolean('scale'),
    }),
  dropout: (options) => dropout(options.number('p')),
  linear: (options) =>
    linear(options.size('inSize'), options.size('outSize'), { useBias: options.boolean('useBias') }),
  relu: () => relu(),
  sequential: (options) => sequential(...options.layers('layers')),
  sigmoid: () => sigmoid(),
  tanh: () => tanh(),
}
