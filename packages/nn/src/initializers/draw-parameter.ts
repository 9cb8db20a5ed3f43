import {
  failRange,
  foldIn,
  type Key,
  type Shape,
  sameShape,
  showShape,
  type Tensor,
} from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'

/**
 * Draws a parameter from the key's child of its name.
 *
 * @throws RangeError where the initialiser gives another shape: names the parameter
 */
export function drawParameter(
  operation: string,
  name: string,
  initializer: Initializer,
  key: Key,
  shape: Shape,
  [fanIn, fanOut]: readonly [number, number],
): Tensor {
  const drawn = initializer(foldIn(key, name), shape, fanIn, fanOut)
  if (sameShape(drawn.shape, shape)) return drawn
  return failRange(
    operation,
    `the ${name} must have shape ${showShape(shape)}, its initializer gives ${showShape(drawn.shape)}`,
    'return the shape that is asked for',
  )
}
