import * as optim from '@tapeflow/optim'
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
  machine,
  noam,
  oneCycle,
  piecewise,
  polynomialDecay,
  type Schedule,
  stepDecay,
  warmup,
} from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import golden from './golden/schedules.json' with { type: 'json' }
import { scheduleRows } from './schedule-rows.ts'

const ratesOf: Readonly<Record<string, readonly number[]>> = golden.rates

describe.each(scheduleRows)('$name', ({ schedule, formula }) => {
  test('is its formula', () => {
    for (const step of [...Array(150).keys(), 997, 12_345, 1_000_003]) {
      const wanted = formula(step)
      expect(Math.abs(schedule(step) - wanted), `step ${step}: ${schedule(step)} for ${wanted}`).toBeLessThan(
        step < 150 ? 1e-13 : 1e-10,
      )
    }
  })
  test('is pure: steps in any order, the same again', () => {
    const forward = Array.from({ length: 60 }, (_, step) => schedule(step))
    const backward = Array.from({ length: 60 }, (_, step) => schedule(59 - step)).reverse()
    expect(backward).toEqual(forward)
  })
})

const withGolden = scheduleRows.filter((row) => row.golden !== undefined)
test.each(withGolden)('$name is what PyTorch has: $golden', ({ schedule, ...row }) => {
  for (const [step, rate] of ratesOf[row.golden!]!.entries())
    expect(Math.abs(schedule(step) - rate), `step ${step}: ${schedule(step)} for ${rate}`).toBeLessThan(1e-14)
})
test('all that PyTorch was run with is compared', () => {
  expect(new Set(withGolden.map((row) => row.golden))).toEqual(new Set(Object.keys(ratesOf)))
})

/** A schedule with what must hold of it. */
interface Law {
  readonly schedule: Schedule
  /** No rate is smaller or larger. */
  readonly bounds: readonly [number, number]
  /** Rates go one way only, up or down, from step `since` on. */
  readonly way?: 'up' | 'down'
  readonly since?: number
  /** Steps whose rate is known exactly. */
  readonly exact?: readonly (readonly [step: number, rate: number])[]
  /** No step changes the rate by more: left out where it jumps. */
  readonly slope?: number
}

const rate = fc.oneof(fc.constant(0), fc.double({ min: 1e-12, max: 1e3, noNaN: true }))
const count = fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1_000_000 }))
const kept = fc.double({ min: 1e-3, max: 1, noNaN: true })
const sorted = (a: number, b: number): readonly [number, number] => [Math.min(a, b), Math.max(a, b)]
const wayOf = (from: number, to: number): 'up' | 'down' => (from < to ? 'up' : 'down')

