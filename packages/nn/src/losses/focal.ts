import * as t from '@tapeflow/autodiff'
import { binaryOfProbabilities } from './binary-cross-entropy.ts'
import { binaryLoss } from './binary-loss.ts'
import { rowsLoss } from './class-loss.ts'
import { finiteLog, given } from './cross-entropy-of-rows.ts'
import { checkFrom, checkLogits, type From } from './from.ts'
import { guarded, inside, smallestNormal } from './guarded.ts'
import { finiteLogSoftmax } from './kl-divergence.ts'
import type { Loss, Reduction } from './reduction.ts'

/** How much easy samples count less, what predictions are, how samples count, and what becomes of their losses. */
export type FocalOptions = {
  /** 2 by default. */
  readonly gamma?: number
  /** Whether predictions are any numbers (the default, and the accurate way) or probabilities. */
  readonly from?: From
  /** `'mean'` by default. */
  readonly reduction?: Reduction
} & (
  | {
      /** Each output is a question of its own: yes or no. The default. */
      readonly classes?: 'independent'
      /** How much negative and positive targets count; alike by default. */
      readonly classWeights?: readonly [negative: number, positive: number]
    }
  | {
      /** Outputs are classes, of which a sample has one. */
      readonly classes: 'exclusive'
      /** How much samples of each class count; all alike by default. */
      readonly classWeights?: readonly number[]
    }
)

/**
 * The cross-entropy with easy samples played down, for classes of which one is rare: l = -(1 - p)^gamma ln p, where p is the
 * probability that the prediction gives to the target. With gamma 0 it is the cross-entropy.
 *
 * Of independent outputs p is sigmoid(f) for a target of 1 and 1 - sigmoid(f) for one of 0, as in the paper; of exclusive classes
 * it is softmax(f) at the true one, and l = -sum over k of target_k (1 - p_k)^gamma ln p_k. The paper's alpha is
 * `classWeights: [1 - alpha, alpha]`, by which the mean is taken.
 *
 * @param options.gamma 0 or more; 2 by default
 * @param options.from `'logits'` (default) or `'probabilities'`
 * @param options.classes `'independent'` (default) or `'exclusive'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @param options.classWeights `[negative, positive]`, or one number for each exclusive class: what weights w are multiplied by
 * @returns of independent outputs what `binaryCrossEntropy` takes and gives, of exclusive classes what `crossEntropy` does
 * @throws RangeError when shapes do not fit or an option is out of range; TypeError for a bad option, and for a prediction from
 * logits that is recorded and comes from a sigmoid or softmax
 * @example
 * const loss = focal({ from: 'probabilities', reduction: 'none' })
 * loss(t.tensor([0.5, 1]), t.tensor([1, 1])).toArray() // => [Math.fround(Math.LN2 / 4), 0]
 *
 * Lin et al.: Focal loss for dense object detection (ICCV 2017)
 */
export function focal(options: FocalOptions = {}): Loss {
  const {
    gamma = 2,
    from = 'logits',
    classes = 'independent',
  } = t.knownOptions('focal', options, 'gamma from reduction classes classWeights')
  if (!(gamma >= 0 && gamma < Number.POSITIVE_INFINITY))
    t.failRange('focal', `gamma must be finite and not negative, got ${String(gamma)}`)
  checkFrom('focal', from)
  if (options.classes === 'exclusive') return exclusive(options, gamma, from)
  if (options.classes !== undefined && options.classes !== 'independent')
    t.failType('focal', `classes must be 'independent' or 'exclusive', got '${String(classes)}'`)
  return independent(options, gamma, from)
}

type Of<C> = Extract<FocalOptions, { readonly classes?: C }>

function independent({ reduction, classWeights }: Of<'independent'>, gamma: number, from: From): Loss {
  const counted = { reduction, classWeights }
  if (from === 'probabilities') {
    const ofProbabilities = (p: t.Tensor, z: t.Tensor): t.Tensor => {
      // z (1 - p) + (1 - z) p. Of targets of 1/2 it does not depend on p: an infinite loss times a slope of 0 would be NaN.
      const slope = t.sub(1, t.mul(z, 2))
      const missing = t.add(z, t.where(slope, t.mul(p, slope), 0))
      return t.mul(binaryOfProbabilities(p, z), factor(missing, gamma))
    }
    return binaryLoss('focal', counted, ofProbabilities, (z) => z, inside)
  }
  const ofLogits = (x: t.Tensor, z: t.Tensor): t.Tensor => {
    checkLogits('focal', x, ['sigmoid', 'softmax'])
    const missing = t.add(t.mul(z, t.sigmoid(t.neg(x))), t.mul(t.sub(1, z), t.sigmoid(x)))
    return t.mul(t.sigmoidCrossEntropy(x, z), factor(missing, gamma))
  }
  return binaryLoss('focal', counted, ofLogits, (z) => z, finiteLogits)
}

function exclusive({ reduction = 'mean', classWeights }: Of<'exclusive'>, gamma: number, from: From): Loss {
  return rowsLoss('focal', { reduction, classWeights }, (prediction, target, weights) => {
    const known = given('focal', prediction, weights, from)
    const x = from === 'logits' && weights !== undefined ? guarded(known, weights, finiteLogits) : known
    const logarithms = from === 'logits' ? finiteLogSoftmax(x, target) : finiteLog(x, target)
    const missing = from === 'logits' ? t.neg(t.expm1(logarithms)) : t.sub(1, x)
    return t.sub(0, t.sum(t.mul(target, t.mul(factor(missing, gamma), logarithms)), { axis: -1 }))
  })
}

// An infinite loss times the slope of the factor, which is 0 there, would be NaN.
function finiteLogits(x: t.Tensor): t.Tensor {
  return t.clip(x, -1e30, 1e30)
}

// What is missing from a probability of 1, to a power. Of 0 a root has an infinite slope, and times a loss of 0 that is NaN.
function factor(missing: t.Tensor, gamma: number): t.Tensor {
  return t.pow(t.maximum(missing, smallestNormal), gamma)
}
