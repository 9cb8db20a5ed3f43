import * as t from '@tapeflow/autodiff'
import { type ElementLossOptions, elementLoss } from './element-loss.ts'
import type { Loss } from './reduction.ts'

/**
 * A loss for directions: one minus the cosine of the angle between prediction and target, l = 1 - <u, v> / (|u| |v|), along
 * the last axis. 0 where they point the same way, 1 at a right angle, 2 where they are opposed; lengths do not matter.
 *
 * A vector of zeros has no direction: its cosine counts as 0, and so does the gradient. Keras gives minus the cosine, which is
 * one less.
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns (prediction `[rows, …, size]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`:
 * means over the axes between
 * @throws RangeError when the shapes differ, or there is no axis beside rows; TypeError for a bad option
 * @example
 * const loss = cosineSimilarity({ reduction: 'none' })
 * loss(t.tensor([[2, 0], [2, 0], [2, 0]]), t.tensor([[3, 0], [0, 1], [-1, 0]])).toArray() // => [0, 1, 2]
 */
export function cosineSimilarity(options: ElementLossOptions = {}): Loss {
  t.knownOptions('cosineSimilarity', options, 'reduction')
  return elementLoss('cosineSimilarity', options, (prediction, target) => {
    if (prediction.rank < 2) {
      t.failRange(
        'cosineSimilarity',
        `the prediction must be [rows, …, size], got ${t.showShape(prediction.shape)}`,
        'directions need an axis of their own',
      )
    }
    const cosine = t.sum(t.mul(direction(prediction), direction(target)), { axis: -1 })
    return t.sub(1, cosine)
  })
}

/** Divided by the length. Zeros stay zeros, without a gradient. */
function direction(x: t.Tensor): t.Tensor {
  // By the largest element first, since a length may overflow. It moves no direction, and so needs no gradient.
  const largest = t.stopGradient(t.max(t.abs(x), { axis: -1, keepDims: true }))
  const isZero = t.equal(largest, 0)
  const scaled = t.div(x, t.where(isZero, 1, largest))
  const length = t.norm(t.where(isZero, 1, scaled), { axis: -1, keepDims: true })
  return t.where(isZero, 0, t.div(scaled, length))
}
