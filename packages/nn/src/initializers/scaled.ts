import * as t from '@tapeflow/autodiff'
import { checkFan } from './initializer.ts'

/** What a variance is divided by. */
export type FanMode = 'fanIn' | 'fanOut' | 'fanAverage'

/** Draws numbers of mean 0 and variance scale / fan. */
export type Distribution = (key: t.Key, shape: t.Shape, scale: number, fan: number) => t.Tensor

/** The standard deviation of a standard normal variable given that it lies in [-2, 2]: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)). */
const truncatedDeviation = 0.8796256610342398

/** Normal numbers without those beyond two of their standard deviations. */
export const truncatedNormalNumbers: Distribution = (key, shape, scale, fan) =>
  t.truncatedNormal(key, shape, 0, Math.sqrt(scale / fan) / truncatedDeviation)

/** Normal numbers. */
export const normalNumbers: Distribution = (key, shape, scale, fan) =>
  t.normal(key, shape, 0, Math.sqrt(scale / fan))

/** Numbers spread evenly. */
export const uniformNumbers: Distribution = (key, shape, scale, fan) => {
  const limit = Math.sqrt((3 * scale) / fan)
  return t.uniform(key, shape, -limit, limit)
}

/**
 * Numbers of variance scale / fan.
 *
 * @param operation is named where the fan gives none
 * @param draw the distribution, as a function: bundles hold those that are used
 */
export function scaled(
  operation: string,
  draw: Distribution,
  [scale, mode]: readonly [scale: number, mode: FanMode],
  key: t.Key,
  shape: t.Shape,
  [fanIn, fanOut]: readonly [fanIn: number, fanOut: number],
): t.Tensor {
  if (mode === 'fanIn') return draw(key, shape, scale, checkFan(operation, mode, fanIn))
  if (mode === 'fanOut') return draw(key, shape, scale, checkFan(operation, mode, fanOut))
  return draw(key, shape, 2 * scale, checkFan(operation, 'fanIn + fanOut', fanIn + fanOut))
}
