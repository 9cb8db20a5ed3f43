import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  constant,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  identityMatrix,
  lecunNormal,
  lecunUniform,
  linear,
  normal,
  ones,
  orthogonal,
  truncatedNormal,
  uniform,
  varianceScaling,
  zeros,
} from '../src/index.ts'
import { expectClose, refusal } from './float64.ts'

const [fanIn, fanOut] = [50, 30]
const shape = [500, 400]
const glorot = 2 / (fanIn + fanOut)
const he = 2 / fanIn
// sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)), with Phi(2) from tables
const truncated = Math.sqrt(1 - (4 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / (2 * 0.9772498680518208 - 1))

/** What numbers of variance 1 look like: the largest, the fourth moment and its standard error over n draws times sqrt(n). */
const uniformly = { limit: Math.sqrt(3), kurtosis: 1.8, error: Math.sqrt(9 - 1.8 ** 2) }
const normally = { limit: Number.POSITIVE_INFINITY, kurtosis: 3, error: Math.sqrt(105 - 9) }
const cutNormally = { limit: 2 / truncated, kurtosis: 2.3663, error: 3.7 }

interface Drawn {
  readonly name: string
  readonly initializer: Initializer
  readonly variance: number
  readonly form: typeof uniformly
  /** The words for what its variance is divided by. */
  readonly fan?: string
}

const named: readonly Drawn[] = [
  {
    name: 'glorotUniform',
    initializer: glorotUniform,
    variance: glorot,
    form: uniformly,
    fan: 'fanIn + fanOut',
  },
  {
    name: 'glorotNormal',
    initializer: glorotNormal,
    variance: glorot,
    form: cutNormally,
    fan: 'fanIn + fanOut',
  },
  { name: 'heUniform', initializer: heUniform, variance: he, form: uniformly, fan: 'fanIn' },
  { name: 'heNormal', initializer: heNormal, variance: he, form: cutNormally, fan: 'fanIn' },
  { name: 'lecunUniform', initializer: lecunUniform, variance: 1 / fanIn, form: uniformly, fan: 'fanIn' },
  { name: 'lecunNormal', initializer: lecunNormal, variance: 1 / fanIn, form: cutNormally, fan: 'fanIn' },
  { name: 'normal', initializer: normal({ standardDeviation: 3 }), variance: 9, form: normally },
  {
    name: 'truncatedNormal',
    initializer: truncatedNormal({ standardDeviation: 3 }),
    variance: (3 * truncated) ** 2,
    form: cutNormally,
  },
  { name: 'uniform', initializer: uniform({ low: -3, high: 3 }), variance: 3, form: uniformly },
  {
    name: 'varianceScaling',
    initializer: varianceScaling(),
    variance: 1 / fanIn,
    form: cutNormally,
    fan: 'fanIn',
  },
]

const forms = { uniform: uniformly, normal: normally, truncatedNormal: cutNormally } as const
const fans = { fanIn, fanOut, fanAverage: (fanIn + fanOut) / 2 } as const
const scalings = (['uniform', 'normal', 'truncatedNormal'] as const).flatMap((distribution) =>
  (['fanIn', 'fanOut', 'fanAverage'] as const).map(
    (mode): Drawn => ({
      name: `varianceScaling by ${mode}, ${distribution},`,
      initializer: varianceScaling({ scale: 5, mode, distribution }),
      variance: 5 / fans[mode],
      form: forms[distribution],
    }),
  ),
)

describe('initialisers', () => {
  test.each([...named, ...scalings])(
    '$name has mean 0, its variance, its limit and its kurtosis over 200,000 draws',
    ({ initializer, variance, form }) => {
      const values = initializer(t.key(11), shape, fanIn, fanOut).toFloat32Array()
      const n = values.length
      const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / n
      // Five standard errors: deviations of a mean, of a variance and of a fourth moment over n draws.
      expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(variance / n))
      expect(Math.abs(moment(2) / variance - 1)).toBeLessThan(5 * Math.sqrt((form.kurtosis - 1) / n))
      expect(Math.abs(moment(4) / variance ** 2 - form.kurtosis)).toBeLessThan(
        (5 * form.error) / Math.sqrt(n),
      )
      const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
      const limit = form.limit * Math.sqrt(variance)
      expect(most).toBeLessThanOrEqual(Math.fround(limit) * (1 + 2 ** -23))
      expect(most).toBeGreaterThan(0.999 * Math.min(limit, 4 * Math.sqrt(variance)))
    },
  )

  for (const { name, initializer, fan } of named) {
    test(`${name} gives the same numbers for the same key, the first ones whatever the shape`, () => {
      const draw = (seed: number, shape: t.Shape): Float32Array =>
        initializer(t.key(seed), shape, fanIn, fanOut).toFloat32Array()
      expect(draw(3, [100])).toEqual(draw(3, [10, 10]))
      expect(draw(3, [1000]).slice(0, 100)).toEqual(draw(3, [100]))
      expect(draw(3, [100])).not.toEqual(draw(4, [100]))
    })

    if (fan === undefined) continue
    test(`${name} refuses fans that give no variance`, () => {
      expect(() => initializer(t.key(1), [2], 0, 0)).toThrow(
        refusal(
          RangeError,
          `${name}: ${fan} must be a finite number above 0, got 0; pass the sizes of the layer`,
        ),
      )
    })
  }

  test('the named ones are cases of varianceScaling', () => {
    const draw = (initializer: Initializer): unknown => initializer(t.key(2), [7, 5], 7, 5).toArray()
    expect(draw(heNormal)).toEqual(draw(varianceScaling({ scale: 2 })))
    expect(draw(heUniform)).toEqual(draw(varianceScaling({ scale: 2, distribution: 'uniform' })))
    expect(draw(glorotNormal)).toEqual(draw(varianceScaling({ mode: 'fanAverage' })))
    expect(draw(glorotUniform)).toEqual(
      draw(varianceScaling({ mode: 'fanAverage', distribution: 'uniform' })),
    )
    expect(draw(lecunNormal)).toEqual(draw(varianceScaling()))
    expect(draw(lecunUniform)).toEqual(draw(varianceScaling({ distribution: 'uniform' })))
  })

  test('the normal ones keep nothing that was refused: no value is drawn twice', () => {
    const values = heNormal(t.key(5), [20000], fanIn, fanOut).toFloat32Array()
    expect(new Set(values).size).toBeGreaterThan(0.995 * values.length)
  })

  test('means are added', () => {
    const around = (initializer: Initializer): readonly number[] => [
      ...initializer(t.key(2), [9], 1, 1).toFloat32Array(),
    ]
    const shifted = around(truncatedNormal({ mean: 10, standardDeviation: 0.5 }))
    expect(shifted.every((value) => value >= 9 && value <= 11)).toBe(true)
    expect(around(normal({ mean: 10 })).every((value) => Math.abs(value - 10) < 0.5)).toBe(true)
  })

  test('zeros, ones, constant and identityMatrix are what they say', () => {
    expect(zeros(t.key(1), [2], 1, 1).toArray()).toEqual([0, 0])
    expect(ones(t.key(1), [2], 1, 1).toArray()).toEqual([1, 1])
    expect(constant(-3)(t.key(1), [2], 1, 1).toArray()).toEqual([-3, -3])
    expect(identityMatrix({ gain: 2 })(t.key(1), [3, 2], 1, 1).toArray()).toEqual([
      [2, 0],
      [0, 2],
      [0, 0],
    ])
  })

  test('leave nothing behind but what they give', () => {
    const before = t.memory().tensors
    const made = [...named.map(({ initializer }) => initializer), identityMatrix(), orthogonal(), constant(1)]
    const drawn = made.map((initializer) => initializer(t.key(1), [4, 6], 4, 6))
    expect(t.memory().tensors).toBe(before + drawn.length)
  })

  const bad: readonly (readonly [() => unknown, string])[] = [
    [() => constant(Number.NaN), 'constant: the value must be a finite number, got NaN'],
    [() => normal({ mean: Number.NaN }), 'normal: mean must be a finite number, got NaN'],
    [
      () => normal({ standardDeviation: -1 }),
      'normal: standardDeviation must be a finite number from 0 on, got -1',
    ],
    [
      () => truncatedNormal({ standardDeviation: Number.POSITIVE_INFINITY }),
      'truncatedNormal: standardDeviation must be a finite number from 0 on, got Infinity',
    ],
    [() => uniform({ low: 1 }), 'uniform: low must be below high and both finite, got low 1 and high 0.05'],
    [() => varianceScaling({ scale: 0 }), 'varianceScaling: scale must be a finite number above 0, got 0'],
    [
      // @ts-expect-error an unknown name
      () => varianceScaling({ mode: 'fan_in' }),
      "varianceScaling: unknown mode 'fan_in'; use fanIn, fanOut, fanAverage",
    ],
    [
      // @ts-expect-error an unknown name
      () => varianceScaling({ distribution: 'cauchy' }),
      "varianceScaling: unknown distribution 'cauchy'; use truncatedNormal, normal, uniform",
    ],
    [() => identityMatrix({ gain: Number.NaN }), 'identityMatrix: gain must be a finite number, got NaN'],
    [
      () => identityMatrix()(t.key(1), [2], 2, 2),
      'identityMatrix: the shape must be [rows, columns], got [2]; use it for matrices',
    ],
    [() => orthogonal({ gain: Number.NaN }), 'orthogonal: gain must be a finite number, got NaN'],
    [
      () => orthogonal()(t.key(1), [2], 2, 2),
      'orthogonal: the shape must have rank 2 or more, got [2]; use it for weights',
    ],
  ]
  test.each(bad)('refuse what makes no sense: %s', (call, message) => {
    expect(call).toThrow(refusal(RangeError, message))
  })
})

