import { failRange } from '@tapeflow/autodiff'
import type { Schedule } from '../optimizer.ts'
import { checkNumber, count, notNegative, positiveCount } from '../range.ts'

/**
 * One rate after the other: the next one is taken from each boundary on.
 *
 *     piecewise([1, 0.1], [100])(step) = step < 100 ? 1 : 0.1
 *
 * So has PyTorch's MultiStepLR it. Keras' PiecewiseConstantDecay keeps the old rate at the boundary itself: its boundaries plus 1
 * are these.
 *
 * @param rates at least one, from 0 on
 * @param boundaries the steps from which the second, third, … is taken: ascending integers from 1 on, one fewer than rates
 * @throws RangeError where a number, or later the step, is out of range, or boundaries do not ascend or are too few or too many;
 * TypeError where it is no number
 * @example
 * const rate = piecewise([1, 0.5, 0.1], [10, 20])
 * ;[0, 9, 10, 19, 20, 500].map(rate) // => [1, 1, 0.5, 0.5, 0.1, 0.1]
 *
 * Krizhevsky, Sutskever & Hinton 2012, ImageNet classification with deep convolutional neural networks, divides by 10 three times.
 */
export function piecewise(rates: readonly number[], boundaries: readonly number[]): Schedule {
  if (rates.length === 0) failRange('piecewise', 'at least one rate is needed, got 0')
  for (const [i, rate] of rates.entries()) checkNumber('piecewise', `rate ${i}`, rate, notNegative)
  if (boundaries.length !== rates.length - 1) {
    failRange(
      'piecewise',
      `${rates.length} rates need ${rates.length - 1} boundaries, got ${boundaries.length}`,
      'name the step from which each but the first is taken',
    )
  }
  for (const [i, boundary] of boundaries.entries()) {
    checkNumber('piecewise', `boundary ${i}`, boundary, positiveCount)
    if (i > 0 && boundary <= boundaries[i - 1]!)
      failRange('piecewise', `boundaries must ascend, got ${boundaries.join(', ')}`)
  }
  const values = rates.slice()
  const starts = [0, ...boundaries]
  return (step) => {
    checkNumber('piecewise', 'step', step, count)
    return values[starts.findLastIndex((start) => start <= step)]!
  }
}
