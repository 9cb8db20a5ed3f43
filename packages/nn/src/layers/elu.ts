import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of exponential linear units: y = x where x > 0, else alpha (exp(x) - 1), element by element. No parameters, any shape.
 *
 * Below 0 it falls to -alpha, which brings means of activations near 0. At 0 its gradient is alpha: only with alpha = 1 is it differentiable
 * there. Weights before it are best drawn by `heNormal`.
 *
 * @param alpha how deep it goes, any finite number; 1 by default
 * @throws RangeError for an alpha that is not finite
 * @example
 * elu().apply(null, null, t.tensor([[-1000, 2]]), { training: true, path: '' }).y.toArray() // => [[-1, 2]]
 *
 * Clevert, Unterthiner, Hochreiter: Fast and accurate deep network learning by exponential linear units (ICLR 2016)
 */
export function elu(alpha = 1): SizePreserving<null, null> {
  if (!Number.isFinite(alpha)) t.failRange('elu', `the alpha must be a finite number, got ${alpha}`)
  return activation(`elu ${alpha}`, (x) => t.elu(x, alpha))
}
