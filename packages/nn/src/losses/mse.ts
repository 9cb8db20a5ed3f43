import * as t from '@tapeflow/autodiff'
import { type ElementLossOptions, elementLoss } from './element-loss.ts'
import { withFiniteSquare } from './guarded.ts'
import type { Loss } from './reduction.ts'

/**
 * The mean squared error. A sample's loss is the mean over its m elements, l = (1/m) sum of (prediction - target)²; by
 * default their mean over samples comes out, which is the mean over all elements.
 *
 * Sensitive to outliers: one error ten times as large counts a hundredfold; `huber` and `mae` are the robust ones. The
 * gradient of the mean is 2 (prediction - target) / (rows m).
 *
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` over samples of
 * w l (PyTorch's sum adds up all elements: it is m times that), or `'none'`
 * @returns (prediction `[rows, …]`, target of the same shape, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when the shapes differ, also where they would broadcast; TypeError for a bad option
 * @example
 * const loss = mse()
 * loss(t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])).item() // => 5
 * mse({ reduction: 'none' })(t.tensor([[1, 2], [3, 4]]), t.tensor([[1, 4], [3, 0]])).toArray() // => [2, 8]
 */
export function mse(options: ElementLossOptions = {}): Loss {
  t.knownOptions('mse', options, 'reduction')
  const each = (prediction: t.Tensor, target: t.Tensor): t.Tensor => t.square(t.sub(prediction, target))
  return elementLoss('mse', options, each, { finite: withFiniteSquare })
}
