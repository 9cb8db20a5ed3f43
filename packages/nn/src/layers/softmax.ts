import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { overFeatures } from './over-features.ts'

/**
 * A layer that makes probabilities of a sample's features: y_k = exp(x_k) / sum over j of exp(x_j), along the last axis. No
 * parameters, as many come out; they lie between 0 and 1, and their sum is 1.
 *
 * `crossEntropy()` takes what stands before it, logits, which is more exact; behind this layer it is
 * `crossEntropy({ from: 'probabilities' })`. Weights before it are best drawn by `glorotUniform`, the default.
 *
 * @throws RangeError where samples have no features
 * @example
 * softmax().apply(null, null, t.tensor([[0, 0], [1000, -1000]]), { training: true, path: '' }).y.toArray() // => [[0.5, 0.5], [1, 0]]
 *
 * Bridle: Probabilistic interpretation of feedforward classification network outputs (1990)
 */
export function softmax(): SizePreserving<null, null> {
  return overFeatures('softmax', (x) => t.softmax(x), { type: 'softmax' })
}
