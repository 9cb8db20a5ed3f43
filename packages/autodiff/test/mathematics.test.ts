import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'

const { PI } = Math
const values = (x: t.Tensor): number[] => [...x.toFloat32Array()]
const rounded = (x: readonly number[]): number[] => x.map(Math.fround)
/** d f / d x at each of `at`. */
const slopes = (f: (x: t.Tensor) => t.Tensor, at: readonly number[]): number[] =>
  t.scope(() => values(t.grad((x: t.Tensor) => t.sum(f(x)))(t.tensor(at))))
/** The gradients by both operands at each pair. */
const slopesOfBoth = (
  f: (a: t.Tensor, b: t.Tensor) => t.Tensor,
  pairs: readonly (readonly [number, number])[],
): number[][] =>
  t.scope(() => {
    const [a, b] = [0, 1].map((side) => t.tensor(pairs.map((pair) => pair[side]!)))
    const both = t.grad((x: readonly t.Tensor[]) => t.sum(f(x[0]!, x[1]!)))([a!, b!])
    const [byA, byB] = both.map(values)
    return pairs.map((_, i) => [byA![i]!, byB![i]!])
  })

describe('trigonometric functions', () => {
  test('the float32 next to pi is no pi: its sine is what it lacks', () => {
    expect(values(t.sin(t.tensor([PI, 2 * PI, -PI])))).toEqual(
      rounded([-8.742278012618954e-8, 1.7484556025237907e-7, 8.742278012618954e-8]),
    )
    expect(values(t.cos(t.tensor([PI / 2, PI, 0])))).toEqual(rounded([-4.371139000186241e-8, -1, 1]))
    expect(values(t.tan(t.tensor([PI / 2, -PI / 4])))).toEqual(rounded([-22877332.428856, -1.0000000437114]))
  })
  test('the largest arguments are reduced to the last digit', () => {
    const largest = 3.4028234663852886e38
    expect(values(t.sin(t.tensor([1e10, 2 ** 120, largest])))).toEqual(
      rounded([-0.48750602508751067, 0.3778201093607519, -0.5218765233364585]),
    )
    expect(values(t.cos(t.tensor([largest, Infinity, NaN])))).toEqual(rounded([0.8530210461420258, NaN, NaN]))
  })
  test('slopes are those of the other function, at 0 and far out too', () => {
    expect(slopes(t.sin, [0, 1e10])).toEqual(values(t.cos(t.tensor([0, 1e10]))))
    expect(slopes(t.cos, [0, 1e10])).toEqual(values(t.neg(t.sin(t.tensor([0, 1e10])))))
    expect(slopes(t.tan, [0, PI / 4])[1]).toBeCloseTo(2, 6)
  })
  test('inverse functions have infinite slopes at 1 and -1, and keep digits beside', () => {
    const beside = Math.fround(1 - 2 ** -24)
    expect(slopes(t.asin, [0, 1, -1])).toEqual([1, Infinity, Infinity])
    expect(slopes(t.acos, [0, 1, -1])).toEqual([-1, -Infinity, -Infinity])
    expect(slopes(t.asin, [beside])[0]! / 2 ** 11.5).toBeCloseTo(1, 6)
    expect(values(t.acos(t.tensor([1, -1, beside, 1.5])))).toEqual(rounded([0, PI, 3.45266984716e-4, NaN]))
  })
  test('the slope of atan goes to 0, never to NaN', () => {
    expect(slopes(t.atan, [0, 1, 1e30, Infinity, -Infinity])).toEqual([1, 0.5, 0, 0, 0])
  })
})

describe('atan2', () => {
  test('goes round the quadrants', () => {
    const y = t.tensor([0, 1, 1, 1, 0, -1, -1, -1])
    const x = t.tensor([1, 1, 0, -1, -1, -1, 0, 1])
    expect(values(t.atan2(y, x))).toEqual(
      rounded([0, PI / 4, PI / 2, (3 * PI) / 4, PI, (-3 * PI) / 4, -PI / 2, -PI / 4]),
    )
  })
  test('zeros have signs, and infinities directions', () => {
    const y = t.tensor([0, 0, -0, -0, Infinity, Infinity, -Infinity, 1, -1, Infinity])
    const x = t.tensor([0, -0, 0, -0, Infinity, -Infinity, -Infinity, Infinity, -Infinity, 5])
    expect(values(t.atan2(y, x))).toEqual(
      rounded([0, PI, -0, -PI, PI / 4, (3 * PI) / 4, (-3 * PI) / 4, 0, -PI, PI / 2]),
    )
  })
  test('the gradient is 0 at the origin, and right where squares would overflow or vanish', () => {
    const [origin, large, small] = slopesOfBoth(t.atan2, [
      [0, 0],
      [1e30, 1e30],
      [1e-30, 1e-30],
    ])
    expect(origin).toEqual([0, -0])
    expect(large!.map((x) => x * 2e30)).toEqual([expect.closeTo(1, 6), expect.closeTo(-1, 6)])
    expect(small!.map((x) => x / 5e29)).toEqual([expect.closeTo(1, 6), expect.closeTo(-1, 6)])
  })
})

