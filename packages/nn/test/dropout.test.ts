import * as t from '@tapeflow/autodiff'
import { checkGradient } from '@tapeflow/autodiff/testing'
import { describe, expect, test } from 'vitest'
import { type Context, dropout, linear, sequential } from '../src/index.ts'
import { refusal } from './float64.ts'

const passWith = (seed: number): Context => ({ training: true, path: '', key: t.key(seed) })

describe('dropout', () => {
  const x = t.normal(t.key(9), [40, 50])
  const through = (ctx: Context, p = 0.2): Float32Array =>
    dropout(p).apply(null, null, x, ctx).y.toFloat32Array()

  test('drops by the mask of its key, and scales the rest by 1 / (1 - p)', () => {
    const mask = t.bernoulliValues(t.key(4), 2000, 0.8)
    const expected = x.toFloat32Array().map((value, i) => Math.fround(value * Math.fround(mask[i]! * 1.25)))
    expect(through(passWith(4))).toEqual(expected)
  })

  test('drops a share of p', () => {
    for (const p of [0.1, 0.5, 0.9]) {
      const dropped = through(passWith(5), p).filter((value) => value === 0).length / 2000
      // Four standard deviations.
      expect(Math.abs(dropped - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / 2000))
    }
  })

  test('draws another mask for another key, and the same for the same', () => {
    expect(through(passWith(1))).toEqual(through(passWith(1)))
    expect(through(passWith(1))).not.toEqual(through(passWith(2)))
  })

  test('is the identity at inference, and where nothing is dropped: no key is needed', () => {
    expect(dropout(0.5).apply(null, null, x, { training: false, path: '' }).y).toBe(x)
    expect(dropout(0).apply(null, null, x, { training: true, path: '' }).y).toBe(x)
  })

  test('passes cotangents through the same mask', () => {
    const { value, gradients } = t.vjp(
      (at) => dropout(0.5).apply(null, null, at, passWith(3)).y,
      x,
      t.ones([40, 50]),
    )
    const kept = value.toFloat32Array().map((y) => (y === 0 ? 0 : 2))
    expect(gradients.toFloat32Array()).toEqual(kept)
    const model = sequential(linear(3, 4), dropout(0.4), linear(4, 2))
    const { params, state } = model.init(t.key(1), [3])
    const input = t.normal(t.key(2), [5, 3])
    expect(
      checkGradient((at: typeof params) => model.apply(at, state, input, passWith(6)).y, params),
    ).toMatchObject({
      ok: true,
    })
  })

  test('has a mask of its own at every place of a chain', () => {
    const model = sequential(dropout(0.5), dropout(0.5))
    const { params, state } = model.init(t.key(1), [50])
    const kept = model.apply(params, state, t.ones([40, 50]), passWith(7)).y
    const share = kept.toFloat32Array().filter((value) => value !== 0).length / 2000
    expect(share).toBeGreaterThan(0.2)
    expect(share).toBeLessThan(0.3)
  })

  test('gives in a compiled function what it gives outside, with the key as an argument', () => {
    const f = (key: t.Key, at: t.Tensor): t.Tensor =>
      dropout(0.3).apply(null, null, at, { training: true, path: '', key: t.foldIn(key, 1) }).y
    const compiled = t.compile(f)
    for (const seed of [1, 2]) {
      expect(compiled(t.key(seed), x).toFloat32Array()).toEqual(f(t.key(seed), x).toFloat32Array())
    }
  })

  test('refuses what is no probability, and training without a key', () => {
    for (const p of [-0.1, 1, Number.NaN]) {
      expect(() => dropout(p)).toThrow(
        refusal(
          RangeError,
          `dropout: p must be at least 0 and below 1, got ${p}; pass the share that is dropped`,
        ),
      )
    }
    expect(() => dropout('0.5' as unknown as number)).toThrow(
      'dropout: p must be at least 0 and below 1, got a string; pass the share that is dropped',
    )
    expect(() => dropout(0.5).apply(null, null, x, { training: true, path: 'layers.2' })).toThrow(
      refusal(
        TypeError,
        "dropout: the layer at 'layers.2' needs a key while it trains; pass one in the context: { training: true, key: t.key(seed), path }",
      ),
    )
  })
})
