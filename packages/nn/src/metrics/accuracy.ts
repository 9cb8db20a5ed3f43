import type { Tensor } from '@tapeflow/autodiff'
import { checkClasses, checkWeights } from '../targets.ts'
import type { Metric } from './metric.ts'

/** Weights of the samples predicted right, and of all. */
export type AccuracyState = { readonly correct: number; readonly total: number }

/**
 * The share of samples whose largest prediction is that of the true class: sum of w over right ones / sum of w. It does
 * not matter whether predictions are logits or probabilities. Of several largest the first counts; a row with a NaN is wrong.
 *
 * @returns a metric over predictions `[rows, classes]` and targets that are labels `[rows]` or rows of probabilities
 * `[rows, classes]`, where the largest names the true class; weights `[rows]` are 1 where they are left out
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
    init: () => ({ correct: 0, total: 0 }),
    update: ({ correct, total }, prediction, target, weights) => {
      const labels = checkClasses('accuracy', prediction, target)
      checkWeights('accuracy', weights, prediction.shape)
      const truth = labels === null ? largestOfRows(target) : labels.toFloat32Array()
      const guess = largestOfRows(prediction)
      const counts = weights?.toFloat32Array()
      for (let row = 0; row < guess.length; row++) {
        const weight = counts === undefined ? 1 : counts[row]!
        total += weight
        if (guess[row] === truth[row]) correct += weight
      }
      return { correct, total }
    },
    result: ({ correct, total }) => correct / total,
  }
}

// argMax would answer with the place of a NaN, which may happen to be the right one.
function largestOfRows(x: Tensor): Float32Array {
  const values = x.toFloat32Array()
  const classes = x.shape[1]!
  return Float32Array.from({ length: x.shape[0]! }, (_, row) => {
    let best = 0
    for (let k = 0; k < classes; k++) {
      const value = values[row * classes + k]!
      if (Number.isNaN(value)) return Number.NaN
      if (value > values[row * classes + best]!) best = k
    }
    return best
  })
}