describe('hypot', () => {
  test('is exact where squares would overflow or vanish; an infinity wins over NaN', () => {
    const a = t.tensor([3 * 2 ** 120, 3 * 2 ** -140, Infinity, NaN, 0])
    const b = t.tensor([4 * 2 ** 120, 4 * 2 ** -140, NaN, 1, -0])
    expect(values(t.hypot(a, b))).toEqual([5 * 2 ** 120, 5 * 2 ** -140, Infinity, NaN, 0])
  })
  test('the gradient is 0 at the origin, and a direction elsewhere', () => {
    const found = slopesOfBoth(t.hypot, [
      [0, 0],
      [-0, 0],
      [3 * 2 ** 100, -4 * 2 ** 100],
      [3e-30, 0],
    ])
    expect(found).toEqual([[0, 0], [-0, 0], rounded([0.6, -0.8]), [1, 0]])
  })
})

describe('pow', () => {
  test('is exact where the power is', () => {
    const x = [0, 1, 2, 3, 10, 2 ** -10, 1e19, -7]
    for (const b of [0, 1, 2, 3, -1]) {
      expect(values(t.pow(t.tensor(x), b))).toEqual(x.map((a) => Math.fround(Math.fround(a) ** b)))
    }
    const squares = [0, 1, 4, 9, 2, 2 ** -149, 3e38]
    expect(values(t.pow(t.tensor(squares), 0.5))).toEqual(values(t.sqrt(t.tensor(squares))))
    expect(values(t.pow(2, t.tensor([-149, -126, 0, 127, 128])))).toEqual([
      2 ** -149,
      2 ** -126,
      1,
      2 ** 127,
      Infinity,
    ])
  })
  test.each([
    ['anything to the power of 0 is 1', [0, -0, NaN, Infinity, -3], [0, -0, 0, 0, 0], [1, 1, 1, 1, 1]],
    ['1 to any power is 1', [1, 1, 1, 1], [NaN, Infinity, -Infinity, 5], [1, 1, 1, 1]],
    ['-1 to an infinite power is 1', [-1, -1, -1], [Infinity, -Infinity, NaN], [1, 1, NaN]],
    ['negative numbers have whole powers only', [-2, -2, -2, -8], [3, -2, 0.5, 1 / 3], [-8, 0.25, NaN, NaN]],
    ['large numbers are even', [-1, -1, -1], [16777215, 16777216, -8388609], [-1, 1, -1]],
    [
      'zeros keep their sign in odd powers',
      [-0, -0, -0, -0, 0],
      [3, 2, -1, -2, -3],
      [-0, 0, -Infinity, Infinity, Infinity],
    ],
    [
      'so do infinities',
      [-Infinity, -Infinity, -Infinity, -Infinity, -Infinity],
      [3, 2, -1, -2, 0.5],
      [-Infinity, Infinity, -0, 0, Infinity],
    ],
    [
      'infinite powers go one way or the other',
      [2, 0.5, -2, 0.5, 0],
      [Infinity, Infinity, -Infinity, -Infinity, -Infinity],
      [Infinity, 0, 0, Infinity, Infinity],
    ],
    ['NaN stays', [NaN, 2, NaN], [1, NaN, NaN], [NaN, NaN, NaN]],
  ])('%s', (_, a, b, expected) => {
    expect(values(t.pow(t.tensor(a), t.tensor(b)))).toEqual(expected)
  })
  test('the gradient by the base is finite at 0 wherever the derivative is', () => {
    const powers = [0, 1, 2, 3, 0.5, -1]
    const found = slopesOfBoth(
      t.pow,
      powers.map((b) => [0, b] as const),
    )
    expect(found.map(([byBase]) => byBase)).toEqual([0, 1, 0, 0, Infinity, -Infinity])
    expect(slopes((x) => t.pow(x, 2), [-3, 0, 1e-30, 5])).toEqual([-6, 0, Math.fround(2e-30), 10])
    const even = slopesOfBoth(t.pow, [
      [NaN, 0],
      [Infinity, 0],
      [2 ** -149, 0],
    ])
    expect(even.map(([byBase]) => byBase)).toEqual([0, 0, 0])
  })
  test('the gradient by the exponent is 0 at 0, as in PyTorch, and NaN of negative bases', () => {
    const found = slopesOfBoth(t.pow, [
      [0, 0],
      [0, 2],
      [0, 0.5],
      [0, -1],
      [Infinity, -1],
      [-2, 2],
      [Math.E, 1],
    ])
    expect(found.map(([, byExponent]) => byExponent)).toEqual([
      0,
      0,
      0,
      -Infinity,
      0,
      NaN,
      Math.fround(Math.E),
    ])
  })
  test('second derivatives at 0 are those of the polynomial', () => {
    const unsigned = (x: number): number => x + 0
    const second = (b: number): number[] =>
      slopes((x) => t.grad((y: t.Tensor) => t.sum(t.pow(y, b)))(x), [0, 2]).map(unsigned)
    expect([0, 1, 2, 3, 4].map(second)).toEqual([
      [0, 0],
      [0, 0],
      [2, 2],
      [0, 12],
      [0, 48],
    ])
  })
  test('the derivative by both, where the exponent is 0, is that of the formula', () => {
    // d/db (b a^(b - 1)) = 1 / a at b = 0.
    const byBase = (b: t.Tensor): t.Tensor => t.grad((a: t.Tensor) => t.sum(t.pow(a, b)))(t.tensor([4, 0.5]))
    expect(slopes(byBase, [0, 0])).toEqual([0.25, 2])
  })
})

