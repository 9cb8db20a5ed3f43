import * as t from '@tapeflow/autodiff'
import { describe, expect, it } from 'vitest'

/** Repeatable 32 random bits (Numerical Recipes' generator, its high half twice). */
function randomWords(seed: number): () => number {
  let state = seed >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 16
  }
  return () => ((next() << 16) | next()) >>> 0
}

const asFloat = (word: number): number => new Float32Array(Uint32Array.of(word).buffer)[0]!

/** NumPy's rule, exact but for the last addition: `%` of float64 numbers is exact. */
function floorMod(a: number, b: number): number {
  const rest = a % b
  if (rest === 0) return b < 0 ? -0 : 0
  return Math.fround(rest < 0 === b < 0 ? rest : rest + b)
}

function compare(pairs: readonly (readonly [a: number, b: number])[], expected: readonly number[]): void {
  const got = t.scope(() =>
    t.mod(t.tensor(pairs.map(([a]) => a)), t.tensor(pairs.map(([, b]) => b))).toFloat32Array(),
  )
  const wrong = pairs.flatMap(([a, b], i) =>
    Object.is(got[i], expected[i]) ? [] : [`${a} mod ${b} is ${got[i]}, not ${expected[i]}`],
  )
  expect(wrong.slice(0, 5)).toEqual([])
}

describe('mod', () => {
  it('is exact for every quotient below 2^44, of numbers of all sizes and signs', () => {
    const word = randomWords(1)
    const pairs: (readonly [number, number])[] = []
    while (pairs.length < 200_000) {
      const b = word()
      // An exponent up to 45 above that of b.
      const exponent = ((b >>> 23) & 0xff) + (word() % 48) - 2
      if (exponent < 0 || exponent > 254) continue
      const pair = [asFloat((word() & 0x807fffff) | (exponent << 23)), asFloat(b)] as const
      if (Number.isFinite(pair[1]) && pair[1] !== 0 && Math.abs(pair[0]) < 2 ** 44 * Math.abs(pair[1])) {
        pairs.push(pair)
      }
    }
    compare(
      pairs,
      pairs.map(([a, b]) => floorMod(a, b)),
    )
  })

  it('is exact beside every multiple, where a quotient rounds up', () => {
    const word = randomWords(2)
    const pairs = Array.from({ length: 100_000 }, () => {
      const b = Math.fround(1 + word() / 2 ** 32)
      const multiple = Math.fround(b * (word() >>> (9 + (word() % 20))))
      return [Math.fround(multiple - (multiple / 2 ** 24) * (word() % 3)), b] as const
    })
    compare(
      pairs,
      pairs.map(([a, b]) => floorMod(a, b)),
    )
  })

  it('is 0 with the sign of b from 2^44 on', () => {
    compare(
      [
        [2 ** 44, 1],
        [-(2 ** 100), 3],
        [2 ** 44, -1],
      ],
      [0, 0, -0],
    )
  })

  it('has the sign of b, and is what NumPy gives at infinity and 0', () => {
    compare(
      [
        [-0, 3],
        [3, -3],
        [-1, Infinity],
        [1, Infinity],
        [1, -Infinity],
        [Infinity, 1],
        [1, 0],
        [NaN, 1],
        [1, NaN],
        [-1e-10, 1],
      ],
      [0, -0, Infinity, 1, -Infinity, NaN, NaN, NaN, NaN, 1],
    )
  })

  it('gives b the whole quotient', () => {
    const gradient = t.grad((b: t.Tensor) => t.sum(t.mod(t.tensor([7.5, -7.5, 7.5]), b)))
    expect(gradient(t.tensor([2, 2, -2])).toArray()).toEqual([-3, 4, 4])
  })
})

describe('clip', () => {
  const gradients = (x: number, low: number, high: number): unknown =>
    t
      .grad((all: readonly t.Tensor[]) => t.clip(all[0]!, all[1]!, all[2]!))([
        t.tensor(x),
        t.tensor(low),
        t.tensor(high),
      ])
      .map((g) => g.item())

  it('gives the gradient to x inside and at the bounds, to a bound outside, to the upper one where they cross', () => {
    expect(gradients(0, -1, 1)).toEqual([1, 0, 0])
    expect(gradients(-1, -1, 1)).toEqual([1, 0, 0])
    expect(gradients(1, -1, 1)).toEqual([1, 0, 0])
    expect(gradients(-2, -1, 1)).toEqual([0, 1, 0])
    expect(gradients(2, -1, 1)).toEqual([0, 0, 1])
    expect(gradients(1, 2, 1)).toEqual([0, 0, 1])
    expect(t.clip(1.5, 2, t.tensor(1)).item()).toBe(1)
  })

  it('has no lower or upper bound where it is null or left out', () => {
    const x = t.tensor([-5, NaN, 5])
    expect(t.clip(x, 0).toArray()).toEqual([0, NaN, 5])
    expect(t.clip(x, null, 0).toArray()).toEqual([-5, NaN, 0])
    expect(t.clip(x, 0, null).toArray()).toEqual([0, NaN, 5])
  })
})

describe('abs and sign', () => {
  it('have slope 0 at 0, and keep the sign of zero', () => {
    expect(
      t
        .grad((x: t.Tensor) => t.sum(t.abs(x)))(t.tensor([-2, 0, 3]))
        .toArray(),
    ).toEqual([-1, 0, 1])
    expect(t.sign(t.tensor([-0, 0, NaN, -Infinity])).toArray()).toEqual([-0, 0, NaN, -1])
    expect(t.abs(t.tensor([-0])).toArray()).toEqual([0])
  })
})

describe('round', () => {
  it('takes halves to the even neighbour, and keeps what is whole already', () => {
    expect(t.round(t.tensor([-0.5, 0.5, 1.5, 2.5, -3.5, 8388609, 2 ** 30])).toArray()).toEqual([
      -0,
      0,
      2,
      2,
      -4,
      8388609,
      2 ** 30,
    ])
  })
})
