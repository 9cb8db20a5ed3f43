import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of mish units: y = x tanh(ln(1 + eˣ)), element by element. It is smooth, and at least -0.30884, at x = -1.1924. No
 * parameters, any shape.
 *
 * Weights before it are best drawn by `heNormal` or `heUniform`.
 *
 * @example
 * mish().apply(null, null, t.tensor([[0, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Misra: Mish: a self regularized non-monotonic activation function (2019)
 */
export function mish(): SizePreserving<null, null> {
  return activation('mish', t.mish, { type: 'mish' })
}
