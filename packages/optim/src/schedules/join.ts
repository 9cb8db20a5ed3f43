import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, positiveCount } from '../range.ts'

/**
 * One schedule after the other: the next one starts, from its own step 0, at each boundary.
 *
 *     join([a, b], [100])(step) = step < 100 ? a(step) : b(step - 100)
 *
 * @param schedules at least one
 * @param boundaries the steps at which the second, third, … starts: ascending integers from 1 on, one fewer than schedules
 * @throws RangeError where boundaries do not ascend or are too few or too many; TypeError where a schedule is no function
 * @example
 * const rate = join([warmup({ to: 1, steps: 100 }), cosineDecay({ from: 1, steps: 900 })], [100])
 * ;[0, 50, 100, 550, 1000].map((step) => rate(step).toFixed(2)) // => ['0.00', '0.50', '1.00', '0.50', '0.00']
 */
export function join(schedules: readonly Schedule[], boundaries: readonly number[]): Schedule {
  if (schedules.length === 0) failRange('join', 'at least one schedule is needed, got 0')
  for (const [i, schedule] of schedules.entries()) {
    if (typeof schedule !== 'function') {
      failType(
        'join',
        `schedule ${i} must be a function of the step, got ${kindOf(schedule)}`,
        'wrap a number in constant',
      )
    }
  }
  if (boundaries.length !== schedules.length - 1) {
    const wanted = `${schedules.length} schedules need ${schedules.length - 1} boundaries`
    failRange(
      'join',
      `${wanted}, got ${boundaries.length}`,
      'name the step at which each but the first starts',
    )
  }
  for (const [i, boundary] of boundaries.entries()) {
    checkNumber('join', `boundary ${i}`, boundary, positiveCount)
    if (i > 0 && boundary <= boundaries[i - 1]!)
      failRange('join', `boundaries must ascend, got ${boundaries.join(', ')}`)
  }
  const parts = schedules.slice()
  const starts = [0, ...boundaries]
  return (step) => {
    checkNumber('join', 'step', step, count)
    const part = starts.findLastIndex((start) => start <= step)
    return parts[part]!(step - starts[part]!)
  }
}
