import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  ones,
  zeros,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const [fanIn, fanOut] = [50, 30]
const shape = [500, 400]
const glorot = 2 / (fanIn + fanOut)
const he = 2 / fanIn
// sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)), with Phi(2) from tables
const truncated = Math.sqrt(1 - (4 * Math.exp(-2)) / Math.sqrt(2 * Math.PI) / (2 * 0.9772498680518208 - 1))

/** Each with its variance, the largest value it may give, and the fourth moment over the squared variance. */
const rows: readonly (readonly [string, Initializer, number, number, number])[] = [
  ['glorotUniform', glorotUniform, glorot, Math.sqrt(3 * glorot), 1.8],
  ['heUniform', heUniform, he, Math.sqrt(3 * he), 1.8],
  ['glorotNormal', glorotNormal, glorot, (2 / truncated) * Math.sqrt(glorot), 2.3663],
  ['heNormal', heNormal, he, (2 / truncated) * Math.sqrt(he), 2.3663],
]

describe('initialisers', () => {
  for (const [name, initializer, variance, limit, kurtosis] of rows) {
    test(`${name} has mean 0, its variance, its limit and its kurtosis over 200,000 draws`, () => {
      const values = initializer(t.key(11), shape, fanIn, fanOut).toFloat32Array()
      const n = values.length
      const moment = (power: number): number => values.reduce((sum, value) => sum + value ** power, 0) / n
      // Five standard errors: deviations of a mean and of a variance over n draws.
      expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(variance / n))
      expect(Math.abs(moment(2) / variance - 1)).toBeLessThan(5 * Math.sqrt((kurtosis - 1) / n))
      expect(Math.abs(moment(4) / variance ** 2 - kurtosis)).toBeLessThan(0.03)
      const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
      expect(most).toBeLessThanOrEqual(Math.fround(limit) * (1 + 2 ** -23))
      expect(most).toBeGreaterThan(0.999 * limit)
    })

    test(`${name} gives the same numbers for the same key, the first ones whatever the shape`, () => {
      const draw = (seed: number, shape: t.Shape): Float32Array =>
        initializer(t.key(seed), shape, fanIn, fanOut).toFloat32Array()
      expect(draw(3, [100])).toEqual(draw(3, [10, 10]))
      expect(draw(3, [1000]).slice(0, 100)).toEqual(draw(3, [100]))
      expect(draw(3, [100])).not.toEqual(draw(4, [100]))
    })

    test(`${name} refuses fans that give no variance`, () => {
      const what = name.startsWith('he') ? 'fanIn' : 'fanIn + fanOut'
      expect(() => initializer(t.key(1), [2], 0, 0)).toThrow(
        refusal(
          RangeError,
          `${name}: ${what} must be a finite number above 0, got 0; pass the sizes of the layer`,
        ),
      )
    })
  }

  test('the normal ones keep nothing that was refused: no value is drawn twice', () => {
    const values = heNormal(t.key(5), [20000], fanIn, fanOut).toFloat32Array()
    expect(new Set(values).size).toBeGreaterThan(0.995 * values.length)
  })

  test('zeros and ones are what they say', () => {
    expect(zeros(t.key(1), [2], 1, 1).toArray()).toEqual([0, 0])
    expect(ones(t.key(1), [2], 1, 1).toArray()).toEqual([1, 1])
  })
})
