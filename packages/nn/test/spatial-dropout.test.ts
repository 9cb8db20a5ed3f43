import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { type Context, spatialDropout } from '../src/index.ts'
import { refusal } from './float64.ts'

const passWith = (seed: number): Context => ({ training: true, path: '', key: t.key(seed) })

describe('spatialDropout', () => {
  test('drops channels of each row by the mask of its key, and scales the rest by 1 / (1 - p)', () => {
    const [rows, height, width, channels] = [3, 2, 4, 5]
    const x = t.normal(t.key(9), [rows, height, width, channels])
    const mask = t.bernoulliValues(t.key(4), rows * channels, 0.8)
    const expected = x.toFloat32Array().map((value, i) => {
      const row = Math.floor(i / (height * width * channels))
      return Math.fround(value * Math.fround(mask[row * channels + (i % channels)]! * 1.25))
    })
    expect(spatialDropout(0.2).apply(null, null, x, passWith(4)).y.toFloat32Array()).toEqual(expected)
  })

  test('drops a share of p of the channels, others in each row, in sequences too', () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const { y } = spatialDropout(p).apply(null, null, t.ones([40, 3, 50]), passWith(5))
      const kept = y.toFloat32Array().filter((value) => value !== 0)
      expect(kept.every((value) => value === Math.fround(1 / (1 - p)))).toBe(true)
      // Four standard deviations of 2000 channels.
      expect(Math.abs(kept.length / 6000 - (1 - p))).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 2000))
      const [first, second] = [t.slice(y, 0, 1), t.slice(y, 1, 2)]
      if (p === 0.5) expect(first.toArray()).not.toEqual(second.toArray())
    }
  })

  test('is the identity at inference, and where nothing is dropped', () => {
    const x = t.ones([2, 3, 4])
    expect(spatialDropout(0.5).apply(null, null, x, { training: false, path: '' }).y).toBe(x)
    expect(spatialDropout(0).apply(null, null, x, { training: true, path: '' }).y).toBe(x)
  })

  test('refuses what is no probability, training without a key, and features without a place', () => {
    expect(() => spatialDropout(1)).toThrow(
      refusal(
        RangeError,
        'spatialDropout: p must be at least 0 and below 1, got 1; pass the share that is dropped',
      ),
    )
    const below: Context = { training: true, path: 'layers.2' }
    expect(() => spatialDropout(0.5).apply(null, null, t.ones([1, 2, 3]), below)).toThrow(
      refusal(
        TypeError,
        "spatialDropout: the layer at 'layers.2' needs a key while it trains; pass one in the context: { training: true, key: t.key(seed), path }",
      ),
    )
    expect(() => spatialDropout(0.5).apply(null, null, t.ones([2, 3]), below)).toThrow(
      refusal(
        RangeError,
        "spatialDropout: the layer at 'layers.2' takes places and channels, got an input of shape [2,3]; pass [rows, length, channels] or [rows, height, width, channels]",
      ),
    )
    expect(() => spatialDropout(0.5).init(t.key(1), [3])).toThrow(
      refusal(
        RangeError,
        'spatialDropout: the layer takes places and channels, got samples of shape [3]; pass [length, channels] or [height, width, channels]',
      ),
    )
  })
})
