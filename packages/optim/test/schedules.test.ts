import { adam, constant, cosineDecay, join, type Schedule, sgd, warmup } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

describe('constant', () => {
  test('is the same at every step', () => {
    expect([0, 1, 1e6].map(constant(0.3))).toEqual([0.3, 0.3, 0.3])
  })
})

describe('warmup', () => {
  test('starts at `from`, reaches `to` exactly at `steps`, and stays', () => {
    const rate = warmup({ from: 0.1, to: 0.3, steps: 4 })
    expect([rate(0), rate(4), rate(5), rate(1e9)]).toEqual([0.1, 0.3, 0.3, 0.3])
    expect(rate(1)).toBeCloseTo(0.15, 15)
    expect(rate(3)).toBeCloseTo(0.25, 15)
  })
  test('starts at 0 where nothing else is said', () => {
    expect(warmup({ to: 1, steps: 8 })(0)).toBe(0)
    expect(warmup({ to: 1, steps: 8 })(2)).toBe(0.25)
  })
})

describe('cosineDecay', () => {
  test('starts at `from`, ends exactly at `to`, and stays', () => {
    const rate = cosineDecay({ from: 0.3, to: 0.1, steps: 10 })
    expect([rate(0), rate(10), rate(11)]).toEqual([0.3, 0.1, 0.1])
    expect(rate(5)).toBeCloseTo(0.2, 15)
  })
  test('is half a cosine between', () => {
    const rate = cosineDecay({ from: 2, steps: 7 })
    for (let step = 0; step <= 7; step++)
      expect(rate(step)).toBeCloseTo(1 + Math.cos((Math.PI * step) / 7), 14)
  })
})

describe('join', () => {
  test('starts each schedule from its own step 0', () => {
    const own: Schedule = (step) => step
    expect([0, 1, 2, 3, 4, 5, 9].map(join([own, own, own], [2, 5]))).toEqual([0, 1, 0, 1, 2, 0, 4])
  })
  test('is its only schedule where there is one', () => {
    expect(join([constant(2)], [])(77)).toBe(2)
  })
  test('goes on without a jump from a warm-up to a decay', () => {
    const rate = join([warmup({ to: 1e-3, steps: 100 }), cosineDecay({ from: 1e-3, steps: 900 })], [100])
    expect(rate(100)).toBe(1e-3)
    for (let step = 0; step < 1000; step++) expect(Math.abs(rate(step + 1) - rate(step))).toBeLessThan(1.1e-5)
    expect(rate(1000)).toBe(0)
  })
})

describe('the rate of an update', () => {
  const rate = (
    schedule: number | Schedule,
    step: number,
    control?: { rateScale: number; overrides: Record<string, number> },
  ) =>
    [
      sgd({ learningRate: schedule }),
      sgd({ learningRate: schedule, momentum: 0.5 }),
      adam({ learningRate: schedule }),
    ].map((optimizer) => optimizer.hyper(step, control).learningRate)
  const thrice = (value: number): number[] => [value, value, value]

  test('is the schedule at the step, in float64, times the scale', () => {
    expect(rate((step) => 0.1 + step, 3)).toEqual(thrice(3.1))
    expect(rate((step) => 0.1 + step, 3, { rateScale: 0.5, overrides: {} })).toEqual(thrice(1.55))
  })
  test('is the override where there is one, unscaled', () => {
    expect(rate(0.1, 3, { rateScale: 0.5, overrides: { learningRate: 0.7 } })).toEqual(thrice(0.7))
  })
  test('is refused where a schedule gives something else', () => {
    expect(() => adam({ learningRate: () => Number.NaN }).hyper(5)).toThrow(
      refusal(RangeError, "adam: the schedule's rate at step 5 must be a finite number from 0 on, got NaN"),
    )
  })
})

describe('refused', () => {
  test.each([
    [() => constant(-1), RangeError, 'constant: rate must be a finite number from 0 on, got -1'],
    [
      () => constant('1' as never),
      TypeError,
      'constant: rate must be a finite number from 0 on, got a string',
    ],
    [() => constant(1)(-1), RangeError, 'constant: step must be an integer from 0 on, got -1'],
    [() => warmup({ to: 1, steps: 0 }), RangeError, 'warmup: steps must be an integer from 1 on, got 0'],
    [
      () => warmup({ to: Number.NaN, steps: 1 }),
      RangeError,
      'warmup: to must be a finite number from 0 on, got NaN',
    ],
    [
      () => warmup({ from: -1, to: 1, steps: 1 }),
      RangeError,
      'warmup: from must be a finite number from 0 on, got -1',
    ],
    [
      () => warmup({ to: 1, steps: 1 })(0.5),
      RangeError,
      'warmup: step must be an integer from 0 on, got 0.5',
    ],
    [
      () => cosineDecay({ from: 1, steps: 1.5 }),
      RangeError,
      'cosineDecay: steps must be an integer from 1 on, got 1.5',
    ],
    [
      () => cosineDecay({ from: Infinity, steps: 1 }),
      RangeError,
      'cosineDecay: from must be a finite number from 0 on, got Infinity',
    ],
    [
      () => cosineDecay({ from: 1, to: -2, steps: 1 }),
      RangeError,
      'cosineDecay: to must be a finite number from 0 on, got -2',
    ],
    [
      () => cosineDecay({ from: 1, steps: 1 })(-3),
      RangeError,
      'cosineDecay: step must be an integer from 0 on, got -3',
    ],
    [() => join([], []), RangeError, 'join: at least one schedule is needed, got 0'],
    [
      () => join([0.1 as never], []),
      TypeError,
      'join: schedule 0 must be a function of the step, got a number; wrap a number in constant',
    ],
    [
      () => join([constant(1), constant(2)], []),
      RangeError,
      'join: 2 schedules need 1 boundaries, got 0; name the step at which each but the first starts',
    ],
    [
      () => join([constant(1), constant(2)], [0]),
      RangeError,
      'join: boundary 0 must be an integer from 1 on, got 0',
    ],
    [
      () => join([constant(1), constant(2), constant(3)], [5, 5]),
      RangeError,
      'join: boundaries must ascend, got 5, 5',
    ],
    [() => join([constant(1)], [])(-1), RangeError, 'join: step must be an integer from 0 on, got -1'],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })
})
