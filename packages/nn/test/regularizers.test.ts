import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import { describe, expect, test } from 'vitest'
import {
  l1,
  l1l2,
  l2,
  linear,
  orthogonalPenalty,
  type Penalty,
  regularize,
  sequential,
} from '../src/index.ts'
import { expectClose, refusal, rowsOf } from './float64.ts'

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** |AᵀA - I|² of rows, or of columns where there are more of them. */
function distanceFromOrthogonal(values: readonly number[], columns: number): number {
  const rows = rowsOf(values, columns)
  const vectors = columns <= rows.length ? rows[0]!.map((_, k) => rows.map((row) => row[k]!)) : rows
  return sum(
    vectors.flatMap((u, i) =>
      vectors.map((v, k) => (sum(u.map((x, at) => x * v[at]!)) - (i === k ? 1 : 0)) ** 2),
    ),
  )
}

// A new penalty is a row: its definition in double precision.
const rows: readonly (readonly [string, Penalty, (w: readonly number[], columns: number) => number])[] = [
  ['l1', l1(0.3), (w) => 0.3 * sum(w.map(Math.abs))],
  ['l2', l2(0.3), (w) => 0.3 * sum(w.map((x) => x * x))],
  ['l1l2', l1l2({ l1: 0.3, l2: 2 }), (w) => sum(w.map((x) => 0.3 * Math.abs(x) + 2 * x * x))],
  ['orthogonalPenalty', orthogonalPenalty(0.3), (w, columns) => 0.3 * distanceFromOrthogonal(w, columns)],
]

describe.each(rows)('a penalty: %s', (_, penalty, reference) => {
  test.each([[[4, 3]], [[3, 4]], [[2, 2, 3]]])(
    'is what its definition says, with its gradient: %j',
    (shape) => {
      const w = t.normal(t.key(1), shape)
      expectClose([penalty(w).item()], [reference([...w.toFloat32Array()], shape.at(-1)!)], 1e-6)
      expect(checkGradient(penalty, w).message).toBe('')
    },
  )

  test('compiled it gives the same bits, and nothing leaks', () => {
    const w = t.normal(t.key(2), [3, 2])
    const before = t.memory().tensors
    const value = penalty(w)
    expect(t.memory().tensors).toBe(before + 1)
    const compiled = t.compile((x: t.Tensor) => [penalty(x), t.grad(penalty)(x)])
    expect(t.toSnapshot(compiled(w))).toEqual(t.toSnapshot([value, t.grad(penalty)(w)]))
    compiled.dispose()
  })
})

test('l1 has no gradient at weights of 0', () => {
  expect(
    t
      .grad(l1(1))(t.tensor([0, -2, 3]))
      .toArray(),
  ).toEqual([0, -1, 1])
})

describe('regularize', () => {
  const { params } = sequential(linear(2, 3), linear(3, 1)).init(t.key(1), [2])
  const isWeight = (path: string): boolean => path.endsWith('weight')
  const penalties = regularize([
    { at: isWeight, penalty: l2(0.5) },
    { at: (path) => path.startsWith('layers.1'), penalty: l1(2) },
  ])

  test('adds up each term over what it is on, and their sum', () => {
    const [first, second] = params.layers.map(({ weight }) => [...weight.toFloat32Array()])
    const terms = [0.5 * sum([...first!, ...second!].map((x) => x * x)), 2 * sum(second!.map(Math.abs))]
    const found = penalties(params)
    expectClose(
      found.terms.map((term) => term.item()),
      terms,
    )
    expectClose([found.value.item()], [sum(terms)])
  })

  test('leaves alone what no term is on', () => {
    const gradients = t.grad((p: typeof params) => penalties(p).value)(params)
    expect(gradients.layers[0].bias.toArray()).toEqual([0, 0, 0])
    expectClose(gradients.layers[0].weight.toFloat32Array(), params.layers[0].weight.toFloat32Array())
  })

  test('of one term gives two tensors, so that one may be freed; and nothing leaks', () => {
    const before = t.memory().tensors
    const { value, terms } = regularize([{ at: isWeight, penalty: l2(1) }])(params)
    expect(t.memory().tensors).toBe(before + 2)
    value.dispose()
    expect(terms[0]!.item()).toBeGreaterThan(0)
    terms[0]!.dispose()
  })

  test('refuses what does not fit, to the letter', () => {
    expect(() => regularize([])).toThrow(
      refusal(RangeError, 'regularize: at least one term is needed, got 0; pass { at, penalty: l2(1e-4) }'),
    )
    // @ts-expect-error a factor is no penalty
    expect(() => regularize([{ at: isWeight, penalty: 0.1 }])).toThrow(
      refusal(
        TypeError,
        'regularize: term 0 must be { at, penalty }, both functions; call l2: penalty: l2(1e-4)',
      ),
    )
    expect(() => regularize([{ at: (path) => path === 'wieght', penalty: l2(1) }])(params)).toThrow(
      refusal(
        RangeError,
        'regularize: term 0 is on no parameter; there are layers.0.bias, layers.0.weight, layers.1.bias, layers.1.weight',
      ),
    )
    expect(() => regularize([{ at: isWeight, penalty: t.square }])(params)).toThrow(
      refusal(RangeError, 'regularize: term 0 must be a scalar, got shape [2,3]; sum it up'),
    )
    expect(() => l2(-1)).toThrow(
      refusal(RangeError, 'l2: the factor must be finite and not negative, got -1'),
    )
    expect(() => l2('1' as never)).toThrow(
      refusal(TypeError, 'l2: the factor must be a number, got a string; pass l2(1e-4)'),
    )
    for (const penalty of [l1(1), l2(1), l1l2({ l1: 1, l2: 1 }), orthogonalPenalty(1)]) {
      expect(() => penalty(params as never)).toThrow(
        /^(l1|l2|l1l2|orthogonalPenalty): weights must be one tensor, got an object; pass regularize\(/,
      )
    }
    expect(() => orthogonalPenalty(1)(t.zeros([3]))).toThrow(
      refusal(
        RangeError,
        "orthogonalPenalty: weights must have two axes or more, got [3]; leave it out by the term's `at`",
      ),
    )
  })
})
