import { failRange } from './fail.ts'
import { heapFloats } from './memory.ts'
import { failDisposed, type Tensor } from './tensor.ts'

/**
 * Checks that every element is an index below `limit`.
 *
 * @throws RangeError that names the first one which is not, and its place
 */
export function checkIndices(operation: string, indices: Tensor, limit: number): void {
  if (indices.offset === -1) failDisposed(operation, indices)
  // Only a shape: there are no indices to check yet.
  if (indices.offset < 0) return
  const floats = heapFloats()
  const first = indices.offset / 4
  for (let i = 0; i < indices.size; i++) {
    const index = floats[first + i]!
    if (index >= 0 && index < limit && Math.trunc(index) === index) continue
    failRange(
      operation,
      `index ${index} at place ${i} is not an integer from 0 to ${limit - 1}`,
      'count classes from 0',
    )
  }
}
