import * as t from '@tapeflow/autodiff'
import type { Measure } from '../../src/index.ts'

/** A row of a batch, flat, and how much it counts. */
export interface Sample {
  readonly prediction: readonly number[]
  readonly target: readonly number[]
  readonly weight: number
}

/** A measure, what it is tried on, and what it should say, from its definition alone. */
export interface MetricRow {
  readonly name: string
  readonly measure: Measure
  readonly prediction: (key: t.Key, rows: number) => t.Tensor
  readonly target: (key: t.Key, rows: number) => t.Tensor
  readonly reference: (samples: readonly Sample[]) => unknown
}

export type Draw = MetricRow['prediction']

// Quarters: some are equal, and all sums of them are exact.
export const numbers =
  (...sizes: number[]): Draw =>
  (key, rows) =>
    t.div(t.round(t.mul(t.normal(key, [rows, ...sizes]), 4)), 4)
export const labels =
  (classes: number, ...sizes: number[]): Draw =>
  (key, rows) =>
    t.floor(t.uniform(key, [rows, ...sizes], 0, classes))
export const probabilities =
  (...sizes: number[]): Draw =>
  (key, rows) =>
    t.softmax(numbers(...sizes)(key, rows))

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
export const weighing = (samples: readonly Sample[], f: (sample: Sample) => number): number =>
  sum(samples.map((sample) => sample.weight * f(sample))) / sum(samples.map(({ weight }) => weight))
export const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values))
export const share = (hits: readonly boolean[]): number => hits.filter(Boolean).length / hits.length

export const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k)
