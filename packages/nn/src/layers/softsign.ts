import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of softsigns: y = x / (1 + |x|), between -1 and 1, element by element. No parameters, any shape.
 *
 * It nears its ends more slowly than `tanh`. Its derivative is 1 / (1 + |x|)², at 0 too; the second jumps there. Weights before it
 * are best drawn by `glorotUniform`, the default.
 *
 * @example
 * softsign().apply(null, null, t.tensor([[1, -3]]), { training: true, path: '' }).y.toArray() // => [[0.5, -0.75]]
 *
 * Bergstra, Desjardins, Lamblin, Bengio: Quadratic polynomials learn better image features (2009)
 */
export function softsign(): SizePreserving<null, null> {
  return activation('softsign', t.softsign, { type: 'softsign' })
}
