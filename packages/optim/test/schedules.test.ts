import {
  adam,
  constant,
  cosineDecay,
  cosineRestarts,
  cyclic,
  exponentialDecay,
  inverseTimeDecay,
  join,
  linear,
  noam,
  oneCycle,
  piecewise,
  polynomialDecay,
  type Schedule,
  sgd,
  stepDecay,
  warmup,
} from '@tapeflow/optim'
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
    [
      () => linear({ from: 1, to: -1, steps: 1 }),
      RangeError,
      'linear: to must be a finite number from 0 on, got -1',
    ],
    [
      () => linear({ from: 1, steps: 1 } as never),
      TypeError,
      'linear: to must be a finite number from 0 on, got undefined',
    ],
    [
      () => cosineRestarts({ from: 1, steps: 5, periodFactor: 0.5 }),
      RangeError,
      'cosineRestarts: periodFactor must be a finite number from 1 on, got 0.5',
    ],
    [
      () => cosineRestarts({ from: 1, steps: 5, restartFactor: 1.5 }),
      RangeError,
      'cosineRestarts: restartFactor must be a finite number above 0 up to 1, got 1.5',
    ],
    [
      () => exponentialDecay({ from: 1, factor: 0 }),
      RangeError,
      'exponentialDecay: factor must be a finite number above 0 up to 1, got 0',
    ],
    [
      () => stepDecay({ from: 1, steps: 0 }),
      RangeError,
      'stepDecay: steps must be an integer from 1 on, got 0',
    ],
    [
      () => inverseTimeDecay({ from: 1, decay: -1 }),
      RangeError,
      'inverseTimeDecay: decay must be a finite number from 0 on, got -1',
    ],
    [
      () => polynomialDecay({ from: 1, steps: 5, power: 0 }),
      RangeError,
      'polynomialDecay: power must be a finite number above 0, got 0',
    ],
    [() => noam({ features: 0 }), RangeError, 'noam: features must be an integer from 1 on, got 0'],
    [() => piecewise([], []), RangeError, 'piecewise: at least one rate is needed, got 0'],
    [
      () => piecewise([1, -1], [5]),
      RangeError,
      'piecewise: rate 1 must be a finite number from 0 on, got -1',
    ],
    [
      () => piecewise([1, 2], [5, 6]),
      RangeError,
      'piecewise: 2 rates need 1 boundaries, got 2; name the step from which each but the first is taken',
    ],
    [() => piecewise([1, 2, 3], [5, 4]), RangeError, 'piecewise: boundaries must ascend, got 5, 4'],
    [() => oneCycle({ peak: 1, steps: 1 }), RangeError, 'oneCycle: steps must be an integer above 1, got 1'],
    [
      () => oneCycle({ peak: 1, steps: 9, rising: 1 }),
      RangeError,
      'oneCycle: rising must be a finite number above 0 to below 1, got 1',
    ],
    [
      () => oneCycle({ peak: 1, steps: 4, rising: 0.25 }),
      RangeError,
      'oneCycle: each phase must end behind the one before, got ends at steps 0, 3; change rising, or take more steps',
    ],
    [
      () => oneCycle({ peak: 1, steps: 10, rising: 0.75, phases: 3 }),
      RangeError,
      'oneCycle: each phase must end behind the one before, got ends at steps 6.5, 13, 9; change rising, or take more steps',
    ],
    [
      () => oneCycle({ peak: 1, steps: 9, endDivisor: 1e-320 }),
      RangeError,
      'oneCycle: the last rate must be a finite number from 0 on, got Infinity',
    ],
    [
      () => oneCycle({ peak: 1, steps: 9, shape: 'cos' as never }),
      RangeError,
      "oneCycle: shape must be 'cosine' or 'linear', got cos",
    ],
    [
      () => oneCycle({ peak: 1, steps: 9, phases: 4 as never }),
      RangeError,
      'oneCycle: phases must be 2 or 3, got 4',
    ],
    [
      () => cyclic({ from: 0, to: 1, steps: 5, stepsBack: 0 }),
      RangeError,
      'cyclic: stepsBack must be an integer from 1 on, got 0',
    ],
    [
      () => cyclic({ from: 0, to: 1, steps: 5, mode: 'exp_range' as never }),
      RangeError,
      "cyclic: mode must be 'triangular', 'triangular2' or 'expRange', got exp_range",
    ],
    [
      () => cyclic({ from: 0, to: 1, steps: 5, mode: 'expRange' }),
      TypeError,
      'cyclic: factor must be a finite number above 0 up to 1, got undefined',
    ],
    [
      () => cyclic({ from: 0, to: 1, steps: 5, factor: 0.9 }),
      RangeError,
      "cyclic: factor is of the mode 'expRange' only, got 0.9 in 'triangular'; leave it out",
    ],
    [() => join([constant(1)], [])(-1), RangeError, 'join: step must be an integer from 0 on, got -1'],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })
})
