import { failRange, type Key, type Shape, type Tensor } from '@tapeflow/autodiff'

/**
 * Draws what a parameter starts from. The same key gives the same numbers.
 *
 * | weight | fanIn | fanOut |
 * | --- | --- | --- |
 * | `[in, out]` of a linear layer | in | out |
 * | `[height, width, in, out]` of a convolution | height width in | height width out |
 * | `[height, width, channels]` of a depthwise one | height width | height width |
 *
 * Layers pass them; strides and padding do not count. A bias gets the fans of its weight.
 *
 * @param shape the parameter's shape, which the result must have
 * @param fanIn how many inputs one output sums over
 * @param fanOut how many outputs one input feeds
 */
export type Initializer = (key: Key, shape: Shape, fanIn: number, fanOut: number) => Tensor

/** What the numbers are multiplied by. */
export interface GainOptions {
  /** 1 by default. */
  readonly gain?: number
}

/** Checks a fan, or a sum of them, that a variance is divided by. */
export function checkFan(operation: string, what: string, fan: number): number {
  if (!(fan > 0 && Number.isFinite(fan))) {
    failRange(operation, `${what} must be a finite number above 0, got ${fan}`, 'pass the sizes of the layer')
  }
  return fan
}

/** Checks a gain. */
export function checkGain(operation: string, { gain = 1 }: GainOptions): number {
  if (!Number.isFinite(gain)) failRange(operation, `gain must be a finite number, got ${gain}`)
  return gain
}
