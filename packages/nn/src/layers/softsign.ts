import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of sigmoids with heavy tails: y = x / (1 + |x|), between -1 and 1, element by element. No parameters, any shape.
 *
 * It saturates as 1 / x, not exponentially as `tanh` does. Weights before it are best drawn by `glorotUniform`, the default.
 *
 * @example
 * softsign().apply(null, null, t.tensor([[1, -3]]), { training: true, path: '' }).y.toArray() // => [[0.5, -0.75]]
 *
 * Bergstra, Desjardins, Lamblin, Bengio: Quadratic polynomials learn better image features (2009)
 */
export function softsign(): SizePreserving<null, null> {
  return activation('softsign', t.softsign)
}
