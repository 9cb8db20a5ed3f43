import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of scaled exponential linear units: y = λ x where x > 0, else λ α (eˣ - 1), above -1.7581, element by element, with
 * λ = 1.0507 and α = 1.6733. No parameters, any shape.
 *
 * From layer to layer they keep mean 0 and variance 1, where weights before it are drawn by `lecunNormal`. The gradient at 0 is
 * λ α, from the left.
 *
 * @example
 * selu().apply(null, null, t.tensor([[0, 1]]), { training: true, path: '' }).y.toArray() // => [[0, Math.fround(1.0507009873554805)]]
 *
 * Klambauer, Unterthiner, Mayr, Hochreiter: Self-normalizing neural networks (NIPS 2017)
 */
export function selu(): SizePreserving<null, null> {
  return activation('selu', t.selu, { type: 'selu' })
}
