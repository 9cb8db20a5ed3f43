import * as t from '@tapeflow/autodiff'
import type { Initializer } from './initializer.ts'

/**
 * An initialiser that gives one number everywhere. For weights it is a mistake: units that start equal stay equal.
 *
 * @param value any finite number
 * @throws RangeError when it is not finite
 * @example
 * constant(0.5)(t.key(1), [2, 2], 2, 2).toArray() // => [[0.5, 0.5], [0.5, 0.5]]
 */
export function constant(value: number): Initializer {
  if (!Number.isFinite(value)) t.failRange('constant', `the value must be a finite number, got ${value}`)
  return (_key, shape) => t.full(shape, value)
}
