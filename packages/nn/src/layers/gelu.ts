import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of Gaussian error linear units: y = x Φ(x), with Φ the standard normal distribution, element by element. No parameters, any shape.
 *
 * It is smooth, and dips to -0.17 below 0. The activation of transformers.
 *
 * @param options.approximate `'none'` by default, as in PyTorch, or `'tanh'`: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
 * @throws TypeError where `approximate` is another word; RangeError for another option
 * @example
 * gelu().apply(null, null, t.tensor([[0, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Hendrycks & Gimpel: Gaussian error linear units (2016)
 */
export function gelu(options: t.GeluOptions = {}): SizePreserving<null, null> {
  return activation('gelu', (x) => t.gelu(x, options))
}
