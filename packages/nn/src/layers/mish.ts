import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of mishes: y = x tanh(ln(1 + exp(x))), element by element. No parameters, any shape.
 *
 * It is smooth, and dips to -0.31 below 0.
 *
 * @example
 * mish().apply(null, null, t.tensor([[0, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Misra: Mish: a self regularized non-monotonic activation function (BMVC 2020)
 */
export function mish(): SizePreserving<null, null> {
  return activation('mish', t.mish)
}
