import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/** Which form of a gelu. */
export interface GeluOptions {
  /** `'none'` by default; `'tanh'` takes x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))). */
  readonly approximate?: 'none' | 'tanh'
}

/**
 * A layer of Gaussian error linear units: y = x Φ(x), with the share Φ(x) of a standard normal distribution below x, element by
 * element. It is smooth, and at least -0.16998, at x = -0.7518. No parameters, any shape.
 *
 * Weights before it are best drawn by `heNormal` or `heUniform`.
 *
 * @param options.approximate `'none'` by default; `'tanh'` is faster, and differs by up to 5e-4
 * @throws TypeError for another word
 * @example
 * gelu().apply(null, null, t.tensor([[0, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Hendrycks & Gimpel: Gaussian error linear units (2016)
 */
export function gelu(options: GeluOptions = {}): SizePreserving<null, null> {
  const { approximate = 'none' } = t.knownOptions('gelu', options, 'approximate')
  if (approximate !== 'none' && approximate !== 'tanh') {
    t.failType('gelu', `approximate must be 'none' or 'tanh', got '${String(approximate)}'`)
  }
  return activation('gelu', (x) => t.gelu(x, { approximate }), { type: 'gelu', approximate })
}