describe('roots, reciprocals and logarithms', () => {
  test('are exact where the result is', () => {
    expect(values(t.cbrt(t.tensor([27, -8, 2 ** -147, 0, -0, -Infinity])))).toEqual([
      3,
      -2,
      2 ** -49,
      0,
      -0,
      -Infinity,
    ])
    expect(values(t.log2(t.tensor([2 ** 127, 2 ** -149, 1, 0, -1])))).toEqual([127, -149, 0, -Infinity, NaN])
    expect(values(t.rsqrt(t.tensor([0.25, 0, -0, Infinity, -1])))).toEqual([2, Infinity, -Infinity, 0, NaN])
    expect(values(t.reciprocal(t.tensor([-4, 0, -0, -Infinity])))).toEqual([-0.25, Infinity, -Infinity, -0])
  })
  test('slopes are right wherever they can be encoded', () => {
    expect(slopes(t.reciprocal, [2 ** -60, 2 ** 60, Infinity])).toEqual([-(2 ** 120), -(2 ** -120), -0])
    expect(slopes(t.rsqrt, [2 ** -80, 2 ** 80, Infinity])).toEqual([-(2 ** 119), -(2 ** -121), -0])
    expect(slopes(t.cbrt, [8, 0, 2 ** -147])).toEqual(rounded([1 / 12, Infinity, 2 ** 98 / 3]))
    expect(slopes(t.log2, [2 ** 100, 2 ** -100])).toEqual(
      rounded([Math.LOG2E * 2 ** -100, Math.LOG2E * 2 ** 100]),
    )
  })
})

describe('hyperbolic functions', () => {
  test('end where float32 ends, not where exp does', () => {
    expect(values(t.sinh(t.tensor([89.4, -89.4, 89.5, -0])))).toEqual(
      rounded([Math.sinh(Math.fround(89.4)), -Math.sinh(Math.fround(89.4)), Infinity, -0]),
    )
    expect(values(t.cosh(t.tensor([89.4, 90, 0])))).toEqual(
      rounded([Math.sinh(Math.fround(89.4)), Infinity, 1]),
    )
    expect(values(t.atanh(t.tensor([1, -1, 2, -0])))).toEqual([Infinity, -Infinity, NaN, -0])
    expect(values(t.acosh(t.tensor([1, 0.5, Infinity])))).toEqual([0, NaN, Infinity])
  })
  test('slopes of inverses are right where squares would overflow', () => {
    expect(slopes(t.asinh, [0, 2 ** 100, -(2 ** 100)])).toEqual([1, 2 ** -100, 2 ** -100])
    expect(slopes(t.acosh, [2 ** 100, 1])).toEqual([2 ** -100, Infinity])
    expect(slopes(t.atanh, [0, 1 - 2 ** -24])[1]! / 2 ** 23).toBeCloseTo(1, 6)
  })
})
