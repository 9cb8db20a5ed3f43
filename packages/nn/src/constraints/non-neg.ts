import * as t from '@tapeflow/autodiff'
import type { Constraint } from './incoming.ts'

/**
 * A constraint on signs: negative weights become 0. max(w, 0).
 *
 * @example
 * nonNeg()(t.tensor([-1, 2])).toArray() // => [0, 2]
 */
export function nonNeg(): Constraint {
  return t.relu
}
