import { apply, tensorOperand } from '../apply.ts'
import type { OperationInfo } from '../operation.ts'
import { type ReduceOptions, reduced } from '../reduction.ts'
import type { Tensor } from '../tensor.ts'
import { equal } from './equal.ts'
import { logicalNot } from './logical-not.ts'
import { sumOperation } from './sum.ts'

/**
 * 1 where all elements over axes are true, as of no elements, else 0. 0 and -0 are false, everything else is true, NaN too. It has no gradient.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.all(t.tensor([[0, 2], [1, 3]]), { axis: 1 }).toArray() // => [0, 1]
 */
export function all(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('all', x)
  const attributes = reduced('all', from, options)
  return equal(apply(sumOperation, [logicalNot(from)], attributes), 0)
}

/** A few operations, and no one of its own. */
export const info: readonly OperationInfo[] = []
