import * as t from '@tapeflow/autodiff'

/** What becomes of the losses of single samples: their mean, their sum, or nothing. */
export type Reduction = 'mean' | 'sum' | 'none'

/**
 * How far a prediction is from its target.
 *
 * @param weights `[rows]`, how much each sample counts; all alike where they are left out. A row of weight 0 has no
 * influence, even where its loss is infinite. Where places of a row are classified, one for each place will do: a mask
 * @returns a scalar, or without a reduction `[rows]`, or what there is of places
 */
export type Loss = (prediction: t.Tensor, target: t.Tensor, weights?: t.Tensor) => t.Tensor

/** The largest finite float32. */
export const largest: number = 3.4028234663852886e38

/** Checks the name of a reduction. */
export function checkReduction(operation: string, reduction: Reduction): void {
  if (['mean', 'sum', 'none'].includes(reduction)) return
  t.failType(operation, `the reduction must be 'mean', 'sum' or 'none', got '${String(reduction)}'`)
}

/**
 * The losses of samples, weighted and reduced: mean = sum of w l / sum of w, or sum of w l, or each w l. Where all weights are 0
 * the mean is 0, and so are its gradients: nothing counts.
 *
 * @param losses `[rows]`
 * @param weights `[rows]`, ones where they are left out
 */
export function reduceRows(losses: t.Tensor, reduction: Reduction, weights: t.Tensor | undefined): t.Tensor {
  // A sum over no rows is 0 whatever each is divided by.
  if (reduction === 'mean' && losses.size === 0) return t.tensor(Number.NaN)
  if (weights === undefined) {
    if (reduction === 'none') return losses
    // Divided first: a sum of losses may exceed float32 where their mean does not.
    return t.sum(reduction === 'sum' ? losses : t.div(losses, losses.size))
  }
  // 0 * Infinity is NaN; a finite loss in its place gives 0, and the right gradient for the weight where it is finite.
  const finite = t.where(weights, losses, t.neg(t.maximum(t.neg(losses), -largest)))
  const share = reduction === 'mean' ? t.div(weights, divisorOf(weights)) : weights
  const weighted = t.mul(share, finite)
  return reduction === 'none' ? weighted : t.sum(weighted)
}

/** The sum of weights, or 1 where all are 0: 0 / 0 would be NaN in gradients even where the quotient is not chosen. */
function divisorOf(weights: t.Tensor): t.Tensor {
  const counted = t.sum(t.where(weights, 1, 0))
  return t.where(counted, t.sum(weights), 1)
}
