import * as t from '@tapeflow/autodiff'
import { checkTensor, checkWeights } from '../targets.ts'
import { checkReduction, type Reduction, reduceRows } from './reduction.ts'

/** How far apart is far enough, how that is measured, and what becomes of the samples' losses. */
export interface TripletOptions {
  /** 1 by default. */
  readonly margin?: number
  /** The length of the difference, which is the default, or its square. */
  readonly distance?: 'euclidean' | 'squaredEuclidean'
  /** `'mean'` by default. */
  readonly reduction?: Reduction
}

/** Embeddings that go together row by row, each `[rows, size]`. */
export type Triplet = {
  readonly anchor: t.Tensor
  /** Of the same kind as the anchor. */
  readonly positive: t.Tensor
  /** Of another kind. */
  readonly negative: t.Tensor
}

/** A loss of three embeddings, and weights `[rows]`: a scalar, or `[rows]` without a reduction. */
export type TripletLoss = (embeddings: Triplet, weights?: t.Tensor) => t.Tensor

/**
 * A loss for embeddings: what is of one kind shall be nearer than what is of another, by a margin.
 * l = max(0, d(anchor, positive) - d(anchor, negative) + margin).
 *
 * The distance is the Euclidean one, as in PyTorch, with a gradient of 0 where two embeddings are the same; the paper takes its
 * square, of embeddings of length 1, and a margin of 0.2. It is no `Loss` of prediction and target: for `fit`, whose model gives
 * embeddings `[rows, 3, size]`, wrap it as in the example.
 *
 * @param options.margin 0 or more; 1 by default
 * @param options.distance `'euclidean'` (default) or `'squaredEuclidean'`
 * @param options.reduction `'mean'` (default: sum of w l / sum of w, 0 when all weights are 0), `'sum'` of w l, or `'none'`
 * @returns ({ anchor, positive, negative }, each `[rows, size]`, weights? `[rows]`) -> a scalar, `[rows]` for `'none'`
 * @throws RangeError when shapes do not fit or the margin is out of range; TypeError for a bad option
 * @example
 * const loss = triplet({ margin: 1 })
 * loss({ anchor: t.tensor([[0, 0]]), positive: t.tensor([[3, 4]]), negative: t.tensor([[0, 2]]) }).item() // => 4
 * const ofModel = (y, _, weights) => {
 *   const [anchor, positive, negative] = [0, 1, 2].map((i) => t.gather(y, t.tensor(i), { axis: 1 }))
 *   return loss({ anchor, positive, negative }, weights)
 * }
 * ofModel(t.tensor([[[0, 0], [3, 4], [0, 2]]])).item() // => 4
 *
 * Schroff, Kalenichenko & Philbin: FaceNet: a unified embedding for face recognition and clustering (CVPR 2015)
 */
export function triplet(options: TripletOptions = {}): TripletLoss {
  const {
    margin = 1,
    distance = 'euclidean',
    reduction = 'mean',
  } = t.knownOptions('triplet', options, 'margin distance reduction')
  if (!(margin >= 0 && margin < Number.POSITIVE_INFINITY))
    t.failRange('triplet', `margin must be finite and not negative, got ${String(margin)}`)
  if (distance !== 'euclidean' && distance !== 'squaredEuclidean') {
    t.failType('triplet', `distance must be 'euclidean' or 'squaredEuclidean', got '${String(distance)}'`)
  }
  checkReduction('triplet', reduction)
  const between = (a: t.Tensor, b: t.Tensor): t.Tensor =>
    distance === 'euclidean' ? t.norm(t.sub(a, b), { axis: -1 }) : t.sum(t.square(t.sub(a, b)), { axis: -1 })
  return ({ anchor, positive, negative }, weights) => {
    checkTensor('triplet', 'anchor', anchor)
    for (const [name, other] of Object.entries({ positive, negative })) {
      checkTensor('triplet', name, other)
      if (t.sameShape(other.shape, anchor.shape)) continue
      t.failRange(
        'triplet',
        `the ${name} must have the anchor's shape ${t.showShape(anchor.shape)}, got ${t.showShape(other.shape)}`,
      )
    }
    if (anchor.rank !== 2)
      t.failRange(
        'triplet',
        `embeddings must be [rows, size], got ${t.showShape(anchor.shape)}`,
        'reshape them',
      )
    checkWeights('triplet', weights, anchor.shape)
    return t.scope(() => {
      const gap = t.sub(between(anchor, positive), between(anchor, negative))
      return reduceRows(t.relu(t.add(gap, margin)), reduction, weights)
    })
  }
}
