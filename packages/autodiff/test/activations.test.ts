import { describe, expect, it, test } from 'vitest'
import * as t from '../src/index.ts'

// Name, function, its derivative far to the left and far to the right.
const table: readonly (readonly [string, (x: t.Tensor) => t.Tensor, number, number])[] = [
  ['relu', t.relu, 0, 1],
  ['leakyRelu', (x) => t.leakyRelu(x), Math.fround(0.01), 1],
  ['elu', (x) => t.elu(x), 0, 1],
  ['selu', t.selu, 0, Math.fround(1.0507009873554805)],
  ['gelu', (x) => t.gelu(x), 0, 1],
  ["gelu, approximate: 'tanh'", (x) => t.gelu(x, { approximate: 'tanh' }), 0, 1],
  ['silu', t.silu, 0, 1],
  ['mish', t.mish, 0, 1],
  ['softplus', t.softplus, 0, 1],
  ['relu6', t.relu6, 0, 0],
  ['hardTanh', t.hardTanh, 0, 0],
  ['hardSigmoid', t.hardSigmoid, 0, 0],
  ['softsign', t.softsign, 0, 0],
  ['tanh', t.tanh, 0, 0],
  ['sigmoid', t.sigmoid, 0, 0],
  ['step', t.step, 0, 0],
  ['erf', t.erf, 0, 0],
]

const far = [150, 1e4, 1e20, 3.4028234663852886e38, Infinity]

describe('at extremes', () => {
  test.each(table)('%s has the derivatives of its limits', (_, f, left, right) => {
    const x = t.tensor([...far.map((size) => -size), ...far])
    const gradients = t
      .grad((at: t.Tensor) => t.sum(f(at)))(x)
      .toFloat32Array()
    const wanted = [...far.map(() => left), ...far.map(() => right)]
    for (const [i, value] of gradients.entries())
      expect(value, `at ${x.toFloat32Array()[i]}`).toBeCloseTo(wanted[i]!, 4)
  })

  test.each(table)('%s has second derivatives of 0 there', (_, f) => {
    const x = t.tensor([...far.slice(0, -1).map((size) => -size), ...far.slice(0, -1)])
    const slope = t.grad((at: t.Tensor) => t.sum(f(at)))
    const second = t
      .grad((at: t.Tensor) => t.sum(slope(at)))(x)
      .toFloat32Array()
    for (const [i, value] of second.entries()) expect(value, `at ${x.toFloat32Array()[i]}`).toBeCloseTo(0, 4)
  })

  test.each(table)('%s keeps NaN', (_, f) => {
    expect(f(t.tensor([NaN, 1])).toFloat32Array()[0]).toBeNaN()
  })
})

describe('at kinks', () => {
  const slopeAt = (f: (x: t.Tensor) => t.Tensor, x: number): number => t.grad(f)(t.tensor(x)).item()

  it('the gradient is the one that is stated', () => {
    expect(slopeAt(t.relu, 0)).toBe(0)
    expect(slopeAt((x) => t.leakyRelu(x, 0.5), 0)).toBe(0.5)
    expect(slopeAt((x) => t.elu(x, 0.5), 0)).toBe(0.5)
    expect(slopeAt(t.selu, 0)).toBe(Math.fround(1.0507009873554805 * 1.6732632423543772))
    expect([0, 6].map((x) => slopeAt(t.relu6, x))).toEqual([0, 0])
    expect([-1, 1].map((x) => slopeAt(t.hardTanh, x))).toEqual([0, 0])
    expect([-3, 3].map((x) => slopeAt(t.hardSigmoid, x))).toEqual([0, 0])
    expect(slopeAt(t.softsign, 0)).toBe(1)
    expect(slopeAt(t.step, 0)).toBe(0)
  })
})

describe('slopes and alphas are operands', () => {
  it('one for each channel learns, as PReLU does', () => {
    const x = t.tensor([
      [-8, 2],
      [-4, -6],
    ])
    const slopes = t.tensor([0.5, 0.25])
    expect(t.leakyRelu(x, slopes).toArray()).toEqual([
      [-4, 2],
      [-2, -1.5],
    ])
    expect(
      t
        .grad((slope: t.Tensor) => t.sum(t.leakyRelu(x, slope)))(slopes)
        .toArray(),
    ).toEqual([-12, -6])
  })

  it('the gradient of logAddExp halves between equal infinities', () => {
    const shares = t.grad(({ a, b }: { a: t.Tensor; b: t.Tensor }) => t.logAddExp(a, b))
    for (const x of [Infinity, -Infinity, 3]) {
      const { a, b } = shares({ a: t.tensor(x), b: t.tensor(x) })
      expect([a.item(), b.item()]).toEqual([0.5, 0.5])
    }
    const { a, b } = shares({ a: t.tensor(-Infinity), b: t.tensor(1) })
    expect([a.item(), b.item()]).toEqual([0, 1])
  })
})

// From 30 digits, so that a mistake in a reference is a mistake.
const known: readonly (readonly [
  string,
  (x: t.Tensor) => t.Tensor,
  readonly (readonly [x: number, y: number])[],
])[] = [
  [
    'erf',
    t.erf,
    [
      [-0.3, -0.328626759459],
      [1, 0.84270079295],
      [2.5, 0.999593047983],
    ],
  ],
  [
    'gelu',
    (x) => t.gelu(x),
    [
      [-10, -7.61985302416e-23],
      [-1, -0.158655253931],
      [2, 1.9544997361],
    ],
  ],
  [
    'geluTanh',
    t.geluTanh,
    [
      [-1, -0.158808009392],
      [2, 1.95459769409],
    ],
  ],
  [
    'silu',
    t.silu,
    [
      [-50, -9.64374923982e-21],
      [-1, -0.26894142137],
      [2, 1.76159415596],
    ],
  ],
  [
    'mish',
    t.mish,
    [
      [-50, -9.64374923982e-21],
      [-1, -0.303401461374],
      [2, 1.94395895953],
    ],
  ],
  [
    'softplus',
    t.softplus,
    [
      [-50, 1.92874984796e-22],
      [-1, 0.313261687518],
      [2, 2.12692801104],
    ],
  ],
]

describe('values are those of the textbook', () => {
  test.each(known)('%s', (_, f, pairs) => {
    for (const [x, y] of pairs) expect(f(t.tensor(x)).item() / y).toBeCloseTo(1, 5)
  })
})
