import * as t from '@tapeflow/autodiff'
import { rowsLoss } from './class-loss.ts'
import type { Loss, Reduction } from './reduction.ts'

/** How samples count, and what becomes of their losses. */
export interface CategoricalHingeOptions {
  /** `'mean'` by default. */
  readonly reduction?: Reduction
  /** How much samples of each class count; all alike by default. */
  readonly classWeights?: readonly number[]
}

/**
 * The hinge loss of several classes: l = max(0, 1 + largest f of the other classes - f of the true one). 0 once the true class
 * leads by a margin of 1.
 *
 * Keras takes max(0, f) of the other classes, which differs where all of them are negative.
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.classWeights a number for each class: what a row's weight w is multiplied by
 * @returns (prediction `[rows, …, classes]`, one-hot rows of the same shape, of which the largest number names the true class, weights? `[rows]` or `[rows, …]`) -> a scalar,
 * `[rows, …]` for `'none'`
 * @throws RangeError when shapes do not fit, labels among them, or an option is out of range; TypeError for a bad option
 * @example
 * const loss = categoricalHinge({ reduction: 'none' })
 * loss(t.tensor([[3, 1, 0], [0, 2, 1]]), t.tensor([[1, 0, 0], [0, 0, 1]])).toArray() // => [0, 2]
 *
 * Crammer & Singer: On the algorithmic implementation of multiclass kernel-based vector machines (JMLR 2001)
 */
export function categoricalHinge(options: CategoricalHingeOptions = {}): Loss {
  const { reduction = 'mean', classWeights } = t.knownOptions(
    'categoricalHinge',
    options,
    'reduction classWeights',
  )
  return rowsLoss('categoricalHinge', { reduction, classWeights }, (prediction, target) => {
    const isOwn = t.oneHot(t.argMax(target, { axis: -1 }), target.shape[target.rank - 1]!)
    const own = t.sum(t.where(isOwn, prediction, 0), { axis: -1 })
    const others = t.max(t.where(isOwn, Number.NEGATIVE_INFINITY, prediction), { axis: -1 })
    return t.relu(t.add(t.sub(others, own), 1))
  })
}
