import { reshape } from './ops/reshape.ts'
import { transpose } from './ops/transpose.ts'
import { reducedCount } from './reduction.ts'
import type { Tensor } from './tensor.ts'

/** A tensor with the axes of a reduction joined: `[rows, count]`, and the way back for what has that shape. */
export interface JoinedRows {
  readonly rows: Tensor
  readonly count: number
  back(rows: Tensor): Tensor
}

/** Moves reduced axes to the end and makes one of them, so that what is reduced to one element is one row. Not for empty tensors. */
export function joinRows(x: Tensor, axes: readonly number[]): JoinedRows {
  const order = [...x.shape.keys()].filter((axis) => !axes.includes(axis)).concat(axes)
  const moved = transpose(x, order)
  const count = reducedCount(x.shape, axes)
  const { shape } = moved
  return {
    rows: reshape(moved, [x.size / count, count]),
    count,
    back: (rows) =>
      transpose(
        reshape(rows, shape),
        order.map((_, axis) => order.indexOf(axis)),
      ),
  }
}
