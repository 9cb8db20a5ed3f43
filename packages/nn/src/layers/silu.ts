import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of sigmoid linear units, or swish: y = x / (1 + exp(-x)), element by element. It is smooth, and at least -0.27847, at
 * x = -1.2785. No parameters, any shape.
 *
 * Weights before it are best drawn by `heNormal` or `heUniform`.
 *
 * @example
 * silu().apply(null, null, t.tensor([[0, 1000]]), { training: true, path: '' }).y.toArray() // => [[0, 1000]]
 *
 * Elfwing, Uchibe, Doya: Sigmoid-weighted linear units for neural network function approximation in reinforcement learning
 * (Neural Networks 2018); Ramachandran, Zoph, Le: Searching for activation functions (2017)
 */
export function silu(): SizePreserving<null, null> {
  return activation('silu', t.silu, { type: 'silu' })
}
