import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { measure } from '../../src/index.ts'
import { expectClose, rowsOf } from '../float64.ts'
import type { MetricRow, Sample } from './metric-row.ts'
import { rows } from './rows.ts'

const size = 40
const cases = rows.map((row) => [row.name, row] as const)

interface Drawn {
  readonly x: t.Tensor
  readonly y: t.Tensor
  readonly weights: readonly number[]
}

/** Weights are eighths, of which any sum is exact; some are 0. */
function drawn({ prediction, target }: MetricRow, seed: number): Drawn {
  const key = t.key(seed)
  const weights = t.floor(t.uniform(t.foldIn(key, 'weights'), [size], 0, 24)).toFloat32Array()
  return {
    x: prediction(t.foldIn(key, 'x'), size),
    y: target(t.foldIn(key, 'y'), size),
    weights: Array.from(weights, (eighths) => eighths / 8),
  }
}

function samples({ x, y, weights }: Drawn, isWeighted: boolean): readonly Sample[] {
  const [predictions, targets] = [x, y].map((z) => rowsOf([...z.toFloat32Array()], z.size / size))
  return weights.map((weight, i) => ({
    prediction: predictions![i]!,
    target: targets![i]!,
    weight: isWeighted ? weight : 1,
  }))
}

/** All the numbers of a result in one order. */
function flat(result: unknown): number[] {
  if (typeof result === 'number') return [result]
  return Object.values(Object(result)).flatMap(flat)
}

function close(actual: unknown, expected: unknown): void {
  const wanted = flat(expected)
  const finite = (values: number[]): number[] => values.map((v) => (v === Number.POSITIVE_INFINITY ? 1e9 : v))
  expect(wanted.some(Number.isNaN)).toBe(false)
  expect(flat(actual).map(Number.isFinite)).toEqual(wanted.map(Number.isFinite))
  expectClose(
    finite(flat(actual)).filter((v) => v < 1e9),
    finite(wanted).filter((v) => v < 1e9),
    1e-6,
  )
}

const pick = (x: t.Tensor, places: readonly number[]): t.Tensor =>
  places.length === 0 ? t.zeros([0, ...x.shape.slice(1)]) : t.gather(x, t.tensor([...places]))

describe('every measure', () => {
  test.each(cases)('is what its definition says, with weights and without: %s', (_, row) => {
    for (const seed of [1, 2, 3]) {
      const given = drawn(row, seed)
      close(measure(row.measure, given.x, given.y), row.reference(samples(given, false)))
      close(
        measure(row.measure, given.x, given.y, t.tensor([...given.weights])),
        row.reference(samples(given, true)),
      )
    }
  })

  test.each(cases)('streams: any batches give the state of one large batch: %s', (_, row) => {
    for (const [seed, cuts] of [
      [4, [1, 2, 17]],
      [5, [0, 20, 20]],
      [6, Array.from({ length: size - 1 }, (_, i) => i + 1)],
    ] as const) {
      const { x, y, weights } = drawn(row, seed)
      for (const isWeighted of [false, true]) {
        const of = (from: number, to: number): [t.Tensor, t.Tensor, t.Tensor?] => {
          const places = Array.from({ length: to - from }, (_, i) => from + i)
          const w = t.tensor(weights.slice(from, to), [to - from])
          return isWeighted ? [pick(x, places), pick(y, places), w] : [pick(x, places), pick(y, places)]
        }
        const starts = [0, ...cuts]
        const streamed = starts.reduce(
          (state, from, i) => row.measure.update(state, ...of(from, starts[i + 1] ?? size)),
          row.measure.init(),
        )
        expect(streamed).toEqual(row.measure.update(row.measure.init(), ...of(0, size)))
      }
    }
  })

  test.each(cases)('counts a sample of weight 2 as two, and one of weight 0 as none: %s', (_, row) => {
    const { x, y, weights } = drawn(row, 7)
    const times = weights.map((weight) => Math.floor(weight))
    const places = times.flatMap((count, i) => new Array<number>(count).fill(i))
    expect(Math.min(...times)).toBe(0)
    close(measure(row.measure, x, y, t.tensor(times)), measure(row.measure, pick(x, places), pick(y, places)))
  })

  test.each(cases)(
    'has a state of plain numbers, leaves the one before alone, holds no tensor: %s',
    (_, row) => {
      const { x, y } = drawn(row, 8)
      const [first, before] = [row.measure.init(), t.memory().tensors]
      const second = row.measure.update(first, x, y)
      const copy = structuredClone(second)
      const third = row.measure.update(second, x, y)
      expect(t.memory().tensors).toBe(before)
      expect(first).toEqual(row.measure.init())
      expect(second).toEqual(copy)
      expect(third).not.toBe(second)
      expect(JSON.parse(JSON.stringify(second))).toEqual(second)
    },
  )

  test.each(cases)('has no number before the first batch: %s', (_, row) => {
    const numbers = flat(row.measure.result(row.measure.init()))
    expect(numbers.filter((value) => Number.isFinite(value) && value !== 0)).toEqual([])
    if (typeof row.measure.result(row.measure.init()) === 'number') expect(numbers).toEqual([Number.NaN])
  })
})
