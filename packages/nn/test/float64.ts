import { type Key, normalValues } from '@tapeflow/autodiff'
import { expect } from 'vitest'

/** The gradient of `f` at `x` by central differences, all in double precision. */
export function centralDifferences(f: (x: number[]) => number, x: readonly number[], step = 1e-5): number[] {
  return x
    .map((value, i) => f(x.with(i, value + step)) - f(x.with(i, value - step)))
    .map((rise) => rise / (2 * step))
}

/** Normal numbers that float32 holds exactly, so that both precisions start from the same. */
export function sample(key: Key, count: number): number[] {
  return [...normalValues(key, count)]
}

/** Rows of flat values. */
export function rowsOf(values: readonly number[], width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
}

/** Every value within `tolerance` of the expected one, relative to the largest of those or 1. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void {
  expect(actual.length).toBe(expected.length)
  const scale = Array.from(expected, Math.abs).reduce((a, b) => Math.max(a, b), 1)
  const errors = Array.from(expected, (value, i) => Math.abs(value - actual[i]!) / scale)
  expect(errors.map((error) => error <= tolerance)).toEqual(errors.map(() => true))
}

/** An error to the letter, with the operation that raised it. */
export function refusal(kind: typeof RangeError | typeof TypeError, message: string): Error {
  return Object.assign(new kind(message), { operation: message.split(':')[0] })
}
