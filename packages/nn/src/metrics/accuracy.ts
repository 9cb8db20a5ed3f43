import { type AccuracyState, countLargest, share } from './accuracy-state.ts'
import type { Metric } from './metric.ts'

/**
 * The share of samples whose largest prediction is that of the true class: sum of w over right ones / sum of w. It does
 * not matter whether predictions are logits or probabilities. Of several largest the first counts; a row with a NaN is wrong.
 *
 * @returns a metric over predictions `[rows, classes]` and targets that are labels `[rows]` or rows of probabilities
 * `[rows, classes]`, where the largest names the true class; weights `[rows]` are 1 where they are left out. Axes between
 * those are rows too: `[rows, time, classes]` with labels and weights `[rows, time]`
 * @throws RangeError when shapes do not fit or a label is out of range: names it and its row
 * @example
 * const metric = accuracy()
 * let state = metric.init()
 * state = metric.update(state, t.tensor([[0.9, 0.1], [0.2, 0.8]]), t.tensor([0, 0]))
 * state = metric.update(state, t.tensor([[0.3, 0.7]]), t.tensor([[0, 1]]))
 * metric.result(state) // => 2 / 3
 */
export function accuracy(): Metric<AccuracyState> {
  return {
    name: 'accuracy',
    ...share,
    update: (state, prediction, target, weights) =>
      countLargest('accuracy', state, prediction, target, weights),
  }
}
