import { failRange, type Key, type Shape, type Tensor } from '@tapeflow/autodiff'

/**
 * Draws what a parameter starts from. The same key gives the same numbers.
 *
 * @param shape the parameter's shape, which the result must have
 * @param fanIn how many inputs one output sums over
 * @param fanOut how many outputs one input feeds
 */
export type Initializer = (key: Key, shape: Shape, fanIn: number, fanOut: number) => Tensor

/** Checks a fan, or a sum of them, that a variance is divided by. */
export function checkFan(operation: string, what: string, fan: number): number {
  if (!(fan > 0 && Number.isFinite(fan))) {
    failRange(operation, `${what} must be a finite number above 0, got ${fan}`, 'pass the sizes of the layer')
  }
  return fan
}
