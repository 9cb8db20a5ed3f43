import { failRange, failType, kindOf } from '@tapeflow/autodiff'

/** The numbers that are allowed: finite, and within these bounds. */
export interface Range {
  /** The smallest allowed. */
  readonly from?: number
  /** Allowed is what is larger. */
  readonly above?: number
  /** Allowed is what is smaller. */
  readonly below?: number
  /** The largest allowed. */
  readonly to?: number
  readonly integer?: boolean
}

/** Any finite number from 0 on, as learning rates are. */
export const notNegative: Range = { from: 0 }
/** Any finite number above 0, as bounds and radii are. */
export const positive: Range = { above: 0 }
/** From 0 to below 1, as decay factors are. */
export const fraction: Range = { from: 0, below: 1 }
/** Above 0, up to 1, as shares are that must not be nothing. */
export const share: Range = { above: 0, to: 1 }
/** Shares of a length that nothing is divided by: the quotient would come near the largest number of float32. */
export const negligible = 2e-38
/** 0, 1, 2, … */
export const count: Range = { from: 0, integer: true }
/** 1, 2, 3, … */
export const positiveCount: Range = { from: 1, integer: true }

/**
 * The number `value`, checked.
 *
 * @param operation the function that refuses
 * @param name what the number is called there
 * @throws TypeError where it is no number; RangeError where it is not within `range`
 * @example
 * checkNumber('adam', 'beta1', 0.9, fraction) // => 0.9
 */
export function checkNumber(operation: string, name: string, value: unknown, range: Range): number {
  const {
    from = Number.NEGATIVE_INFINITY,
    above = Number.NEGATIVE_INFINITY,
    below = Number.POSITIVE_INFINITY,
    to = Number.POSITIVE_INFINITY,
  } = range
  if (typeof value !== 'number') failType(operation, `${name} must be ${words(range)}, got ${kindOf(value)}`)
  const whole = range.integer !== true || Number.isInteger(value)
  if (Number.isFinite(value) && whole && value >= from && value > above && value < below && value <= to)
    return value
  return failRange(operation, `${name} must be ${words(range)}, got ${value}`)
}

function words({ from, above, below, to, integer }: Range): string {
  const kind = integer === true ? 'an integer' : 'a finite number'
  const end = below !== undefined ? ` to below ${below}` : to !== undefined ? ` up to ${to}` : ''
  if (from !== undefined) return `${kind} from ${from}${end || ' on'}`
  return above === undefined ? `${kind}${end}` : `${kind} above ${above}${end}`
}
