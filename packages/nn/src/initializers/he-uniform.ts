import * as t from '@tapeflow/autodiff'
import { checkFan } from './initializer.ts'

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
export function heUniform(key: t.Key, shape: t.Shape, fanIn: number, _fanOut?: number): t.Tensor {
  const limit = Math.sqrt(6 / checkFan('heUniform', 'fanIn', fanIn))
  return t.uniform(key, shape, -limit, limit)
}
