import * as t from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'

/**
 * A parameter as its initializer draws it, from the key's child of its name.
 *
 * @param operation the layer's name, for errors
 * @param fans how many inputs one output sums over, and how many outputs one input feeds
 * @throws RangeError when the initializer gives another shape
 */
export function drawParameter(
  operation: string,
  key: t.Key,
  name: string,
  initializer: Initializer,
  shape: t.Shape,
  [fanIn, fanOut]: readonly [fanIn: number, fanOut: number],
): t.Tensor {
  const drawn = initializer(t.foldIn(key, name), shape, fanIn, fanOut)
  if (t.sameShape(drawn.shape, shape)) return drawn
  return t.failRange(
    operation,
    `the ${name} must have shape ${t.showShape(shape)}, its initializer gives ${t.showShape(drawn.shape)}`,
    'return the shape that is asked for',
  )
}