const laws: Readonly<Record<string, fc.Arbitrary<Law>>> = {
  constant: rate.map((value) => ({ schedule: constant(value), bounds: [value, value], way: 'up', slope: 0 })),
  linear: fc.tuple(rate, rate, count).map(([from, to, steps]) => ({
    schedule: linear({ from, to, steps }),
    bounds: sorted(from, to),
    way: wayOf(from, to),
    exact: [
      [0, from],
      [steps, to],
      [steps + 1, to],
      [1e9, to],
    ],
    slope: Math.abs(from - to) / steps,
  })),
  warmup: fc.tuple(rate, rate, count).map(([from, to, steps]) => ({
    schedule: warmup({ from, to, steps }),
    bounds: sorted(from, to),
    way: wayOf(from, to),
    exact: [
      [0, from],
      [steps, to],
      [1e9, to],
    ],
    slope: Math.abs(from - to) / steps,
  })),
  cosineDecay: fc.tuple(rate, rate, count).map(([from, to, steps]) => ({
    schedule: cosineDecay({ from, to, steps }),
    bounds: sorted(from, to),
    way: wayOf(from, to),
    exact: [
      [0, from],
      [steps, to],
      [1e9, to],
    ],
    slope: (Math.abs(from - to) * Math.PI) / 2 / steps,
  })),
  cosineRestarts: fc
    .tuple(
      rate,
      rate,
      count,
      fc.oneof(fc.constantFrom(1, 2, 3, 1.5), fc.double({ min: 1, max: 4, noNaN: true })),
      kept,
    )
    .map(([from, to, steps, periodFactor, restartFactor]) => {
      const second = from * restartFactor + to * (1 - restartFactor)
      return {
        schedule: cosineRestarts({ from, to, steps, periodFactor, restartFactor }),
        bounds: sorted(from, to),
        exact: [
          [0, from],
          [steps, second],
        ],
      }
    }),
  exponentialDecay: fc.tuple(rate, kept, count, fc.boolean()).map(([from, factor, steps, staircase]) => ({
    schedule: exponentialDecay({ from, factor, steps, staircase }),
    bounds: [0, from],
    way: 'down',
    exact: [
      [0, from],
      [steps, from * factor],
    ],
    ...(!staircase && { slope: from * (1 - factor ** (1 / steps)) }),
  })),
  stepDecay: fc.tuple(rate, kept, count).map(([from, factor, steps]) => ({
    schedule: stepDecay({ from, factor, steps }),
    bounds: [0, from],
    way: 'down',
    exact: [
      [steps - 1, from],
      [steps, from * factor],
    ],
  })),
  piecewise: fc.tuple(rate, rate, count).map(([first, second, boundary]) => ({
    schedule: piecewise([first, second], [boundary]),
    bounds: sorted(first, second),
    way: wayOf(first, second),
    exact: [
      [boundary - 1, first],
      [boundary, second],
      [1e9, second],
    ],
  })),
  polynomialDecay: fc
    .tuple(rate, rate, count, fc.double({ min: 0.1, max: 8, noNaN: true }), fc.boolean())
    .map(([from, to, steps, power, cycle]) => ({
      schedule: polynomialDecay({ from, to, steps, power, cycle }),
      bounds: sorted(from, to),
      ...(!cycle && { way: wayOf(from, to) }),
      exact: [
        [0, from],
        [steps, to],
        [7 * steps, to],
      ],
      ...(power >= 1 && !cycle && { slope: (Math.abs(from - to) * power) / steps }),
    })),
  inverseTimeDecay: fc.tuple(rate, rate, count, fc.boolean()).map(([from, decay, steps, staircase]) => ({
    schedule: inverseTimeDecay({ from, decay, steps, staircase }),
    bounds: [0, from],
    way: 'down',
    exact: [
      [0, from],
      [steps, from / (1 + decay)],
    ],
    ...(!staircase && { slope: (from * decay) / steps }),
  })),
  noam: fc.tuple(count, count, rate).map(([features, warmupSteps, factor]) => {
    const peak = factor / Math.sqrt(features * warmupSteps)
    return {
      schedule: noam({ features, warmupSteps, factor }),
      bounds: [0, peak],
      way: 'down',
      since: warmupSteps - 1,
      slope: peak / warmupSteps,
    }
  }),
  oneCycle: fc
    .tuple(
      rate,
      fc.integer({ min: 20, max: 100_000 }),
      fc.double({ min: 0.1, max: 0.45, noNaN: true }),
      fc.constantFrom('cosine' as const, 'linear' as const),
      fc.constantFrom(2 as const, 3 as const),
    )
    .map(([peak, steps, rising, shape, phases]) => ({
      schedule: oneCycle({ peak, steps, rising, shape, phases }),
      bounds: [peak / 25 / 1e4, peak],
      way: 'down',
      since: Math.ceil(rising * steps - 1),
      exact: [
        [0, peak / 25],
        [steps - 1, peak / 25 / 1e4],
        [1e9, peak / 25 / 1e4],
      ],
      // The shortest phase is the first, or the last of three.
      slope:
        (peak * Math.PI) /
        2 /
        Math.min(rising * steps - 1, ...(phases === 3 ? [(1 - 2 * rising) * steps] : [])),
    })),
  cyclic: fc
    .tuple(rate, rate, count, count, fc.constantFrom('triangular' as const, 'triangular2' as const))
    .map(([from, to, steps, stepsBack, mode]) => ({
      schedule: cyclic({ from, to, steps, stepsBack, mode }),
      bounds: sorted(from, to),
      exact: [
        [0, from],
        [steps, to],
        [steps + stepsBack, from],
        [9 * (steps + stepsBack), from],
      ],
      slope: Math.abs(from - to) / Math.min(steps, stepsBack),
    })),
  join: fc.tuple(rate, rate, count).map(([peak, end, steps]) => ({
    schedule: join([warmup({ to: peak, steps }), linear({ from: peak, to: end, steps })], [steps]),
    bounds: [0, Math.max(peak, end)],
    exact: [
      [0, 0],
      [steps, peak],
      [2 * steps, end],
    ],
    slope: Math.max(peak, Math.abs(peak - end)) / steps,
  })),
}

// Rounding: a few units in the last place.
const most = (bound: number): number => bound * (1 + 1e-12) + 1e-300

