import * as t from '@tapeflow/autodiff'
import { isRecurrent } from '../reset-recurrent-state.ts'

/** How many rows a model is asked with for its shapes: one, or as many as it keeps the recurrent state of. */
export function rowsOfState(state: unknown): number {
  const at = t.paths(state).findIndex(isRecurrent)
  return t.leaves(state)[at]?.shape[0] ?? 1
}
