import type { Key, Shape, Tensor } from '@tapeflow/autodiff'
import { scaled, uniformNumbers } from './scaled.ts'

/**
 * Numbers spread evenly over [-limit, limit), limit = sqrt(3 / fanIn): variance 1 / fanIn. Keeps the size of activations
 * through layers of `selu`, or none.
 *
 * @param key what to draw from: element i depends on it and i alone
 * @param shape the parameter's shape
 * @param fanIn how many inputs one output sums over
 * @throws RangeError when the fan-in is not above 0
 * @example
 * lecunUniform(t.key(1), [3, 2], 3, 2).toFloat32Array().every((w) => Math.abs(w) <= 1) // => true
 *
 * LeCun, Bottou, Orr, Müller: Efficient backprop (1998)
 */
export function lecunUniform(key: Key, shape: Shape, fanIn: number, fanOut = 0): Tensor {
  return scaled('lecunUniform', uniformNumbers, [1, 'fanIn'], key, shape, [fanIn, fanOut])
}
