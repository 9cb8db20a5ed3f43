import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'
import { finite } from './finite.ts'

/**
 * A layer of exponential linear units: y = x where x > 0, else alpha (eˣ - 1), above -alpha, element by element. No parameters,
 * any shape.
 *
 * The gradient at 0 is alpha, from the left: only with alpha = 1 is it differentiable there. Weights before it are best drawn by
 * `heNormal` or `heUniform`.
 *
 * @param alpha a finite number, 1 by default
 * @throws RangeError for another alpha
 * @example
 * elu(0.5).apply(null, null, t.tensor([[-1000, 2]]), { training: true, path: '' }).y.toArray() // => [[-0.5, 2]]
 *
 * Clevert, Unterthiner, Hochreiter: Fast and accurate deep network learning by exponential linear units (ICLR 2016)
 */
export function elu(alpha = 1): SizePreserving<null, null> {
  finite('elu', 'alpha', alpha, 1)
  return activation('elu', (x) => t.elu(x, alpha), { type: 'elu', alpha })
}
