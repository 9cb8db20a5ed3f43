import * as t from '@tapeflow/autodiff'
import { checkClassCount, checkClassWeights } from './class-weights.ts'
import { elementLoss } from './element-loss.ts'
import type { Loss, Reduction } from './reduction.ts'

/** How samples of two classes count, and what becomes of their losses. */
export interface BinaryLossOptions {
  /** `'mean'` by default. */
  readonly reduction?: Reduction
  /** How much negative and positive targets count; alike by default. */
  readonly classWeights?: readonly [negative: number, positive: number]
}

/**
 * A loss of elements that each belong to one of two classes.
 *
 * @param share how much of a target is positive, from 0 to 1
 */
export function binaryLoss(
  operation: string,
  { reduction, classWeights }: { readonly [K in keyof BinaryLossOptions]: BinaryLossOptions[K] | undefined },
  each: (prediction: t.Tensor, target: t.Tensor) => t.Tensor,
  share: (target: t.Tensor) => t.Tensor,
  finite?: (prediction: t.Tensor) => t.Tensor,
): Loss {
  checkClassWeights(operation, classWeights)
  checkClassCount(operation, classWeights, 2)
  const counts =
    classWeights &&
    ((target: t.Tensor) => t.add(t.mul(share(target), classWeights[1] - classWeights[0]), classWeights[0]))
  return elementLoss(operation, reduction === undefined ? {} : { reduction }, each, {
    column: true,
    counts,
    ...(finite && { finite }),
  })
}

/** How much of a target of -1 or 1 is positive. */
export function positive(target: t.Tensor): t.Tensor {
  return t.greater(target, 0)
}
