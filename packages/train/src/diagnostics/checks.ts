import { failRange } from '@tapeflow/autodiff'

/** Throws unless each value is an integer from `least` on. */
export function requireCounts(operation: string, options: Readonly<Record<string, number>>, least = 1): void {
  for (const [name, value] of Object.entries(options)) {
    if (Number.isSafeInteger(value) && value >= least) continue
    failRange(operation, `${name} must be an integer from ${least} on, got ${value}`)
  }
}

/** Throws unless each value is a number above 0, and below `below`. */
export function requireNumbers(
  operation: string,
  options: Readonly<Record<string, number>>,
  below: number = Number.POSITIVE_INFINITY,
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value > 0 && value < below) continue
    const range = below === Number.POSITIVE_INFINITY ? 'a finite number above 0' : `between 0 and ${below}`
    failRange(operation, `${name} must be ${range}, got ${value}`)
  }
}
