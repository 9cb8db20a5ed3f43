import * as t from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawFrom } from '../src/arbitraries/draws.ts'
import {
  assertAdjointIsConsistent,
  assertCompiledEqualsEager,
  assertGradientIsCorrect,
  assertLeavesNoTrace,
} from '../src/index.ts'
import { assertProperty } from './runs.ts'

// Compositions have no record, and so no row in the law matrix: here they are compared with what they are defined by.

const draws = fc.array(fc.nat(27719), { minLength: 24, maxLength: 24 }).map(drawFrom)

/** What holds of any function of tensors. */
function laws(f: (x: readonly t.Tensor[]) => t.Tensor, inputs: readonly t.Tensor[]): void {
  assertAdjointIsConsistent(f, inputs)
  assertCompiledEqualsEager(f, inputs)
  assertLeavesNoTrace(f, inputs)
}

const inRows = (x: t.Tensor): number[] => Array.from(x.toFloat32Array())

describe('triangles, traces, vectors', () => {
  it('triu and tril keep what lies on their side of the diagonal, of any matrices', () => {
    const property = fc.property(
      draws,
      fc.constantFrom(0, 1, -1, 2, -3, 40, -40, 1e9, -1e9),
      (draw, offset) => {
        t.scope(() => {
          const x = t.normal(t.key(1), draw.shape(2, 4))
          const [m, n] = x.shape.slice(-2) as [number, number]
          const kept = (side: (distance: number) => boolean): number[] =>
            inRows(x).map((value, i) => (side((i % n) - (Math.floor(i / n) % m)) ? value : 0))
          expect(inRows(t.triu(x, { offset }))).toEqual(kept((distance) => distance >= offset))
          expect(inRows(t.tril(x, { offset }))).toEqual(kept((distance) => distance <= offset))
          for (const triangle of [t.triu, t.tril]) laws(([y]) => triangle(y!, { offset }), [x])
        })
      },
    )
    assertProperty(property, 60)
  })

  it('trace is the sum of the diagonal, of any matrices', () => {
    const property = fc.property(draws, fc.constantFrom(0, 1, -2, 50), (draw, offset) => {
      t.scope(() => {
        const x = t.normal(t.key(2), draw.shape(2, 4))
        expect(inRows(t.trace(x, { offset }))).toEqual(inRows(t.sum(t.diag(x, { offset }), { axis: -1 })))
        laws(([y]) => t.trace(y!, { offset }), [x])
      })
    })
    assertProperty(property, 40)
  })

  it('dot and outer are products of vectors', () => {
    t.scope(() => {
      for (const size of [0, 1, 3, 8, 33]) {
        const [a, b] = [t.normal(t.key(3), [size]), t.normal(t.key(4), [size])]
        const c = t.normal(t.key(5), [3])
        const sum = inRows(a).reduce((total, x, i) => total + x * b.toFloat32Array()[i]!, 0)
        expect(t.dot(a, b).shape).toEqual([])
        expect(t.dot(a, b).item()).toBeCloseTo(sum, 5)
        expect(inRows(t.outer(a, c))).toEqual(
          inRows(a).flatMap((x) => inRows(c).map((y) => Math.fround(x * y))),
        )
        expect(t.outer(a, c).shape).toEqual([size, 3])
        laws(([x, y]) => t.dot(x!, y!), [a, b])
        laws(([x, y]) => t.outer(x!, y!), [a, c])
      }
    })
  })

  const refusals: readonly (readonly [string, () => unknown])[] = [
    ['triu: a matrix is needed, got rank 1; reshape vectors to [1,n]', () => t.triu(t.ones([2]))],
    ['tril: a matrix is needed, got rank 0; reshape vectors to [1,n]', () => t.tril(t.tensor(1))],
    ['tril: offset must be an integer, got 0.5', () => t.tril(t.ones([2, 2]), { offset: 0.5 })],
    ["triu: unknown option 'k'; use offset", () => t.triu(t.ones([2, 2]), { k: 1 } as object)],
    ['trace: a matrix is needed, got rank 1; use sum for a vector', () => t.trace(t.ones([2]))],
    ['trace: offset must be an integer, got NaN', () => t.trace(t.ones([2, 2]), { offset: Number.NaN })],
    [
      'trace: a tensor is needed, got a number; wrap numbers and arrays in t.tensor',
      () => t.trace(1 as never),
    ],
    [
      'dot: two vectors are needed, got [2,2] and [2]; use matmul for matrices',
      () => t.dot(t.ones([2, 2]), t.ones([2])),
    ],
    ['dot: lengths differ, got [2] and [3]', () => t.dot(t.ones([2]), t.ones([3]))],
    [
      'dot: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      () => t.dot(t.ones([2]), [1, 2] as never),
    ],
    [
      'outer: two vectors are needed, got [2] and []; use reshape(x, [-1])',
      () => t.outer(t.ones([2]), t.tensor(1)),
    ],
  ]
  for (const [message, call] of refusals) {
    it(`refuses: ${message}`, () => {
      const before = t.memory().bytes
      expect(() => t.scope(() => void call())).toThrow(message)
      expect(t.memory().bytes).toBe(before)
    })
  }
})

