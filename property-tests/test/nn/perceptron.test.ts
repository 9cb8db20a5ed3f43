import * as t from '@tapeflow/autodiff'
import { perceptron } from '@tapeflow/nn'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { keys } from '../../src/index.ts'
import { assertProperty } from '../runs.ts'

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

/** Normal points with a 1 behind each, and the unit vector that separates them: none is closer to its plane than 0.05. */
function separable(key: t.Key, rows: number, features: number): { points: number[][]; normal: number[] } {
  const drawn = [...t.normalValues(t.foldIn(key, 'normal'), features + 1)]
  const normal = drawn.map((value) => value / Math.hypot(...drawn))
  const values = t.normalValues(t.foldIn(key, 'x'), rows * features)
  const points = Array.from({ length: rows }, (_, i) => [
    ...values.subarray(i * features, (i + 1) * features),
    1,
  ])
  return { points: points.filter((point) => Math.abs(dot(point, normal)) >= 0.05), normal }
}

test('on separable data the perceptron converges after at most (R / gamma)² mistakes, in any order and form, at any rate', () => {
  const cases = fc.record({
    key: keys(),
    rows: fc.integer({ min: 1, max: 40 }),
    features: fc.integer({ min: 1, max: 6 }),
    form: fc.constantFrom('zeroOne' as const, 'signed' as const),
    learningRate: fc.constantFrom(0.01, 1, 7),
    shuffled: fc.boolean(),
  })
  assertProperty(
    fc.property(cases, ({ key, rows, features, form, learningRate, shuffled }) =>
      t.scope(() => {
        const { points, normal } = separable(key, rows, features)
        if (points.length === 0) return
        const sides = points.map((point) => dot(point, normal))
        const gamma = Math.min(...sides.map(Math.abs))
        const longest = Math.max(...points.map((point) => Math.hypot(...point)))
        const bound = (longest / gamma) ** 2
        const x = t.tensor(points.map((point) => point.slice(0, features)))
        const y = t.tensor(sides.map((side) => (side > 0 ? 1 : form === 'signed' ? -1 : 0)))
        // An epoch without a mistake is the last, so that many are enough.
        const epochs = Math.floor(bound) + 1
        const learned = perceptron(x, y, {
          form,
          learningRate,
          epochs,
          ...(shuffled && { key: t.foldIn(key, 'order') }),
        })
        expect(learned.message).toMatch(/^perceptron: a line separates the classes/)
        expect(learned.mistakes.reduce((a, b) => a + b)).toBeLessThanOrEqual(bound)
      }),
    ),
    100,
  )
})
