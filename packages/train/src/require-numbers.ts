import { failRange, failType, kindOf } from '@tapeflow/autodiff'

/**
 * Throws unless `value` is a number that fits.
 *
 * @param rule what it must be: `an integer from 1 on`
 * @throws TypeError for what is no number, RangeError for one that does not fit
 * @example
 * requireNumber('wait', 'patience', '3', 'above 0', (x) => x > 0) // throws TypeError: wait: patience must be above 0, got a string
 */
export function requireNumber(
  operation: string,
  name: string,
  value: unknown,
  rule: string,
  fits: (value: number) => boolean,
  remedy?: string,
): void {
  if (typeof value !== 'number') failType(operation, `${name} must be ${rule}, got ${kindOf(value)}`, remedy)
  if (!fits(value)) failRange(operation, `${name} must be ${rule}, got ${value}`, remedy)
}

/** Throws unless each value is an integer from `least` on. */
export function requireCounts(
  operation: string,
  options: Readonly<Record<string, unknown>>,
  least = 1,
): void {
  for (const [name, value] of Object.entries(options)) {
    const isCount = (number: number): boolean => Number.isSafeInteger(number) && number >= least
    requireNumber(operation, name, value, `an integer from ${least} on`, isCount)
  }
}

/** Throws unless each value is a number above 0, and below `below`. */
export function requireNumbers(
  operation: string,
  options: Readonly<Record<string, unknown>>,
  below: number = Number.POSITIVE_INFINITY,
): void {
  const range = below === Number.POSITIVE_INFINITY ? 'a finite number above 0' : `between 0 and ${below}`
  for (const [name, value] of Object.entries(options)) {
    requireNumber(operation, name, value, range, (number) => number > 0 && number < below)
  }
}

/** Throws unless each value is true or false. */
export function requireFlags(operation: string, options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (typeof value !== 'boolean') failType(operation, `${name} must be true or false, got ${kindOf(value)}`)
  }
}
