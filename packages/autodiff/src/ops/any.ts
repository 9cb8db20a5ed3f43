import { apply, tensorOperand } from '../apply.ts'
import type { OperationInfo } from '../operation.ts'
import { type ReduceOptions, reduced } from '../reduction.ts'
import type { Tensor } from '../tensor.ts'
import { greater } from './greater.ts'
import { notEqual } from './not-equal.ts'
import { sumOperation } from './sum.ts'

/**
 * 1 where one of the elements over axes is true, else 0, as of no elements. 0 and -0 are false, everything else is true, NaN too. It has no gradient.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.any(t.tensor([[0, 2], [0, 0]]), { axis: 1 }).toArray() // => [1, 0]
 */
export function any(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('any', x)
  const attributes = reduced('any', from, options)
  return greater(apply(sumOperation, [notEqual(from, 0)], attributes), 0)
}

/** A few operations, and no one of its own. */
export const info: readonly OperationInfo[] = []