describe('batches of matrices', () => {
  it('multiply as one by one: broadcast, transposed, with the same bits', () => {
    t.scope(() => {
      for (const [transposeA, transposeB] of [
        [false, false],
        [false, true],
        [true, false],
        [true, true],
      ]) {
        const [m, k, n] = [9, 20, 11]
        const a = t.normal(t.key(1), [2, 1, ...(transposeA ? [k, m] : [m, k])])
        const b = t.normal(t.key(2), [3, ...(transposeB ? [n, k] : [k, n])])
        const options = { transposeA: transposeA!, transposeB: transposeB! }
        const whole = t.matmul(a, b, options)
        expect(whole.shape).toEqual([2, 3, m, n])
        const matrix = (x: t.Tensor, i: number): t.Tensor =>
          t.reshape(t.slice(t.reshape(x, [-1, ...x.shape.slice(-2)]), i, i + 1), x.shape.slice(-2))
        for (let i = 0; i < 6; i++) {
          const one = t.matmul(matrix(a, Math.floor(i / 3)), matrix(b, i % 3), options)
          expect(inRows(matrix(whole, i))).toEqual(inRows(one))
        }
      }
    })
  })

  it('large enough to be packed keep to the reference, and their gradients to differences', () => {
    t.scope(() => {
      const a = t.normal(t.key(1), [3, 70, 40])
      for (const b of [t.normal(t.key(2), [40, 500]), t.normal(t.key(3), [3, 40, 500])]) {
        const f = (x: readonly t.Tensor[]): t.Tensor => t.matmul(x[0]!, x[1]!)
        assertAdjointIsConsistent(f, [a, b])
        assertGradientIsCorrect(f, [a, b], { tolerance: 3e-4, limit: 2 })
        assertLeavesNoTrace(f, [a, b])
      }
    })
  })

  it('with a shared right operand have its gradient in one product', () => {
    const f = (a: t.Tensor, b: t.Tensor): t.Tensor => t.sum(t.matmul(a, b))
    const planned = t.scope(() => {
      const program = t.compile((a: t.Tensor, b: t.Tensor) => t.grad((x: t.Tensor) => f(a, x))(b))
      return program.plan(t.zeros([4, 3, 2]), t.zeros([2, 5])).planned
    })
    expect(planned.filter((line) => line.includes('matmul'))).toHaveLength(1)
    expect(planned.filter((line) => /sum|transpose/.test(line))).toHaveLength(0)
  })
})

describe('disposed operands', () => {
  const calls: Readonly<Record<string, (x: t.Tensor) => unknown>> = {
    dot: (x) => t.dot(x, x),
    outer: (x) => t.outer(x, x),
    einsum: (x) => t.einsum('i', x),
    trace: (x) => t.trace(x),
    triu: (x) => t.triu(x),
    tril: (x) => t.tril(x),
    sort: (x) => t.sort(x),
    topK: (x) => t.topK(x, 1),
  }
  for (const [name, call] of Object.entries(calls)) {
    it(`are refused by ${name}, by its own name`, () => {
      const x = t.ones([2])
      x.dispose()
      expect(() => call(x)).toThrow(`${name}: a tensor of shape [2] was used after it was disposed`)
    })
  }
})
