import { failRange, kindOf } from '@tapeflow/autodiff'

/** Checks a number of things: heads, groups, features. */
export function checkCount(operation: string, what: string, count: number): void {
  if (Number.isInteger(count) && count >= 1) return
  const given = typeof count === 'number' ? String(count) : kindOf(count)
  failRange(operation, `${what} must be an integer from 1 on, got ${given}`, `count ${what}`)
}
