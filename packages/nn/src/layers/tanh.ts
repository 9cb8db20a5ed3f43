import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of hyperbolic tangents: y = tanh(x), between -1 and 1, element by element. No parameters, any shape.
 *
 * Weights before it are best drawn by `glorotUniform`, the default.
 *
 * @example
 * tanh().apply(null, null, t.tensor([[-100, 0, 100]]), { training: true, path: '' }).y.toArray() // => [[-1, 0, 1]]
 *
 * LeCun, Bottou, Orr, Müller: Efficient BackProp (1998)
 */
export function tanh(): SizePreserving<null, null> {
  return activation('tanh', t.tanh, { type: 'tanh' })
}
