import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { type Constraint, constrain, linear, maxNorm, nonNeg, sequential, unitNorm } from '../src/index.ts'
import { expectClose, refusal, rowsOf } from './float64.ts'

/** Each column of rows, changed by its length. */
const scaled =
  (factor: (length: number) => number) =>
  (w: readonly number[], columns: number): number[] => {
    const rows = rowsOf(w, columns)
    const lengths = rows[0]!.map((_, k) => Math.hypot(...rows.map((row) => row[k]!)))
    return w.map((x, i) => x * factor(lengths[i % columns]!))
  }

// A new constraint is a row: its definition in double precision.
const rows: readonly (readonly [string, Constraint, (w: readonly number[], columns: number) => number[]])[] =
  [
    ['maxNorm', maxNorm(1.2), scaled((length) => Math.min(1, 1.2 / length))],
    ['unitNorm', unitNorm(), scaled((length) => 1 / length)],
    ['nonNeg', nonNeg(), (w) => w.map((x) => Math.max(x, 0))],
  ]

describe.each(rows)('a constraint: %s', (_, constraint, reference) => {
  test.each([[[3, 4]], [[2, 2, 3]], [[5]]])(
    'is what its definition says, and holds after it: %j',
    (shape) => {
      const w = t.normal(t.key(1), shape)
      const made = constraint(w)
      expect(made.shape).toEqual(shape)
      const columns = shape.length === 1 ? 1 : shape.at(-1)!
      expectClose(made.toFloat32Array(), reference([...w.toFloat32Array()], columns))
      expectClose(constraint(made).toFloat32Array(), made.toFloat32Array())
    },
  )

  test('keeps zeros and NaN, compiles, and leaves nothing behind', () => {
    expect(constraint(t.zeros([2, 1])).toArray()).toEqual([[0], [0]])
    expect(constraint(t.tensor([[Number.NaN]])).item()).toBeNaN()
    const w = t.normal(t.key(2), [3, 2])
    const before = t.memory().tensors
    const made = constraint(w)
    expect(t.memory().tensors).toBe(before + 1)
    const compiled = t.compile(constraint)
    expect(compiled(w).toFloat32Array()).toEqual(made.toFloat32Array())
    compiled.dispose()
  })
})

test('maxNorm along another axis; the limit is above 0', () => {
  const rows = maxNorm(5, { axis: 1 })(
    t.tensor([
      [6, 8],
      [3, 4],
    ]),
  )
  expectClose(rows.toFloat32Array(), [3, 4, 3, 4])
  expect(() => maxNorm(0)).toThrow(
    refusal(RangeError, 'maxNorm: the limit must be finite and above 0, got 0'),
  )
})

describe('constrain', () => {
  const { params } = sequential(linear(2, 3), linear(3, 1)).init(t.key(1), [2])
  const isWeight = (path: string): boolean => path.endsWith('weight')

  test('replaces what is constrained, each term after the other, and keeps all else', () => {
    const first = (path: string): boolean => path === 'layers.0.weight'
    const made = constrain([
      { at: first, constraint: nonNeg() },
      { at: isWeight, constraint: maxNorm(0.1) },
    ])(params)
    const [before, after] = [params.layers[0], made.layers[0]]
    expect(after.bias).toBe(before.bias)
    expectClose(after.weight.toFloat32Array(), maxNorm(0.1)(t.relu(before.weight)).toFloat32Array())
    expect(t.norm(made.layers[1].weight).item()).toBeCloseTo(0.1, 6)
  })

  test('refuses what does not fit, to the letter', () => {
    expect(() => constrain([])).toThrow(
      refusal(
        RangeError,
        'constrain: at least one term is needed, got 0; pass { at, constraint: maxNorm(2) }',
      ),
    )
    // @ts-expect-error a constraint has to be called
    expect(() => constrain([{ at: isWeight, constraint: 2 }])).toThrow(
      refusal(
        TypeError,
        'constrain: term 0 must be { at, constraint }, both functions; call maxNorm: constraint: maxNorm(2)',
      ),
    )
    expect(() => constrain([{ at: () => false, constraint: nonNeg() }])(params)).toThrow(
      refusal(
        RangeError,
        'constrain: term 0 is on no parameter; there are layers.0.bias, layers.0.weight, layers.1.bias, layers.1.weight',
      ),
    )
    expect(() => constrain([{ at: isWeight, constraint: (x) => t.sum(x) }])(params)).toThrow(
      refusal(RangeError, "constrain: term 0 must keep the shape [2,3] of 'layers.0.weight', got []"),
    )
  })
})