describe.each(Object.entries(laws))('%s with any options', (_, arbitrary) => {
  const atAnyStep = (check: (law: Law, step: number) => void): void => {
    const step = fc.oneof(fc.nat(100), fc.nat(2_000_000), fc.constantFrom(1e9, Number.MAX_SAFE_INTEGER - 1))
    fc.assert(fc.property(arbitrary, step, check), { numRuns: 300 })
  }

  test('is finite, never negative, and within its bounds, at any step', () => {
    atAnyStep(({ schedule, bounds: [least, largest] }, step) => {
      const value = schedule(step)
      expect(Number.isFinite(value) && value >= 0).toBe(true)
      expect(value).toBeGreaterThanOrEqual(least * (1 - 1e-12))
      expect(value).toBeLessThanOrEqual(most(largest))
    })
  })
  test('goes one way where it should, and no faster than its slope', () => {
    atAnyStep(({ schedule, way, since = 0, slope, bounds: [, largest] }, step) => {
      const [here, next] = [schedule(step), schedule(step + 1)]
      if (way !== undefined && step >= since) {
        const [low, high] = way === 'up' ? [here, next] : [next, here]
        expect(low).toBeLessThanOrEqual(most(high))
      }
      if (slope !== undefined)
        expect(Math.abs(next - here)).toBeLessThanOrEqual(slope * (1 + 1e-9) + largest * 1e-12)
    })
  })
  test('is exact where its doc comment says what the rate is', () => {
    fc.assert(
      fc.property(arbitrary, ({ schedule, exact = [] }) => {
        for (const [step, rate] of exact) expect(schedule(step), `step ${step}`).toBe(rate)
      }),
    )
  })
  test('refuses steps that are none', () => {
    fc.assert(
      fc.property(arbitrary, fc.constantFrom(-1, 0.5, Number.NaN, Infinity), ({ schedule }, step) => {
        expect(() => schedule(step)).toThrow(/^\w+: step must be an integer from 0 on, got /)
      }),
      { numRuns: 8 },
    )
  })
})

test('every schedule has laws', () => {
  // What returns a function of a number, of all that is exported.
  const made = new Set(scheduleRows.map(({ name }) => /^\w+/.exec(name)![0]))
  expect(new Set(Object.keys(laws))).toEqual(made)
  expect(Object.keys(optim)).toEqual(expect.arrayContaining([...made]))
})

describe('schedules that are each other', () => {
  const steps = [...Array(200).keys()]
  test('stepDecay is exponentialDecay on a staircase', () => {
    const options = { from: 0.3, factor: 0.7, steps: 9 }
    expect(steps.map(stepDecay(options))).toEqual(
      steps.map(exponentialDecay({ ...options, staircase: true })),
    )
  })
  test('piecewise is a join of constants', () => {
    const constants = join([constant(0.3), constant(0.2), constant(0.7)], [4, 90])
    expect(steps.map(piecewise([0.3, 0.2, 0.7], [4, 90]))).toEqual(steps.map(constants))
  })
  test('polynomialDecay of power 1 is linear', () => {
    const options = { from: 0.3, to: 0.1, steps: 90 }
    for (const step of steps) expect(polynomialDecay(options)(step)).toBeCloseTo(linear(options)(step), 15)
  })
  test('the first period of cosineRestarts is cosineDecay', () => {
    const options = { from: 0.3, to: 0.1, steps: 150 }
    expect(steps.slice(0, 150).map(cosineRestarts(options))).toEqual(
      steps.slice(0, 150).map(cosineDecay(options)),
    )
  })
  test('cosineRestarts is back at each restart, and not a step before', () => {
    const missed: string[] = []
    for (const periodFactor of [1, 2, 3, 5, 6, 7, 10]) {
      for (const steps of [2, 3, 7, 10, 49, 1000]) {
        const rate = cosineRestarts({ from: 0.3, to: 0.1, steps, periodFactor })
        for (let start = steps, period = steps; start < 1e5 * steps; start += period) {
          period *= periodFactor
          if (rate(start) !== 0.3 || rate(start - 1) >= 0.3) missed.push(`${periodFactor} ${steps} ${start}`)
        }
      }
    }
    expect(missed).toEqual([])
  })
  test('a cosineRestarts whose periods grow by a tenth restarts at whole steps exactly', () => {
    // 100 + 110 + 121: no sum of floating-point powers of 1.1 is that.
    const rate = cosineRestarts({ from: 0.3, steps: 100, periodFactor: 1.1 })
    expect([100, 210, 331].map(rate)).toEqual([0.3, 0.3, 0.3])
    expect([99, 209, 330].every((step) => rate(step) < 1e-3)).toBe(true)
  })
})

describe.each(scheduleRows)('$name composes with the scale of the machine', ({ schedule }) => {
  test('the rate is the schedule times rateScale, at any step and through scaleRate', () => {
    const optimizer = adam({ learningRate: schedule })
    const control = machine({}, { hyperparameters: optimizer.hyperparameters })
    const rates = (): unknown[] =>
      [0, 3, 40, 1e9].map((step) => optimizer.hyper(step, control.state).learningRate)
    const scheduled = [0, 3, 40, 1e9].map(schedule)
    expect(rates()).toEqual(scheduled)
    control.send({ type: 'scaleRate', factor: 0.5 })
    control.send({ type: 'scaleRate', factor: 0.2 })
    expect(rates()).toEqual(scheduled.map((rate) => rate * (0.5 * 0.2)))
    control.send({ type: 'setLearningRate', value: 3 })
    expect(rates()).toEqual([3, 3, 3, 3])
    control.send({ type: 'setLearningRate', value: null })
    control.send({ type: 'reset' })
    expect(rates()).toEqual(scheduled)
  })
})
