import { failRange, kindOf } from '@tapeflow/autodiff'

/** Checks an option that must be a finite number. */
export function finite(operation: string, name: string, value: unknown, usual: number): void {
  if (Number.isFinite(value)) return
  const given = typeof value === 'number' ? String(value) : kindOf(value)
  failRange(operation, `${name} must be a finite number, got ${given}`, `${usual} is usual`)
}
