import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { overFeatures } from './over-features.ts'

/**
 * A layer that makes logarithms of probabilities of a sample's features: y_k = x_k - ln sum over j of exp(x_j), along the last
 * axis. No parameters, as many come out; they are at most 0, and finite where `softmax` rounds to 0.
 *
 * `crossEntropy()` takes them as logits: the softmax of logarithms of probabilities is these probabilities. Weights before it are
 * best drawn by `glorotUniform`, the default.
 *
 * @throws RangeError where samples have no features
 * @example
 * logSoftmax().apply(null, null, t.tensor([[1000, 0]]), { training: true, path: '' }).y.toArray() // => [[0, -1000]]
 *
 * Bridle: Probabilistic interpretation of feedforward classification network outputs (1990)
 */
export function logSoftmax(): SizePreserving<null, null> {
  return overFeatures('logSoftmax', (x) => t.logSoftmax(x), { type: 'logSoftmax' })
}
