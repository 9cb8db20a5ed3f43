import * as t from '@tapeflow/autodiff'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { drawFrom } from '../src/arbitraries/draws.ts'
import {
  assertAdjointIsConsistent,
  assertCompiledEqualsEager,
  assertDeterministic,
  assertLeavesNoTrace,
} from '../src/index.ts'
import { assertProperty } from './runs.ts'

/** NaN is the largest, and sorting stable. */
const compare = (p: number, q: number): number =>
  Number.isNaN(p) || Number.isNaN(q)
    ? Number(Number.isNaN(p)) - Number(Number.isNaN(q))
    : p < q
      ? -1
      : Number(p > q)

function places(x: Float32Array, descending: boolean): number[] {
  return Array.from(x.keys()).sort((i, j) => (descending ? compare(x[j]!, x[i]!) : compare(x[i]!, x[j]!)))
}

// Equal numbers, zeros of both signs, NaN of both signs, infinities, and numbers that differ in any one byte.
const value = fc.oneof(
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    Number.NaN,
    Infinity,
    -Infinity,
    2 ** -149,
    -(2 ** -149),
    3.4028234663852886e38,
  ),
  fc.float({ noNaN: false }),
  fc.integer({ min: -300, max: 300 }),
)

describe('sorting', () => {
  // Lines of more than 48 are sorted by radix.
  it('of lines of every length is stable, NaN the largest, in both orders', () => {
    const lines = fc.oneof(
      fc.array(value, { minLength: 1, maxLength: 60, size: 'max' }),
      fc.array(value, { minLength: 47, maxLength: 700, size: 'max' }),
    )
    const property = fc.property(lines, fc.boolean(), (numbers, descending) => {
      t.scope(() => {
        const values = Float32Array.from(numbers)
        const expected = places(values, descending)
        const x = t.tensor(values)
        expect(Array.from(t.argSort(x, { descending }).toFloat32Array())).toEqual(expected)
        const sorted = t.sort(x, { descending }).toFloat32Array()
        expect(sorted).toEqual(Float32Array.from(expected, (i) => values[i]!))
      })
    })
    assertProperty(property, 150)
  })

  it('a NaN with its sign set is as large as any other', () => {
    const bits = Uint32Array.from([0xffc00000, 0x7f800000, 0x7fc00001, 0xff800000])
    t.scope(() => {
      const x = t.tensor(new Float32Array(bits.buffer))
      expect(t.argSort(x).toArray()).toEqual([3, 1, 0, 2])
      expect(t.argSort(x, { descending: true }).toArray()).toEqual([0, 2, 1, 3])
    })
  })

  it('along any axis, and topK, have the gradients of their permutation', () => {
    const draws = fc.array(fc.nat(27719), { minLength: 24, maxLength: 24 }).map(drawFrom)
    const property = fc.property(draws, (draw) => {
      t.scope(() => {
        const shape = draw.shape(1, 4)
        const axis = draw.integer(0, shape.length - 1)
        const descending = draw.integer(0, 1) === 1
        const k = draw.integer(0, shape[axis]!)
        const x = t.normal(t.key(3), shape)
        const functions = [
          ([y]: readonly t.Tensor[]): t.Tensor => t.sort(y!, { axis, descending }),
          ([y]: readonly t.Tensor[]): t.Tensor => t.topK(y!, k, { axis }).values,
        ]
        for (const f of functions) {
          assertAdjointIsConsistent(f, [x])
          assertCompiledEqualsEager(f, [x])
          assertDeterministic(f, [x])
          assertLeavesNoTrace(f, [x])
        }
        const { values, indices } = t.topK(x, k, { axis })
        const end = shape.map((size, i) => (i === axis ? k : size))
        expect(values.shape).toEqual(end)
        expect(values.toArray()).toEqual(t.slice(t.sort(x, { axis, descending: true }), [], end).toArray())
        expect(values.toArray()).toEqual(t.takeAlongAxis(x, indices, { axis }).toArray())
      })
    })
    assertProperty(property, 80)
  })

  it('gives each gradient back to its place', () => {
    const weights = t.tensor([10, 20, 30, 40])
    const f = (x: t.Tensor): t.Tensor => t.sum(t.mul(t.sort(x), weights))
    expect(
      t.scope(() =>
        t
          .grad(f)(t.tensor([2, 1, 2, 0]))
          .toArray(),
      ),
    ).toEqual([30, 20, 40, 10])
    const top = (x: t.Tensor): t.Tensor => t.sum(t.topK(x, 2).values)
    expect(
      t.scope(() =>
        t
          .grad(top)(t.tensor([2, 1, 2, 0]))
          .toArray(),
      ),
    ).toEqual([1, 0, 1, 0])
    weights.dispose()
  })

  const refusals: readonly (readonly [string, () => unknown])[] = [
    ['sort: axis -1 is out of range for rank 0; a scalar has no axes', () => t.sort(t.tensor(1))],
    [
      'sort: descending must be true or false, got a string; leave it out for false',
      () => t.sort(t.ones([1]), { descending: 'yes' as never }),
    ],
    [
      'topK: k must be 0 to 2, the size of axis 1, got 3; ask for no more than there are',
      () => t.topK(t.ones([3, 2]), 3),
    ],
    [
      'topK: k must be 0 to 2, the size of axis 1, got -1; ask for no more than there are',
      () => t.topK(t.ones([3, 2]), -1),
    ],
    ['topK: k must be an integer, got 1.5', () => t.topK(t.ones([3]), 1.5)],
    ['topK: k must be an integer, got a bigint', () => t.topK(t.ones([3]), 1n as never)],
    ['topK: axis 2 is out of range for rank 2; use -2 to 1', () => t.topK(t.ones([3, 2]), 1, { axis: 2 })],
    ["topK: unknown option 'largest'; use axis", () => t.topK(t.ones([3]), 1, { largest: true } as never)],
    [
      'topK: a tensor is needed, got an array; wrap numbers and arrays in t.tensor',
      () => t.topK([1] as never, 1),
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
