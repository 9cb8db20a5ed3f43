import { failRange, type Tensor } from '@tapeflow/autodiff'
import { at, type LayerConfig, type SizePreserving } from '../layer.ts'

/** As `activation`, for an `f` that works along the last axis: samples must have one. */
export function overFeatures(
  name: string,
  f: (x: Tensor) => Tensor,
  config: LayerConfig,
): SizePreserving<null, null> {
  return {
    name,
    config,
    init: (_key, inputShape) => {
      if (inputShape.length === 0) {
        failRange(name, 'samples must have features, got scalars', 'give them an axis: [1]')
      }
      return { params: null, state: null, outputShape: inputShape }
    },
    apply: (_params, state, x, ctx) => {
      if (x.rank < 2) {
        failRange(
          name,
          `the layer${at(ctx)} takes batches of features, got an input of rank ${x.rank}`,
          'pass [rows, …, features]',
        )
      }
      return { y: f(x), state }
    },
  }
}
