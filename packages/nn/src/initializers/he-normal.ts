import type { Key, Shape, Tensor } from '@tapeflow/autodiff'
import { scaled, truncatedNormalNumbers } from './scaled.ts'

/**
 * Normal numbers of variance 2 / fanIn, without those beyond two standard deviations, like Keras: none is larger than
 * 2.274 sqrt(2 / fanIn). Keeps the size of activations through layers of `relu`, which halves it. Also named Kaiming.
 *
 * Notes that state Var = 1 / in describe LeCun's initialisation, not He's.
 *
 * @param key what to draw from: element i depends on it and i alone
 * @param shape the parameter's shape
 * @param fanIn how many inputs one output sums over
 * @throws RangeError when the fan-in is not above 0
 * @example
 * heNormal(t.key(1), [4, 2], 4, 2).toFloat32Array().every((w) => Math.abs(w) < 2.274 * Math.sqrt(2 / 4)) // => true
 *
 * He, Zhang, Ren, Sun: Delving deep into rectifiers (ICCV 2015)
 */
export function heNormal(key: Key, shape: Shape, fanIn: number, fanOut = 0): Tensor {
  return scaled('heNormal', truncatedNormalNumbers, [2, 'fanIn'], key, shape, [fanIn, fanOut])
}
