import { scope } from '@tapeflow/autodiff'
import type { Context } from '../layer.ts'

/** What `run` gives, and nothing else left in the heap, unless there is a `ctx.tap`: what is tapped stays, for its reader may come later. */
export function scopeUnlessTapped<R>(ctx: Context, run: () => R): R {
  return ctx.tap === undefined ? scope(run) : run()
}
