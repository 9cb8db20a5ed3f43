import {
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
  stepDecay,
  warmup,
} from '@tapeflow/optim'

/** A schedule with some options, as tests of formulas take it. */
export interface ScheduleRow {
  readonly name: string
  readonly schedule: Schedule
  /** The same, written from the source once more. */
  readonly formula: (step: number) => number
  /** What it is called in golden/schedules.json, where PyTorch has it. */
  readonly golden?: string
}

/** From a to b: all of a at 0, all of b at 1. */
const mixed = (a: number, b: number, share: number): number => a + (b - a) * share
const halfCosine = (a: number, b: number, share: number): number =>
  b + ((a - b) * (1 + Math.cos(Math.PI * share))) / 2

/** Loshchilov & Hutter, with T_cur and T_i counted step by step. */
const restarts =
  (from: number, to: number, steps: number, multiply: number, keep = 1) =>
  (step: number): number => {
    let current = step
    let period = steps
    let peak = from - to
    while (current >= period * (1 - 1e-12)) {
      current -= period
      period *= multiply
      peak *= keep
    }
    return to + (peak * (1 + Math.cos((Math.PI * Math.max(current, 0)) / period))) / 2
  }

/** PyTorch's doc comment: from here to there, phase by phase. */
const phases =
  (between: typeof mixed, ...ends: readonly (readonly [at: number, rate: number])[]) =>
  (step: number): number => {
    const [, last] = ends.at(-1)!
    for (const [i, [at, rate]] of ends.entries()) {
      const [before, start] = ends[Math.max(i - 1, 0)]!
      if (i > 0 && step <= at) return between(start, rate, (step - before) / (at - before))
    }
    return last
  }

/** Smith 2017, section 3.1, as its Lua code has it. */
const triangle =
  (from: number, to: number, steps: number, height: (cycle: number, step: number) => number) =>
  (step: number): number => {
    const cycle = Math.floor(1 + step / (2 * steps))
    const x = Math.abs(step / steps - 2 * cycle + 1)
    return from + (to - from) * Math.max(0, 1 - x) * height(cycle, step)
  }

