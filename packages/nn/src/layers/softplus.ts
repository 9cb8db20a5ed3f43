import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of smooth rectifiers: y = ln(1 + eˣ), above 0, element by element. No parameters, any shape.
 *
 * Its derivative is the sigmoid. It makes what must be positive, such as a deviation. Weights before it are best drawn by
 * `heNormal` or `heUniform`.
 *
 * @example
 * softplus().apply(null, null, t.tensor([[-1000, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Dugas, Bengio, Bélisle, Nadeau, Garcia: Incorporating second-order functional knowledge for better option pricing (NIPS 2000)
 */
export function softplus(): SizePreserving<null, null> {
  return activation('softplus', t.softplus, { type: 'softplus' })
}
