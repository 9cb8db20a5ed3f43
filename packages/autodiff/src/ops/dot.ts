import { tensorOperand } from '../apply.ts'
import { failRange } from '../fail.ts'
import type { OperationInfo } from '../operation.ts'
import { showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { inScope } from '../tree.ts'
import { matmul } from './matmul.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'

/**
 * The inner product of two vectors: sum over i of a_i b_i.
 *
 * @param a `[n]`
 * @param b `[n]`
 * @returns a scalar
 * @throws RangeError when an operand is no vector or they differ in length
 * @example
 * t.dot(t.tensor([1, 2]), t.tensor([3, 4])).item() // => 11
 */
export function dot(a: Tensor, b: Tensor): Tensor {
  checkVectors('dot', a, b)
  if (a.size !== b.size) {
    failRange('dot', `lengths differ, got ${showShape(a.shape)} and ${showShape(b.shape)}`)
  }
  return matmul(a, b)
}

/**
 * The outer product of two vectors: y[i, j] = a_i b_j.
 *
 * @param a `[m]`
 * @param b `[n]`
 * @returns `[m, n]`
 * @throws RangeError when an operand is no vector
 * @example
 * t.outer(t.tensor([1, 2]), t.tensor([3, 4])).toArray() // => [[3, 4], [6, 8]]
 */
export function outer(a: Tensor, b: Tensor): Tensor {
  checkVectors('outer', a, b)
  return inScope(() => mul(reshape(a, [a.size, 1]), b))
}

function checkVectors(operation: string, a: Tensor, b: Tensor): void {
  if (tensorOperand(operation, a).rank === 1 && tensorOperand(operation, b).rank === 1) return
  failRange(
    operation,
    `two vectors are needed, got ${showShape(a.shape)} and ${showShape(tensorOperand(operation, b).shape)}`,
    operation === 'dot' ? 'use matmul for matrices' : 'use reshape(x, [-1])',
  )
}

/** Nothing of its own: compositions. */
export const info: readonly OperationInfo[] = []
