import { tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import type { OperationInfo } from '../operation.ts'
import { checkOffset } from '../options.ts'
import type { Tensor } from '../tensor.ts'
import { inScope } from '../tree.ts'
import { diag } from './diag.ts'
import { sum } from './sum.ts'

/**
 * The sum along the diagonal of a matrix, or of each matrix of a batch, as numpy.linalg.trace: the last two axes are the
 * matrix.
 *
 * @param x `[…, m, n]`
 * @param options.offset how far above the main diagonal, below it where negative; 0 by default
 * @returns `[…]`, a scalar for one matrix
 * @throws RangeError when there is no matrix, or the offset is no integer
 * @example
 * t.trace(t.tensor([[1, 2], [3, 4]])).item() // => 5
 */
export function trace(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  const from = tensorOperand('trace', x)
  const offset = checkOffset('trace', options)
  if (from.rank < 2) {
    failRange('trace', `a matrix is needed, got rank ${from.rank}`, 'use sum for a vector')
  }
  return inScope(() => sum(diag(from, { offset }), { axis: -1 }))
}

/** Nothing of its own: a composition. */
export const info: readonly OperationInfo[] = []
