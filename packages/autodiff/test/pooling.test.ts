import * as t from '@tapeflow/autodiff'
import { describe, expect, it } from 'vitest'

const values = (x: t.Tensor): number[] => Array.from(x.toFloat32Array())
const image = (rows: readonly (readonly number[])[]): t.Tensor =>
  t.reshape(t.tensor(rows), [1, rows.length, rows[0]!.length, 1])

describe('maxPool2d', () => {
  it('takes the largest, whatever surrounds the image: worked out by hand', () => {
    t.scope(() => {
      const x = image([
        [-1, -2, -3],
        [-4, -5, -6],
        [-7, -8, -9],
      ])
      expect(values(t.maxPool2d(x, 2))).toEqual([-1])
      expect(values(t.maxPool2d(x, 2, { padding: 'same' }))).toEqual([-1, -3, -7, -9])
      expect(values(t.maxPool2d(x, 2, { stride: 1 }))).toEqual([-1, -2, -4, -5])
    })
  })

  it('gives NaN for a window with a NaN, and to it the gradient', () => {
    t.scope(() => {
      const x = image([
        [1, NaN, 3, 4],
        [9, NaN, 5, 2],
      ])
      expect(values(t.maxPool2d(x, 2))).toEqual([NaN, 5])
      const gradient = t.grad((y: t.Tensor) => t.sum(t.maxPool2d(y, 2)))(x)
      expect(values(gradient)).toEqual([0, 1, 0, 0, 0, 0, 1, 0])
    })
  })

  it('gives the gradient of a tie to the first, and adds up where windows overlap', () => {
    t.scope(() => {
      const x = image([
        [7, 7, 7],
        [7, 7, 7],
      ])
      const gradient = t.grad((y: t.Tensor) => t.sum(t.maxPool2d(y, 2, { stride: 1, padding: 'same' })))(x)
      expect(values(gradient)).toEqual([1, 1, 1, 1, 1, 1])
      const peak = image([
        [0, 0, 0],
        [0, 9, 0],
        [0, 0, 0],
      ])
      const all = t.grad((y: t.Tensor) => t.sum(t.maxPool2d(y, 2, { stride: 1 })))(peak)
      expect(values(all)).toEqual([0, 0, 0, 0, 4, 0, 0, 0, 0])
    })
  })

  it('of -Infinity alone is -Infinity', () => {
    t.scope(() => {
      const x = t.full([1, 2, 2, 5], -Infinity)
      expect(values(t.maxPool2d(x, 2))).toEqual(new Array(5).fill(-Infinity))
    })
  })
})

describe('avgPool2d', () => {
  it('counts pixels inside, or the padding too', () => {
    t.scope(() => {
      const x = image([
        [4, 8, 12],
        [0, 4, 8],
        [8, 0, 4],
      ])
      expect(values(t.avgPool2d(x, 2, { padding: 'same' }))).toEqual([4, 10, 4, 4])
      const whole = t.avgPool2d(x, 2, { padding: 'same', countIncludePadding: true })
      expect(values(whole)).toEqual([4, 5, 2, 1])
    })
  })
})

describe('global pooling', () => {
  it('reduces both axes of space, and refuses what is no image', () => {
    t.scope(() => {
      const x = t.reshape(t.arange(24), [2, 2, 3, 2])
      expect(t.globalMaxPool2d(x).toArray()).toEqual([
        [10, 11],
        [22, 23],
      ])
      expect(t.globalAvgPool2d(x).toArray()).toEqual([
        [5, 6],
        [17, 18],
      ])
    })
    for (const pool of [t.globalMaxPool2d, t.globalAvgPool2d]) {
      expect(() => t.scope(() => pool(t.zeros([2, 3])))).toThrow(
        `${pool.name}: images must be [batch, height, width, channels], got shape [2,3]; reshape to four axes, channels last`,
      )
    }
  })
})
