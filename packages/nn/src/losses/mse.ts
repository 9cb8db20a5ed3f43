import * as t from '@tapeflow/autodiff'
import { checkTensor, checkWeights } from '../targets.ts'
import { checkReduction, type Loss, type Reduction, reduceRows } from './reduction.ts'

/** What becomes of the samples' losses. */
export interface MseOptions {
  /** `'mean'` by default. */
  readonly reduction?: Reduction
}

/**
 * The mean squared error. A sample's loss is the mean over its m elements, l = (1/m) sum of (prediction - target)²; by
 * default their mean over samples comes out, which is the mean over all elements.
 *
 * Sensitive to outliers: one error ten times as large counts a hundredfold. The gradient of the mean is
 * 2 (prediction - target) / (rows m).
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, NaN when all weights are 0), `'sum'` over samples of
 * w l (PyTorch's sum adds up all elements: it is m times that), or `'none'`
 * @returns (prediction `[rows, …]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when the shapes differ, also where they would broadcast; TypeError for a bad option
 * @example
 * const loss = mse()
 * loss(t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])).item() // => 5
 * mse({ reduction: 'none' })(t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])).toArray() // => [2, 8]
 */
export function mse(options: MseOptions = {}): Loss {
  const { reduction = 'mean' } = options
  checkReduction('mse', reduction)
  return (prediction, target, weights) => {
    checkTensor('mse', 'prediction', prediction)
    checkTensor('mse', 'target', target)
    if (!t.sameShape(prediction.shape, target.shape)) {
      t.failRange(
        'mse',
        `prediction and target must have one shape, got ${t.showShape(prediction.shape)} and ${t.showShape(target.shape)}`,
        'reshape one of them',
      )
    }
    if (prediction.rank === 0)
      t.failRange('mse', 'the prediction must be [rows, …], got []', 'reshape it to [1]')
    checkWeights('mse', weights, prediction.shape)
    return t.scope(() => {
      const squares = t.square(t.sub(prediction, target))
      // The mean of rows' means in one pass: rows are equally long.
      if (reduction === 'mean' && weights === undefined) return t.mean(squares)
      const axis = prediction.shape.map((_, i) => i).slice(1)
      return reduceRows(axis.length === 0 ? squares : t.mean(squares, { axis }), reduction, weights)
    })
  }
}
