/** An array of numbers without a heap behind it: `values` in row-major order, as many as the product of `shape`. */
export interface Batch {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** A sample: arrays by name, such as `{ x: { shape: [784], values }, y: { shape: [], values } }`. */
export type Row = { readonly [name: string]: Batch }

/** What `batch` makes of rows `T`: the same names, each array with the rows as its leading axis. */
export type Stacked<T> = { readonly [name in keyof T]: Batch }

/** How many values an array of this shape holds. */
export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1)

/** Whether `value` looks like an array of numbers: a shape beside a Float32Array. */
export function isBatch(value: unknown): value is Batch {
  return (
    typeof value === 'object' &&
    value !== null &&
    'shape' in value &&
    Array.isArray(value.shape) &&
    'values' in value &&
    value.values instanceof Float32Array
  )
}

/** Whether `value` is a record of such arrays, with at least one. */
export function isRow(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const fields = Object.values(value)
  return fields.length > 0 && fields.every(isBatch)
}
