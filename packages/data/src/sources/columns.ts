import { failRange } from '@tapeflow/autodiff'
import type { Indexed } from '../flow.ts'
import { type Batch, type Row, type Stacked, sizeOf } from '../row.ts'

interface Column {
  readonly name: string
  readonly shape: readonly number[]
  readonly width: number
  readonly values: Float32Array
}

/**
 * The rows of arrays that share their leading size: the natural store of samples, since a batch is gathered from it without
 * an object a row. The arrays are read in place, not copied; rows and batches are copies.
 *
 * @param columns arrays `[rows, …]` by name
 * @throws RangeError when an array has no leading axis, its values do not fill its shape, or the leading sizes differ
 */
export function columnsSource<C extends Row>(columns: C): Indexed<Stacked<C>> {
  const names = Object.keys(columns)
  for (const name of names) requireFilled(name, columns[name]!)
  const length = columns[names[0]!]!.shape[0]!
  if (names.some((name) => columns[name]!.shape[0] !== length)) {
    const sizes = names.map((name) => `${name} ${columns[name]!.shape[0]}`).join(', ')
    failRange('dataset', `the arrays differ in their number of rows, got ${sizes}`)
  }
  const all = names.map((name): Column => {
    const { shape, values } = columns[name]!
    return { name, shape: shape.slice(1), width: sizeOf(shape.slice(1)), values }
  })
  const record = (field: (column: Column) => Batch): Stacked<C> =>
    Object.fromEntries(all.map((column) => [column.name, field(column)])) as Stacked<C>
  return {
    length,
    at: (index) =>
      record(({ shape, width, values }) => ({
        shape,
        values: values.slice(index * width, (index + 1) * width),
      })),
    gather: (indices) =>
      record((column) => ({ shape: [indices.length, ...column.shape], values: gatherRows(column, indices) })),
  }
}

function gatherRows({ width, values }: Column, indices: Uint32Array): Float32Array {
  const count = indices.length
  if (isRun(indices)) return values.slice(indices[0]! * width, (indices[0]! + count) * width)
  const out = new Float32Array(count * width)
  // A view and a copy cost about as much as 32 assignments.
  if (width >= 32) {
    for (let r = 0; r < count; r++) {
      const start = indices[r]! * width
      out.set(values.subarray(start, start + width), r * width)
    }
    return out
  }
  for (let r = 0; r < count; r++) {
    const start = indices[r]! * width
    for (let i = 0; i < width; i++) out[r * width + i] = values[start + i]!
  }
  return out
}

function isRun(indices: Uint32Array): boolean {
  for (let r = 0; r < indices.length; r++) if (indices[r] !== indices[0]! + r) return false
  return indices.length > 0
}

function requireFilled(name: string, { shape, values }: Batch): void {
  if (shape.length === 0) failRange('dataset', `${name} has no leading axis of rows, got shape []`)
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0) || sizeOf(shape) !== values.length) {
    failRange('dataset', `${name} has shape [${shape}] but ${values.length} values`)
  }
}
