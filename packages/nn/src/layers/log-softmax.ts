import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of logarithms of probabilities: y = x - ln sum of exp(x) over the last axis, finite where `softmax` would round to 0. No parameters, at
 * least one axis.
 *
 * Logits of the same probabilities: `crossEntropy()` and `sparseCrossEntropy()` give the same loss with it and without.
 *
 * @example
 * logSoftmax().apply(null, null, t.tensor([[1000, 0]]), { training: true, path: '' }).y.toArray() // => [[0, -1000]]
 */
export function logSoftmax(): SizePreserving<null, null> {
  return activation('logSoftmax', (x) => t.logSoftmax(x))
}
