import type { SizePreserving } from '../layer.ts'
import { dropping } from './dropping.ts'

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
  return dropping('dropout', p, (shape) => shape)
}