/** Every schedule, with options that differ. */
export const scheduleRows: readonly ScheduleRow[] = [
  { name: 'constant', schedule: constant(0.4), formula: () => 0.4 },
  {
    name: 'linear, up',
    schedule: linear({ from: 0.1, to: 0.4, steps: 12 }),
    formula: (step) => mixed(0.1, 0.4, Math.min(step / 12, 1)),
    golden: 'LinearLR',
  },
  {
    name: 'linear, down',
    schedule: linear({ from: 0.4, to: 0.1, steps: 7 }),
    formula: (step) => mixed(0.4, 0.1, Math.min(step / 7, 1)),
  },
  {
    name: 'warmup',
    schedule: warmup({ from: 0.1, to: 0.4, steps: 12 }),
    formula: (step) => mixed(0.1, 0.4, Math.min(step / 12, 1)),
    golden: 'LinearLR',
  },
  {
    name: 'cosineDecay',
    schedule: cosineDecay({ from: 0.4, to: 0.1, steps: 40 }),
    formula: (step) => halfCosine(0.4, 0.1, Math.min(step / 40, 1)),
    golden: 'CosineAnnealingLR',
  },
  {
    name: 'cosineRestarts',
    schedule: cosineRestarts({ from: 0.4, to: 0.1, steps: 10 }),
    formula: restarts(0.4, 0.1, 10, 1),
    golden: 'CosineAnnealingWarmRestarts',
  },
  {
    name: 'cosineRestarts, periods twice as long',
    schedule: cosineRestarts({ from: 0.4, steps: 7, periodFactor: 2 }),
    formula: restarts(0.4, 0, 7, 2),
    golden: 'CosineAnnealingWarmRestarts, T_mult 2',
  },
  {
    name: 'cosineRestarts, periods thrice as long',
    schedule: cosineRestarts({ from: 0.4, steps: 4, periodFactor: 3 }),
    formula: restarts(0.4, 0, 4, 3),
    golden: 'CosineAnnealingWarmRestarts, T_mult 3',
  },
  {
    name: 'cosineRestarts, periods that end between steps, and lower peaks',
    schedule: cosineRestarts({ from: 0.4, to: 0.1, steps: 5, periodFactor: 1.3, restartFactor: 0.8 }),
    formula: restarts(0.4, 0.1, 5, 1.3, 0.8),
  },
  {
    name: 'exponentialDecay',
    schedule: exponentialDecay({ from: 0.4, factor: 0.9 }),
    formula: (step) => 0.4 * 0.9 ** step,
    golden: 'ExponentialLR',
  },
  {
    name: 'exponentialDecay over steps',
    schedule: exponentialDecay({ from: 0.4, factor: 0.5, steps: 7 }),
    formula: (step) => 0.4 * Math.exp((step / 7) * Math.log(0.5)),
  },
  {
    name: 'exponentialDecay, staircase',
    schedule: exponentialDecay({ from: 0.4, factor: 0.5, steps: 7, staircase: true }),
    formula: (step) => 0.4 * 0.5 ** Math.floor(step / 7),
    golden: 'StepLR',
  },
  {
    name: 'stepDecay',
    schedule: stepDecay({ from: 0.4, factor: 0.5, steps: 7 }),
    formula: (step) => 0.4 * 0.5 ** ((step - (step % 7)) / 7),
    golden: 'StepLR',
  },
  {
    name: 'stepDecay by a tenth',
    schedule: stepDecay({ from: 0.4, steps: 20 }),
    formula: (step) => 0.4 / 10 ** ((step - (step % 20)) / 20),
    golden: 'StepLR by default',
  },
  {
    name: 'piecewise',
    schedule: piecewise([0.4, 0.2, 0.1, 0.05], [5, 6, 30]),
    formula: (step) => (step < 5 ? 0.4 : step < 6 ? 0.2 : step < 30 ? 0.1 : 0.05),
    golden: 'MultiStepLR',
  },
  {
    name: 'polynomialDecay',
    schedule: polynomialDecay({ from: 0.4, steps: 40, power: 0.9 }),
    formula: (step) => 0.4 * Math.max(1 - step / 40, 0) ** 0.9,
    golden: 'PolynomialLR',
  },
  {
    name: 'polynomialDecay, Keras with cycle',
    schedule: polynomialDecay({ from: 0.4, to: 0.1, steps: 9, power: 2, cycle: true }),
    formula: (step) => {
      const length = 9 * Math.max(Math.ceil(step / 9), 1)
      return (0.4 - 0.1) * (1 - step / length) ** 2 + 0.1
    },
  },
  {
    name: 'inverseTimeDecay',
    schedule: inverseTimeDecay({ from: 0.4, decay: 0.5, steps: 10 }),
    formula: (step) => 0.4 / (1 + (0.5 * step) / 10),
  },
  {
    name: 'inverseTimeDecay, staircase',
    schedule: inverseTimeDecay({ from: 0.4, decay: 0.5, steps: 10, staircase: true }),
    formula: (step) => 0.4 / (1 + 0.5 * Math.trunc(step / 10)),
  },
  {
    name: 'noam',
    schedule: noam({ features: 512, warmupSteps: 20, factor: 2 }),
    formula: (step) => 2 * 512 ** -0.5 * Math.min((step + 1) ** -0.5, (step + 1) * 20 ** -1.5),
  },
  {
    name: 'oneCycle',
    schedule: oneCycle({ peak: 0.4, steps: 61 }),
    formula: phases(halfCosine, [0, 0.016], [17.3, 0.4], [60, 1.6e-6]),
    golden: 'OneCycleLR',
  },
  {
    name: 'oneCycle of straight lines',
    schedule: oneCycle({
      peak: 0.4,
      steps: 50,
      rising: 0.25,
      startDivisor: 10,
      endDivisor: 100,
      shape: 'linear',
    }),
    formula: phases(mixed, [0, 0.04], [11.5, 0.4], [49, 4e-4]),
    golden: 'OneCycleLR, linear',
  },
  {
    name: 'oneCycle of three phases',
    schedule: oneCycle({ peak: 0.4, steps: 61, rising: 0.4, phases: 3 }),
    formula: phases(halfCosine, [0, 0.016], [23.4, 0.4], [46.8, 0.016], [60, 1.6e-6]),
    golden: 'OneCycleLR, three phases',
  },
  {
    name: 'oneCycle of three straight lines',
    schedule: oneCycle({ peak: 0.4, steps: 45, phases: 3, shape: 'linear' }),
    formula: phases(mixed, [0, 0.016], [12.5, 0.4], [25, 0.016], [44, 1.6e-6]),
    golden: 'OneCycleLR, three phases, linear',
  },
  {
    name: 'cyclic',
    schedule: cyclic({ from: 0.1, to: 0.4, steps: 8 }),
    formula: triangle(0.1, 0.4, 8, () => 1),
    golden: 'CyclicLR',
  },
  {
    name: 'cyclic, triangular2',
    schedule: cyclic({ from: 0.1, to: 0.4, steps: 8, mode: 'triangular2' }),
    formula: triangle(0.1, 0.4, 8, (cycle) => 1 / 2 ** (cycle - 1)),
  },
  {
    name: 'cyclic, triangular2, longer back than up',
    schedule: cyclic({ from: 0.1, to: 0.4, steps: 5, stepsBack: 11, mode: 'triangular2' }),
    formula: (step) => {
      const x = (step / 16) % 1
      const way = x <= 5 / 16 ? x / (5 / 16) : (x - 1) / (5 / 16 - 1)
      return 0.1 + 0.3 * way * 0.5 ** Math.floor(step / 16)
    },
    golden: 'CyclicLR, triangular2',
  },
  {
    name: 'cyclic, expRange',
    schedule: cyclic({ from: 0.1, to: 0.4, steps: 8, mode: 'expRange', factor: 0.97 }),
    formula: triangle(0.1, 0.4, 8, (_, step) => 0.97 ** step),
    golden: 'CyclicLR, exp_range',
  },
  {
    name: 'join',
    schedule: join([warmup({ to: 0.4, steps: 10 }), inverseTimeDecay({ from: 0.4, decay: 1 })], [10]),
    formula: (step) => (step < 10 ? (0.4 * step) / 10 : 0.4 / (step - 9)),
  },
]
