import * as t from '@tapeflow/autodiff'
import { at, type SizePreserving } from '../layer.ts'

/**
 * A layer that drops elements at random while it trains, so that no feature can be relied on alone: y = x mask / (1 - p), with
 * a mask of zeros with probability p, ones otherwise. Its expectation is x, so that inference needs no correction: there y = x.
 *
 * A mask is drawn anew at every pass, from the pass's key at the layer's place (`ctx.key`): `fit` and `sequential` see to it.
 * No parameters, any shape.
 *
 * @param p the probability that an element is dropped, at least 0 and below 1
 * @throws RangeError for another p; in `apply` a TypeError where the pass trains and there is no key
 * @example
 * const layer = dropout(0.5)
 * const x = t.ones([1000])
 * layer.apply(null, null, x, { training: false, path: '' }).y === x // => true
 * const { y } = layer.apply(null, null, x, { training: true, path: '', key: t.key(1) })
 * y.toArray().every((value) => value === 0 || value === 2) // => true
 *
 * Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov: Dropout: a simple way to prevent neural networks from overfitting
 * (JMLR 2014)
 */
export function dropout(p: number): SizePreserving<null, null> {
  if (typeof p !== 'number' || !(p >= 0 && p < 1)) {
    const given = typeof p === 'number' ? String(p) : t.kindOf(p)
    t.failRange('dropout', `p must be at least 0 and below 1, got ${given}`, 'pass the share that is dropped')
  }
  return {
    name: `dropout ${p}`,
    config: { type: 'dropout', p },
    init: (_key, inputShape) => ({ params: null, state: null, outputShape: inputShape }),
    apply: (_params, state, x, ctx) => {
      if (!ctx.training || p === 0) return { y: x, state }
      const { key } = ctx
      if (key === undefined) {
        return t.failType(
          'dropout',
          `the layer${at(ctx)} needs a key while it trains`,
          'pass one in the context: { training: true, key: t.key(seed), path }',
        )
      }
      return { y: t.scope(() => t.mul(x, t.mul(t.bernoulli(key, x.shape, 1 - p), 1 / (1 - p)))), state }
    },
  }
}
