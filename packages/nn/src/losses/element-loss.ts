import * as t from '@tapeflow/autodiff'
import { checkTensor, checkWeights } from '../targets.ts'
import { guarded } from './guarded.ts'
import { checkReduction, type Loss, type Reduction, reduceRows } from './reduction.ts'

/** What becomes of the samples' losses. */
export interface ElementLossOptions {
  /** `'mean'` by default. */
  readonly reduction?: Reduction
}

/** What is special about a loss of elements. */
export interface ElementDetails {
  /** Moves predictions to where the slope is finite: those of weight 0. */
  readonly finite?: (prediction: t.Tensor) => t.Tensor
  /** How much each element counts, from targets: of classes with weights of their own. */
  readonly counts?: ((target: t.Tensor) => t.Tensor) | undefined
  /** Whether targets may be `[rows]` where predictions are `[rows, 1]`. */
  readonly column?: boolean
}

/**
 * A loss that compares element by element. A sample's loss is the mean over its elements, weighted where elements count
 * differently.
 *
 * @param each (prediction, target), both of one shape -> the losses of elements
 */
export function elementLoss(
  operation: string,
  { reduction = 'mean' }: ElementLossOptions,
  each: (prediction: t.Tensor, target: t.Tensor) => t.Tensor,
  { finite, counts, column = false }: ElementDetails = {},
): Loss {
  checkReduction(operation, reduction)
  return (prediction, given, weights) => {
    checkTensor(operation, 'prediction', prediction)
    checkTensor(operation, 'target', given)
    const isColumn = column && given.rank === 1 && t.sameShape(prediction.shape, [given.size, 1])
    if (!isColumn) checkShapes(operation, prediction.shape, given.shape)
    checkWeights(operation, weights, prediction.shape)
    return t.scope(() => {
      const target = isColumn ? t.reshape(given, prediction.shape) : given
      const own = counts?.(target)
      const all = own === undefined || weights === undefined ? (own ?? weights) : byRows(own, weights)
      const x = finite === undefined || all === undefined ? prediction : guarded(prediction, all, finite)
      const losses = each(x, target)
      if (own !== undefined) return reduceElements(losses, reduction, all!)
      // The mean of rows' means in one pass: rows are equally long.
      if (reduction === 'mean' && weights === undefined) return t.mean(losses)
      return reduceRows(meanOfRows(losses), reduction, weights)
    })
  }
}

function checkShapes(operation: string, prediction: t.Shape, target: t.Shape): void {
  if (!t.sameShape(prediction, target)) {
    t.failRange(
      operation,
      `prediction and target must have one shape, got ${t.showShape(prediction)} and ${t.showShape(target)}`,
      'reshape one of them',
    )
  }
  if (prediction.length === 0)
    t.failRange(operation, 'the prediction must be [rows, …], got []', 'reshape it to [1]')
}

function byRows(counts: t.Tensor, weights: t.Tensor): t.Tensor {
  return t.mul(counts, t.reshape(weights, [weights.size, ...counts.shape.slice(1).map(() => 1)]))
}

function meanOfRows(losses: t.Tensor): t.Tensor {
  const axis = losses.shape.map((_, i) => i).slice(1)
  return axis.length === 0 ? losses : t.mean(losses, { axis })
}

function reduceElements(losses: t.Tensor, reduction: Reduction, counts: t.Tensor): t.Tensor {
  const reduced = reduceRows(losses, reduction, counts)
  if (reduction === 'mean') return reduced
  return reduction === 'none' ? meanOfRows(reduced) : t.div(reduced, t.sizeOf(losses.shape.slice(1)))
}
