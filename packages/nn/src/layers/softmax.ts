import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of probabilities: y = exp(x) / sum of exp(x) over the last axis, so that each row adds up to 1. No parameters, at least one axis.
 *
 * A model that is trained by `crossEntropy()` ends in its logits, without this layer: the loss takes the softmax, accurately. This one is
 * for reading probabilities, and for `crossEntropy({ from: 'probabilities' })`.
 *
 * @example
 * softmax().apply(null, null, t.tensor([[0, 0], [1000, -1000]]), { training: true, path: '' }).y.toArray() // => [[0.5, 0.5], [1, 0]]
 *
 * Bridle: Probabilistic interpretation of feedforward classification network outputs (1990)
 */
export function softmax(): SizePreserving<null, null> {
  return activation('softmax', (x) => t.softmax(x))
}
