import type { Key, Shape, Tensor } from '@tapeflow/autodiff'
import { scaled, uniformNumbers } from './scaled.ts'

/**
 * Numbers spread evenly over [-limit, limit), limit = sqrt(6 / (fanIn + fanOut)): variance 2 / (fanIn + fanOut).
 * Keeps the variance of activations and of gradients alike through layers of `tanh` or none. Also named Xavier.
 *
 * Notes that state Var = 1 / (in + out) mean another constant; this is the paper's.
 *
 * @param key what to draw from: element i depends on it and i alone
 * @param shape the parameter's shape
 * @param fanIn how many inputs one output sums over
 * @param fanOut how many outputs one input feeds
 * @throws RangeError when the sum of the fans is not above 0
 * @example
 * const limit = Math.sqrt(6 / (4 + 2))
 * glorotUniform(t.key(1), [4, 2], 4, 2).toFloat32Array().every((w) => Math.abs(w) <= limit) // => true
 *
 * Glorot & Bengio: Understanding the difficulty of training deep feedforward neural networks (AISTATS 2010)
 */
export function glorotUniform(key: Key, shape: Shape, fanIn: number, fanOut: number): Tensor {
  return scaled('glorotUniform', uniformNumbers, [1, 'fanAverage'], key, shape, [fanIn, fanOut])
}
