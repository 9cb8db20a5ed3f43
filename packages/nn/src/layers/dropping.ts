import * as t from '@tapeflow/autodiff'
import { at, type SizePreserving } from '../layer.ts'

/**
 * A layer that drops at random while it trains: y = x mask / (1 - p), and y = x at inference.
 *
 * @param maskShape of the mask, for the shape of x: what shares an element of it is dropped together
 * @throws RangeError for p below 0 or from 1 on; in `apply` a TypeError where the pass trains and there is no key
 */
export function dropping(
  operation: string,
  p: number,
  maskShape: (shape: t.Shape) => t.Shape,
): SizePreserving<null, null> {
  if (typeof p !== 'number' || !(p >= 0 && p < 1)) {
    const given = typeof p === 'number' ? String(p) : t.kindOf(p)
    t.failRange(operation, `p must be at least 0 and below 1, got ${given}`, 'pass the share that is dropped')
  }
  return {
    name: `${operation} ${p}`,
    config: { type: operation, p },
    init: (_key, inputShape) => ({ params: null, state: null, outputShape: inputShape }),
    apply: (_params, state, x, ctx) => {
      if (!ctx.training || p === 0) return { y: x, state }
      const { key } = ctx
      if (key === undefined) {
        return t.failType(
          operation,
          `the layer${at(ctx)} needs a key while it trains`,
          'pass one in the context: { training: true, key: t.key(seed), path }',
        )
      }
      const mask = (): t.Tensor => t.mul(t.bernoulli(key, maskShape(x.shape), 1 - p), 1 / (1 - p))
      return { y: t.scope(() => t.mul(x, mask())), state }
    },
  }
}
