import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of scaled exponential linear units: y = λ x where x > 0, else λ α (exp(x) - 1), with λ = 1.0507… and α = 1.6732…, element by
 * element. No parameters, any shape.
 *
 * Activations of mean 0 and variance 1 keep them from layer to layer where weights are drawn by `lecunNormal`, and no batch norm is needed. At 0
 * its gradient is λ α, that from the left.
 *
 * @example
 * selu().apply(null, null, t.tensor([[0, 1]]), { training: true, path: '' }).y.toArray() // => [[0, Math.fround(1.0507009873554805)]]
 *
 * Klambauer, Unterthiner, Mayr, Hochreiter: Self-normalizing neural networks (NeurIPS 2017)
 */
export function selu(): SizePreserving<null, null> {
  return activation('selu', t.selu)
}
