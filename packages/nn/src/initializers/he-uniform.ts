import type { Key, Shape, Tensor } from '@tapeflow/autodiff'
import { scaled, uniformNumbers } from './scaled.ts'

/**
 * Numbers spread evenly over [-limit, limit), limit = sqrt(6 / fanIn): variance 2 / fanIn. Keeps the size of activations
 * through layers of `relu`, which halves it. Also named Kaiming.
 *
 * @param key what to draw from: element i depends on it and i alone
 * @param shape the parameter's shape
 * @param fanIn how many inputs one output sums over
 * @throws RangeError when the fan-in is not above 0
 * @example
 * heUniform(t.key(1), [6, 2], 6, 2).toFloat32Array().every((w) => Math.abs(w) <= 1) // => true
 *
 * He, Zhang, Ren, Sun: Delving deep into rectifiers (ICCV 2015)
 */
export function heUniform(key: Key, shape: Shape, fanIn: number, fanOut = 0): Tensor {
  return scaled('heUniform', uniformNumbers, [2, 'fanIn'], key, shape, [fanIn, fanOut])
}
