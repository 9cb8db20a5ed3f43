import { tensorOperand } from '../apply.ts'
import { arange } from '../creation.ts'
import { failRange } from '../fail.ts'
import type { OperationInfo } from '../operation.ts'
import { checkOffset } from '../options.ts'
import type { Tensor } from '../tensor.ts'
import { inScope } from '../tree.ts'
import { greater } from './greater.ts'
import { reshape } from './reshape.ts'
import { where } from './where.ts'

/**
 * The upper triangle of a matrix, or of each matrix of a batch: zeros below the diagonal.
 *
 * @param x `[…, m, n]`
 * @param options.offset which diagonal is the lowest that stays: 0 (default) the main one, 1 the one above it
 * @returns the shape of `x`
 * @throws RangeError when there is no matrix, or the offset is no integer
 * @example
 * t.triu(t.tensor([[1, 2], [3, 4]])).toArray() // => [[1, 2], [0, 4]]
 * t.triu(t.tensor([[1, 2], [3, 4]]), { offset: 1 }).toArray() // => [[0, 2], [0, 0]]
 */
export function triu(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  const from = tensorOperand('triu', x)
  const offset = checkOffset('triu', options)
  return inScope(() => where(isAbove('triu', from, offset), from, 0))
}

/**
 * The lower triangle of a matrix, or of each matrix of a batch: zeros above the diagonal.
 *
 * @param x `[…, m, n]`
 * @param options.offset which diagonal is the highest that stays: 0 (default) the main one, -1 the one below it
 * @returns the shape of `x`
 * @throws RangeError when there is no matrix, or the offset is no integer
 * @example
 * t.tril(t.tensor([[1, 2], [3, 4]])).toArray() // => [[1, 0], [3, 4]]
 */
export function tril(x: Tensor, options: { readonly offset?: number } = {}): Tensor {
  const from = tensorOperand('tril', x)
  const offset = checkOffset('tril', options)
  return inScope(() => where(isAbove('tril', from, offset + 1), 0, from))
}

/** 1 for each place of a matrix on the diagonal `offset` or above, else 0. */
function isAbove(operation: string, { shape }: Tensor, offset: number): Tensor {
  if (shape.length < 2) {
    failRange(operation, `a matrix is needed, got rank ${shape.length}`, 'reshape vectors to [1,n]')
  }
  const [m, n] = [shape[shape.length - 2]!, shape[shape.length - 1]!]
  // Beyond the matrix all offsets are one; far beyond, numbers would not be exact.
  const first = Math.max(-m, Math.min(offset, n)) - 1
  return greater(arange(n), reshape(arange(first, first + m), [m, 1]))
}

/** Nothing of its own: a composition. */
export const info: readonly OperationInfo[] = []
