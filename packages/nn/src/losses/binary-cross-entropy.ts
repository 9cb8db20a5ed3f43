import * as t from '@tapeflow/autodiff'
import { type BinaryLossOptions, binaryLoss } from './binary-loss.ts'
import { checkFrom, checkLogits, type From } from './from.ts'
import { aboveZero, belowOne, inside } from './guarded.ts'
import { checkLabelSmoothing } from './label-smoothing.ts'
import type { Loss } from './reduction.ts'

/** What predictions are, how samples count, and what becomes of their losses. */
export interface BinaryCrossEntropyOptions extends BinaryLossOptions {
  /** Whether predictions are any numbers (the default, and the accurate way) or probabilities. */
  readonly from?: From
  /** How far targets are moved towards 1/2; 0 by default. */
  readonly labelSmoothing?: number
}

/**
 * A loss for yes or no, or for several such questions at once: l = -z ln p - (1 - z) ln(1 - p) for a target z from 0 to 1, with
 * p = sigmoid(prediction) from logits. A sample's loss is the mean over its outputs.
 *
 * From logits it neither overflows nor rounds to 0, at any size of them; the gradient is p - z. From probabilities that are 0 or
 * 1 and wrong the loss is infinite, as it should be.
 *
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.labelSmoothing s: the target is (1 - s) z + s / 2; 0 by default
 * @param options.classWeights `[negative, positive]`: an output's weight w is multiplied by (1 - z) negative + z positive
 * @returns (prediction `[rows]` or `[rows, …]`, target of the same shape, or `[rows]` for predictions `[rows, 1]`, weights?
 * `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when shapes do not fit or an option is out of range; TypeError for a bad option, and for a prediction from
 * logits that is recorded and comes from a sigmoid or softmax
 * @example
 * const loss = binaryCrossEntropy({ reduction: 'none' })
 * loss(t.tensor([[0], [1e4], [-1e4]]), t.tensor([1, 1, 1])).toArray() // => [Math.fround(Math.LN2), 0, 10000]
 * binaryCrossEntropy({ from: 'probabilities' })(t.tensor([0.25]), t.tensor([1])).item() // => Math.fround(Math.log(4))
 */
export function binaryCrossEntropy(options: BinaryCrossEntropyOptions = {}): Loss {
  const name = 'binaryCrossEntropy'
  const {
    from = 'logits',
    reduction,
    classWeights,
    labelSmoothing = 0,
  } = t.knownOptions(name, options, 'from labelSmoothing reduction classWeights')
  checkFrom(name, from)
  checkLabelSmoothing(name, labelSmoothing)
  const smooth = (z: t.Tensor): t.Tensor =>
    labelSmoothing === 0 ? z : t.add(t.mul(z, 1 - labelSmoothing), labelSmoothing / 2)
  const counted = { reduction, classWeights }
  if (from === 'probabilities') {
    const ofProbabilities = (p: t.Tensor, z: t.Tensor): t.Tensor => binaryOfProbabilities(p, smooth(z))
    return binaryLoss(name, counted, ofProbabilities, (z) => z, inside)
  }
  const ofLogits = (x: t.Tensor, z: t.Tensor): t.Tensor => {
    checkLogits(name, x, ['sigmoid', 'softmax'])
    return t.sigmoidCrossEntropy(x, smooth(z))
  }
  return binaryLoss(name, counted, ofLogits, (z) => z)
}

/** Where a logarithm is multiplied by 0, a finite one stands in for -Infinity. 0 - x: a loss of nothing is not -0. */
export function binaryOfProbabilities(p: t.Tensor, z: t.Tensor): t.Tensor {
  const other = t.sub(1, z)
  const yes = t.log(t.where(z, p, aboveZero(p)))
  const no = t.log1p(t.neg(t.where(other, p, belowOne(p))))
  return t.sub(0, t.add(t.mul(z, yes), t.mul(other, no)))
}
