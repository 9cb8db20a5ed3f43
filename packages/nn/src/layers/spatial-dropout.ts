import type { SizePreserving } from '../layer.ts'
import { dropping } from './dropping.ts'
import { checkPlaces } from './samples.ts'

/**
 * A layer that drops whole channels at random while it trains: y = x mask / (1 - p), with one element of the mask for each row
 * and channel, zero with probability p. Neighbouring pixels are alike, so that `dropout`, pixel by pixel, would leave most of
 * what it drops. Its expectation is x; at inference y = x.
 *
 * A mask is drawn anew at every pass, from the pass's key at the layer's place (`ctx.key`). No parameters.
 *
 * @param p the probability that a channel is dropped, at least 0 and below 1
 * @returns a layer `[rows, …places, channels]` -> the same
 * @throws RangeError for another p; in `apply` a RangeError for an input without an axis of places, a TypeError where the pass
 * trains and there is no key: names the layer's path
 * @example
 * const { y } = spatialDropout(0.5).apply(null, null, t.ones([1, 2, 2, 50]), { training: true, path: '', key: t.key(1) })
 * t.max(t.std(y, { axis: [1, 2] })).item() // => 0
 * t.mean(t.equal(y, 2)).item() > 0.3 // => true
 *
 * Tompson, Goroshin, Jain, LeCun, Bregler: Efficient object localization using convolutional networks (CVPR 2015)
 */
export function spatialDropout(p: number): SizePreserving<null, null> {
  const layer = dropping('spatialDropout', p, (shape) =>
    shape.map((size, axis) => (axis === 0 || axis === shape.length - 1 ? size : 1)),
  )
  return {
    ...layer,
    init: (key, inputShape) => {
      checkPlaces('spatialDropout', inputShape)
      return layer.init(key, inputShape)
    },
    apply: (params, state, x, ctx) => {
      checkPlaces('spatialDropout', x.shape, ctx)
      return layer.apply(params, state, x, ctx)
    },
  }
}