describe('orthogonal', () => {
  /** The largest deviation of the products of rows, or of columns where there are fewer, from those of an orthogonal matrix. */
  function deviation(values: ArrayLike<number>, rows: number, columns: number, gain: number): number {
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
    const at = (i: number, k: number): number =>
      rows < columns ? values[i * columns + k]! : values[k * columns + i]!
    let worst = 0
    for (let i = 0; i < count; i++) {
      for (let j = 0; j <= i; j++) {
        let product = 0
        for (let k = 0; k < length; k++) product += at(i, k) * at(j, k)
        worst = Math.max(worst, Math.abs(product - (i === j ? gain ** 2 : 0)))
      }
    }
    return worst
  }

  test.each<readonly [shape: t.Shape, rows: number, columns: number]>([
    [[1, 1], 1, 1],
    [[7, 7], 7, 7],
    [[64, 64], 64, 64],
    [[100, 37], 100, 37],
    [[5, 90], 5, 90],
    [[3, 3, 4, 16], 36, 16],
    [[3, 3, 1, 16], 9, 16],
    [[2, 3, 5], 6, 5],
  ])('gives rows or columns of length gain at right angles: %j', (wanted, rows, columns) => {
    for (const seed of [1, 2, 3]) {
      const drawn = orthogonal({ gain: 1.5 })(t.key(seed), wanted, 1, 1)
      expect(drawn.shape).toEqual(wanted)
      expect(deviation(drawn.toFloat32Array(), rows, columns, 1.5)).toBeLessThan(3e-6)
    }
  })

  test('is orthogonal within 1e-5 where what is drawn is nearly singular: 2,000 small squares', () => {
    const draw = orthogonal()
    const worst = t.fold(
      0,
      Array.from({ length: 2000 }, (_, i) => i),
      (most, seed) => Math.max(most, deviation(draw(t.key(seed), [3, 3], 3, 3).toFloat32Array(), 3, 3, 1)),
    )
    expect(worst).toBeLessThan(1e-5)
  })

  test('is uniform: moments of the trace, the elements and the determinant are those of the Haar measure', () => {
    const n = 2000
    const size = 3
    const compiled = t.compile((key: t.Key) => orthogonal()(key, [size, size], size, size))
    const draws = Array.from({ length: n }, (_, seed) =>
      t.scope(() => [...compiled(t.key(seed)).toFloat32Array()]),
    )
    compiled.dispose()
    const mean = (f: (q: readonly number[]) => number): number => draws.reduce((sum, q) => sum + f(q), 0) / n
    const trace = (q: readonly number[]): number => q[0]! + q[4]! + q[8]!
    // Diaconis & Shahshahani 1994: E tr = 0, E tr² = 1; each within five standard errors.
    const error = 5 / Math.sqrt(n)
    expect(Math.abs(mean(trace))).toBeLessThan(error)
    expect(Math.abs(mean((q) => trace(q) ** 2) - 1)).toBeLessThan(error * Math.sqrt(2))
    for (let i = 0; i < size * size; i++) {
      // An element is that of a uniform point of the sphere: E q = 0, E q² = 1/3, E q⁴ = 3 / (3 5).
      expect(Math.abs(mean((q) => q[i]!))).toBeLessThan(error / Math.sqrt(3))
      expect(Math.abs(mean((q) => q[i]! ** 2) - 1 / 3)).toBeLessThan(error * Math.sqrt(1 / 5 - 1 / 9))
    }
    const determinant = ([a, b, c, d, e, f, g, h, i]: readonly number[]): number =>
      a! * (e! * i! - f! * h!) - b! * (d! * i! - f! * g!) + c! * (d! * h! - e! * g!)
    expect(mean((q) => Math.abs(determinant(q)))).toBeCloseTo(1, 5)
    expect(Math.abs(mean(determinant))).toBeLessThan(error)
  })

  test('keeps lengths through a hundred layers', () => {
    const layer = linear(16, 16, { weight: orthogonal() })
    const x = t.normal(t.key(9), [4, 16])
    const lengths = (rows: t.Tensor): readonly number[] => [...t.norm(rows, { axis: 1 }).toFloat32Array()]
    let y = x
    for (let i = 0; i < 100; i++) {
      const { params, state } = layer.init(t.key(i), [16])
      y = layer.apply(params, state, y, { training: false, path: '' }).y
    }
    for (const [i, length] of lengths(y).entries()) expect(length / lengths(x)[i]!).toBeCloseTo(1, 4)
  })

  test('is the first columns of a larger one, with positive products: Gram-Schmidt of what is drawn', () => {
    const drawn = t.normal(t.key(4), [3, 5]).toFloat32Array()
    const rows = [0, 1, 2].map((i) => Array.from(drawn.subarray(5 * i, 5 * i + 5)))
    const dot = (a: readonly number[], b: readonly number[]): number =>
      a.reduce((sum, v, k) => sum + v * b[k]!, 0)
    const found: number[][] = []
    for (const row of rows) {
      const rest = found.reduce((v, q) => v.map((value, k) => value - dot(v, q) * q[k]!), row)
      found.push(rest.map((value) => value / Math.sqrt(dot(rest, rest))))
    }
    expectClose(orthogonal()(t.key(4), [3, 5], 3, 5).toFloat32Array(), found.flat(), 1e-6)
  })

  test('gives nothing for no rows', () => {
    expect(orthogonal()(t.key(1), [0, 3], 0, 3).shape).toEqual([0, 3])
  })
})
