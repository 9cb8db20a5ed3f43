import type { Key, Shape, Tensor } from '@tapeflow/autodiff'
import { scaled, truncatedNormalNumbers } from './scaled.ts'

/**
 * Normal numbers of variance 1 / fanIn, without those beyond two standard deviations, like Keras: none is larger than
 * 2.274 sqrt(1 / fanIn). Keeps the size of activations through layers of `selu`, or none.
 *
 * Notes that give Var = 1 / in to He mean this one.
 *
 * @param key what to draw from: element i depends on it and i alone
 * @param shape the parameter's shape
 * @param fanIn how many inputs one output sums over
 * @throws RangeError when the fan-in is not above 0
 * @example
 * lecunNormal(t.key(1), [4, 2], 4, 2).toFloat32Array().every((w) => Math.abs(w) < 2.274 * Math.sqrt(1 / 4)) // => true
 *
 * LeCun, Bottou, Orr, Müller: Efficient backprop (1998); Klambauer et al.: Self-normalizing neural networks (2017)
 */
export function lecunNormal(key: Key, shape: Shape, fanIn: number, fanOut = 0): Tensor {
  return scaled('lecunNormal', truncatedNormalNumbers, [1, 'fanIn'], key, shape, [fanIn, fanOut])
}
