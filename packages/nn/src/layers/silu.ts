import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of sigmoid linear units, also named swish: y = x / (1 + exp(-x)), element by element. No parameters, any shape.
 *
 * It is smooth, and dips to -0.28 below 0.
 *
 * @example
 * silu().apply(null, null, t.tensor([[0, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Elfwing, Uchibe, Doya: Sigmoid-weighted linear units for neural network function approximation in reinforcement learning (2018)
 */
export function silu(): SizePreserving<null, null> {
  return activation('silu', t.silu)
}
