import type { Key, Shape, Tensor } from '@tapeflow/autodiff'
import { scaled, truncatedNormalNumbers } from './scaled.ts'

/**
 * Normal numbers of variance 2 / (fanIn + fanOut), without those beyond two standard deviations, like Keras: none is
 * larger than 2.274 sqrt(2 / (fanIn + fanOut)). Also named Xavier.
 *
 * Notes that state Var = 1 / (in + out) mean another constant; this is the paper's.
 *
 * @param key what to draw from: element i depends on it and i alone
 * @param shape the parameter's shape
 * @param fanIn how many inputs one output sums over
 * @param fanOut how many outputs one input feeds
 * @throws RangeError when the sum of the fans is not above 0
 * @example
 * glorotNormal(t.key(1), [4, 2], 4, 2).shape // => [4, 2]
 *
 * Glorot & Bengio: Understanding the difficulty of training deep feedforward neural networks (AISTATS 2010)
 */
export function glorotNormal(key: Key, shape: Shape, fanIn: number, fanOut: number): Tensor {
  return scaled('glorotNormal', truncatedNormalNumbers, [1, 'fanAverage'], key, shape, [fanIn, fanOut])
}
