import * as t from '@tapeflow/autodiff'
import { checkFactor, type Penalty, penaltyOf } from './penalty.ts'

/**
 * A penalty on weights whose columns are not at right angles and of length 1: factor · |WᵀW - I|², the sum of squares of all
 * elements. Where there are more columns than rows they cannot be, and the rows are taken: |WWᵀ - I|².
 *
 * All axes but the last are one: a convolution's kernels are its columns. Keras' regularizer of this name sums magnitudes of
 * cosines, and leaves lengths alone.
 *
 * @param factor 0 or more
 * @throws RangeError for another factor, and where weights have fewer than two axes
 * @example
 * orthogonalPenalty(1)(t.tensor([[0, 1], [-1, 0]])).item() // => 0
 * orthogonalPenalty(0.5)(t.tensor([[2], [0]])).item() // => 4.5
 *
 * Brock et al.: Neural photo editing with introspective adversarial networks (ICLR 2017)
 */
export function orthogonalPenalty(factor: number): Penalty {
  const name = 'orthogonalPenalty'
  checkFactor(name, factor)
  return penaltyOf(name, (weights) => {
    if (weights.rank < 2) {
      t.failRange(
        name,
        `weights must have two axes or more, got ${t.showShape(weights.shape)}`,
        "leave it out by the term's `at`",
      )
    }
    const columns = weights.shape[weights.rank - 1]!
    const rows = t.sizeOf(weights.shape.slice(0, -1))
    const w = t.reshape(weights, [rows, columns])
    const across = t.transpose(w)
    const products = columns <= rows ? t.matmul(across, w) : t.matmul(w, across)
    return t.mul(t.sum(t.square(t.sub(products, t.eye(Math.min(rows, columns))))), factor)
  })
}
