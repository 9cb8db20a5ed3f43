import { failRange } from './fail.ts'
import type { Values } from './operation.ts'
import type { Shape } from './shape.ts'

/** Attributes of operations that have none. */
export type None = Record<never, never>

/** The shape, checked to have a last axis to work along. */
export function checkLastAxis(operation: string, shape: Shape): Shape {
  if (shape.length === 0) failRange(operation, 'a scalar has no last axis', 'reshape it to [1]')
  return shape
}

/** Visits the rows along the last axis, with the place of their first element. */
export function forEachRow(x: Values, visit: (row: number[], start: number) => void): void {
  const width = x.shape[x.shape.length - 1]!
  const rows = x.shape.slice(0, -1).reduce((count, size) => count * size, 1)
  for (let row = 0; row < rows; row++) {
    visit(
      Array.from({ length: width }, (_, i) => x.values[row * width + i]!),
      row * width,
    )
  }
}

/** ln sum exp of a row, in float64; -Infinity for an empty one. */
export function logSumExpOf(row: readonly number[]): number {
  const most = Math.max(...row)
  if (most === Number.NEGATIVE_INFINITY || most === Number.POSITIVE_INFINITY) return most
  return most + Math.log(row.reduce((total, value) => total + Math.exp(value - most), 0))
}
