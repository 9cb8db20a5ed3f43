import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of smooth rectifiers: y = ln(1 + exp(x)), above 0, element by element. No parameters, any shape.
 *
 * Its gradient is the sigmoid. As a last layer it gives rates and variances, which are positive.
 *
 * @example
 * softplus().apply(null, null, t.tensor([[-1000, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Dugas, Bengio, Bélisle, Nadeau, Garcia: Incorporating second-order functional knowledge for better option pricing (NIPS 2001)
 */
export function softplus(): SizePreserving<null, null> {
  return activation('softplus', t.softplus)
}
