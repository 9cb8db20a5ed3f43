import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { accuracy, type Metric } from '../src/index.ts'
import { refusal } from './float64.ts'

const prediction = [
  [0.1, 0.7, 0.2],
  [5, -1, 3],
  [0, 0, 1],
  [2, 2, 1],
]
const labels = [1, 2, 2, 0]
const rows = labels.map((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0)))

const measure = (metric: Metric, ...args: [t.Tensor, t.Tensor, t.Tensor?]): number =>
  metric.result(metric.update(metric.init(), ...args))

describe('accuracy', () => {
  test('is the share of rows whose largest prediction is the true class, the first of equal ones', () => {
    expect(measure(accuracy(), t.tensor(prediction), t.tensor(labels))).toBe(0.75)
    expect(measure(accuracy(), t.tensor(prediction), t.tensor(rows))).toBe(0.75)
  })

  test('streams: batches of any sizes give what one batch gives', () => {
    const metric = accuracy()
    let state = metric.init()
    for (const [from, to] of [
      [0, 1],
      [1, 1],
      [1, 4],
    ] as const) {
      const count = to - from
      state = metric.update(
        state,
        t.tensor(prediction.slice(from, to).flat(), [count, 3]),
        t.tensor(labels.slice(from, to), [count]),
      )
    }
    expect(state).toEqual({ correct: 3, total: 4 })
    expect(metric.result(state)).toBe(0.75)
  })

  test('counts rows by their weights', () => {
    expect(measure(accuracy(), t.tensor(prediction), t.tensor(labels), t.tensor([1, 2, 0, 2]))).toBe(0.6)
  })

  test('leaves the state before alone, and holds no tensor', () => {
    const metric = accuracy()
    const [x, y] = [t.tensor(prediction), t.tensor(labels)]
    const [initial, before] = [metric.init(), t.memory().tensors]
    metric.update(initial, x, y)
    expect(initial).toEqual({ correct: 0, total: 0 })
    expect(t.memory().tensors).toBe(before)
  })

  test('counts a row with a NaN as wrong, and is NaN before the first row', () => {
    expect(measure(accuracy(), t.tensor([[Number.NaN, 0]]), t.tensor([0]))).toBe(0)
    expect(measure(accuracy(), t.tensor([[0, Number.NaN]]), t.tensor([1]))).toBe(0)
    expect(accuracy().result(accuracy().init())).toBeNaN()
  })

  test('refuses labels out of range and shapes that do not fit', () => {
    const x = t.tensor(prediction)
    expect(() => measure(accuracy(), x, t.tensor([0, 1, 2, 3]))).toThrow(
      refusal(RangeError, 'accuracy: label 3 at row 3 is not an integer from 0 to 2; count classes from 0'),
    )
    expect(() => measure(accuracy(), x, t.tensor([0, 1]))).toThrow(
      refusal(
        RangeError,
        'accuracy: the target must be labels [4] or rows [4,3], got [2]; pass one label or one row of probabilities for each row of the prediction',
      ),
    )
    expect(() => measure(accuracy(), x, t.tensor(labels), t.ones([4, 3]))).toThrow(
      refusal(
        RangeError,
        'accuracy: the weights must have shape [4], got [4,3]; pass one number for each row of the prediction',
      ),
    )
  })
})
