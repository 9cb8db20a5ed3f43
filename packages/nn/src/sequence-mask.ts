import * as t from '@tapeflow/autodiff'
import { checkTensor } from './targets.ts'

/**
 * The mask of padded sequences: 1 for the first `lengths[i]` steps of row i, then 0. What recurrent layers and attention take.
 *
 * @param lengths `[rows]`, how many true steps each row has
 * @param steps how long rows are with their padding
 * @returns `[rows, steps]`
 * @throws RangeError when lengths are not of rank 1, or a length is no integer from 0 to `steps`: names it and its row
 * @example
 * sequenceMask(t.tensor([1, 3, 0]), 3).toArray() // => [[1, 0, 0], [1, 1, 1], [0, 0, 0]]
 */
export function sequenceMask(lengths: t.Tensor, steps: number): t.Tensor {
  checkTensor('sequenceMask', 'lengths', lengths)
  if (lengths.rank !== 1) {
    t.failRange(
      'sequenceMask',
      `the lengths must be [rows], got ${t.showShape(lengths.shape)}`,
      'pass one length for each row',
    )
  }
  if (!Number.isInteger(steps) || steps < 0)
    t.failRange('sequenceMask', `steps must be an integer from 0 on, got ${steps}`)
  t.checkIndices('sequenceMask', lengths, steps + 1, { index: 'length', place: 'row' })
  return t.scope(() => t.less(t.arange(steps), t.expandDims(lengths, -1)))
}
