import { tensorOperand } from '../apply.ts'
import { failRange, failType, kindOf } from '../fail.ts'
import { checkOptions } from '../options.ts'
import { checkAxis, sameShape, showShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { concat } from './concat.ts'
import { expandDims } from './expand-dims.ts'

/**
 * Tensors of one shape joined along a new axis.
 *
 * @param tensors at least one, all of one shape
 * @param options.axis where the new axis stands in the result, 0 by default; negative ones count from the end of the result
 * @returns the shape of the tensors with one more axis, as long as there are tensors
 * @throws RangeError when shapes differ, the axis is out of range, or there is no tensor
 * @example
 * t.stack([t.tensor([1, 2]), t.tensor([3, 4])]).toArray() // => [[1, 2], [3, 4]]
 * t.stack([t.tensor([1, 2]), t.tensor([3, 4])], { axis: 1 }).toArray() // => [[1, 3], [2, 4]]
 */
export function stack(tensors: readonly Tensor[], options: { readonly axis?: number } = {}): Tensor {
  if (!Array.isArray(tensors)) failType('stack', `an array of tensors is needed, got ${kindOf(tensors)}`)
  if (tensors.length === 0) failRange('stack', 'at least one tensor is needed, got none')
  checkOptions('stack', options, ['axis'])
  // Array.from, not map, which leaves holes out.
  const given = Array.from(tensors, (x) => tensorOperand('stack', x))
  const { shape, rank } = given[0]!
  for (const x of given) {
    if (!sameShape(x.shape, shape))
      failRange('stack', `shapes must be the same, got ${showShape(shape)} and ${showShape(x.shape)}`)
  }
  const axis = checkAxis('stack', options.axis === undefined ? 0 : options.axis, rank + 1)
  const rows = given.map((x) => expandDims(x, axis))
  try {
    return concat(rows, { axis })
  } finally {
    for (const row of rows) row.dispose()
  }
}
