import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative } from '../range.ts'

/**
 * The same rate at every step.
 *
 * @param rate a number from 0 on
 * @throws RangeError where the rate, or later the step, is out of range; TypeError where it is no number
 * @example
 * constant(0.1)(500) // => 0.1
 */
export function constant(rate: number): Schedule {
  checkNumber('constant', 'rate', rate, notNegative)
  return (step) => {
    checkNumber('constant', 'step', step, count)
    return rate
  }
}
