import * as t from '@tapeflow/autodiff'
import {
  adadelta,
  adagrad,
  adam,
  adamax,
  adamw,
  amsgrad,
  chain,
  descend,
  momentum,
  nadam,
  type Optimizer,
  radam,
  rmsprop,
  scaleByAdam,
  scaleByAdamax,
  scaleByRadam,
  scaleByRms,
} from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

type State = { params: t.Tensor; slots: Record<string, t.Tensor> }

/** All states of a run on given gradients, as numbers: parameters, and each slot. */
function run(
  optimizer: Optimizer<string>,
  start: readonly number[],
  gradients: readonly (readonly number[])[],
  steps: readonly number[] = gradients.map((_, i) => i),
): { params: number[]; slots: Record<string, number[]> }[] {
  const seen: { params: number[]; slots: Record<string, number[]> }[] = []
  t.scope(() => {
    const params = t.tensor([...start])
    const first: State = { params, slots: optimizer.init(params) }
    t.fold(first, gradients.keys(), (now, i) => {
      const next = optimizer.update(
        t.tensor([...gradients[i]!]),
        now.slots,
        now.params,
        optimizer.hyper(steps[i]!),
      )
      seen.push({
        params: [...next.params.toFloat32Array()],
        slots: Object.fromEntries(
          Object.entries(next.slots).map(([name, slot]) => [name, [...slot.toFloat32Array()]]),
        ),
      })
      return next
    })
  })
  return seen
}

/** How far the first parameter moves at each step. */
const moves = (optimizer: Optimizer<string>, gradients: readonly number[]): number[] =>
  run(
    optimizer,
    [0],
    gradients.map((g) => [g]),
  ).map(({ params }, i, all) => Math.abs(params[0]! - (all[i - 1]?.params[0] ?? 0)))

// Values that float32 has, of a range whose squares it has too.
const gradientLists = fc.array(fc.array(fc.integer({ min: -64, max: 64 }), { minLength: 3, maxLength: 3 }), {
  minLength: 1,
  maxLength: 20,
})

describe('rates on gradients that are never 0', () => {
  const dense = Array<number>(400).fill(2)

  test("adagrad's falls like 1 / √t", () => {
    const steps = moves(adagrad({ learningRate: 0.1 }), dense)
    expect(steps[0]).toBeCloseTo(0.1, 6)
    for (const at of [1, 24, 99, 399]) expect(steps[at]).toBeCloseTo(0.1 / Math.sqrt(at + 1), 4)
  })

  test("rmsprop's does not: steps go to the learning rate", () => {
    const steps = moves(rmsprop({ learningRate: 0.1 }), dense)
    expect(steps[0]).toBeCloseTo(0.1 / Math.sqrt(0.1), 5)
    expect(steps[399]).toBeCloseTo(0.1, 4)
  })

  test('adagrad keeps a large rate for a feature that is rare', () => {
    const gradients = Array.from({ length: 100 }, (_, i) => [2, i % 20 === 19 ? 2 : 0])
    const states = run(adagrad({ learningRate: 0.1 }), [0, 0], gradients)
    const [often, rarely] = [0, 1].map((i) => Math.abs(states[99]!.params[i]! - states[98]!.params[i]!))
    expect(often).toBeCloseTo(0.1 / Math.sqrt(100), 4)
    expect(rarely).toBeCloseTo(0.1 / Math.sqrt(5), 4)
  })

  test("adadelta's steps grow from √epsilon whatever the scale of the gradients", () => {
    const [one, large] = [1, 1e4].map((scale) =>
      moves(
        adadelta(),
        dense.map((g) => g * scale),
      ),
    )
    // √ε / √(1 - ρ)
    expect(one![0]).toBeCloseTo(1e-3 / Math.sqrt(0.05), 5)
    expect(one![399]).toBeGreaterThan(1.4 * one![0]!)
    for (const [i, step] of one!.entries()) expect(large![i]).toBeCloseTo(step, 5)
  })
})

test('adagrad with rateDecay is adagrad on a schedule', () => {
  const gradients = [[1], [-2], [3], [0.5]]
  const falling = adagrad({ learningRate: (step) => 0.5 / (1 + 0.25 * step) })
  const decayed = adagrad({ learningRate: 0.5, rateDecay: 0.25 })
  const [a, b] = [falling, decayed].map((optimizer) => run(optimizer, [1], gradients))
  for (const [i, { params }] of a!.entries()) expect(b![i]!.params[0]).toBeCloseTo(params[0]!, 6)
})

test("adagrad's slot is the sum of the squares seen, whatever it begins with", () => {
  const options = { initialAccumulator: 5, epsilonRoot: 4, epsilon: 0 }
  const [one, two] = run(adagrad({ learningRate: 1, ...options }), [10], [[4], [0]])
  expect([one!.slots.s, two!.slots.s]).toEqual([[16], [16]])
  expect(one!.params[0]).toBeCloseTo(10 - 4 / Math.sqrt(5 + 4 + 16), 6)
})

describe('rmsprop', () => {
  test('remembers what its options ask for', () => {
    const slots = (optimizer: Optimizer<string>): string[] => Object.keys(optimizer.init(null))
    expect(slots(rmsprop())).toEqual(['v'])
    expect(slots(rmsprop({ momentum: 0.5 }))).toEqual(['v', 'velocity'])
    expect(slots(rmsprop({ centered: true }))).toEqual(['v', 'm'])
    expect(slots(rmsprop({ centered: true, momentum: 0.5 }))).toEqual(['v', 'm', 'velocity'])
    expect(rmsprop().hyperparameters).toEqual(['learningRate', 'rho', 'epsilon', 'epsilonRoot'])
    expect(rmsprop({ momentum: 0.5 }).hyperparameters).toContain('momentum')
  })

  test('has a type for its slots', () => {
    const plain: Optimizer<'v'> = rmsprop()
    const both: Optimizer<'v' | 'm' | 'velocity'> = rmsprop({ momentum: 0.5, centered: true })
    // @ts-expect-error there is no velocity without momentum
    const wrong: Optimizer<'v' | 'velocity'> = rmsprop({ centered: false })
    expect([plain, both, wrong].map(({ name }) => name)).toEqual(['rmsprop', 'rmsprop', 'rmsprop'])
  })

  test('centered, has a variance that is never negative, where the difference of means is', () => {
    const rho = 0.99
    // Gradients that hardly change: the variance is 2.5e-13 of the squares.
    const gradients = Array.from({ length: 1500 }, (_, i) => [Math.fround(1000.1 + (i % 2) / 1000)])
    const states = run(rmsprop({ learningRate: 1e-6, rho, centered: true }), [0], gradients)
    let [square, mean] = [0, 0]
    const [kept, rest] = [Math.fround(rho), Math.fround(1 - rho)]
    const differences = gradients.map(([g]) => {
      square = Math.fround(Math.fround(kept * square) + Math.fround(rest * Math.fround(g! * g!)))
      mean = Math.fround(Math.fround(kept * mean) + Math.fround(rest * g!))
      return Math.fround(square - Math.fround(mean * mean))
    })
    expect(Math.min(...differences)).toBeLessThan(0)
    for (const { slots, params } of states) {
      expect(slots.v![0]).toBeGreaterThanOrEqual(0)
      expect(params[0]).not.toBeNaN()
    }
  })

  test('centered, has the variance of any gradients, and none that is negative', () => {
    fc.assert(
      fc.property(gradientLists, (gradients) => {
        const states = run(rmsprop({ centered: true, rho: 0.75 }), [0, 0, 0], gradients)
        const [square, mean] = [
          [0, 0, 0],
          [0, 0, 0],
        ]
        for (const [step, { slots }] of states.entries()) {
          for (const [i, g] of gradients[step]!.entries()) {
            square[i] = 0.75 * square[i]! + 0.25 * g * g
            mean[i] = 0.75 * mean[i]! + 0.25 * g
            expect(slots.v![i]).toBeGreaterThanOrEqual(0)
            expect(Math.abs(slots.v![i]! - (square[i]! - mean[i]! ** 2))).toBeLessThan(1e-3)
          }
        }
      }),
    )
  })
})

describe('amsgrad', () => {
  test('never lets vMax fall, and has v below it', () => {
    fc.assert(
      fc.property(gradientLists, (gradients) => {
        let before = [0, 0, 0]
        for (const { slots } of run(amsgrad({ beta2: 0.5 }), [0, 0, 0], gradients)) {
          for (const [i, largest] of slots.vMax!.entries()) {
            expect(largest).toBeGreaterThanOrEqual(before[i]!)
            expect(largest).toBeGreaterThanOrEqual(slots.v![i]!)
          }
          before = slots.vMax!
        }
      }),
    )
  })

  test('is adam, bit for bit, while squared gradients rise', () => {
    const gradients = [[1], [-2], [4], [-8], [16]]
    const [a, b] = [adam(), amsgrad()].map((optimizer) => run(optimizer, [1], gradients))
    expect(b!.map(({ params }) => params)).toEqual(a!.map(({ params }) => params))
  })
})

describe('adamw', () => {
  const gradients = [
    [1, 1e-3, 0],
    [-2, 1e3, 5],
    [0.3, 7, -1],
  ]

  test('with weightDecay 0 is adam, bit for bit', () => {
    for (const options of [{}, { beta1: 0.5, epsilonRoot: 0.1 }]) {
      const [a, b] = [adam(options), adamw({ ...options, weightDecay: 0 })].map((optimizer) =>
        run(optimizer, [1, -2, 3], gradients),
      )
      expect(b).toEqual(a)
    }
  })

  test('decays by lr λ of the parameters, whatever the gradients', () => {
    const start = [2, -3, 5]
    for (const scale of [0, 1e-3, 1, 1e6]) {
      const scaled = gradients.map((row) => row.map((g) => g * scale))
      const [plain, decayed] = [0, 0.5].map((weightDecay) =>
        run(adamw({ learningRate: 0.125, weightDecay }), start, scaled),
      )
      for (const [i, w] of start.entries())
        expect(plain![0]!.params[i]! - decayed![0]!.params[i]!).toBeCloseTo(0.0625 * w, 5)
    }
  })

  test('decays alike at any scale of gradients, where a penalty in the loss of adam does not', () => {
    const start = [4]
    const after = (optimizer: Optimizer<string>, scale: number, penalty: number): number => {
      const [first, second] = [scale, -scale].map((g, i) => [g + penalty * start[0]! * (1 - i * 0.01)])
      return run(optimizer, start, [first!, second!])[1]!.params[0]!
    }
    // What decay changes after two steps on gradients that cancel.
    const share = (scale: number, penalty: number, weightDecay: number): number =>
      after(adamw({ learningRate: 0.01, weightDecay }), scale, penalty) -
      after(adam({ learningRate: 0.01 }), scale, 0)
    const [small, large] = [1, 1e4].map((scale) => share(scale, 0, 0.5))
    expect(small).toBeCloseTo(4 * (1 - 0.005) ** 2 - 4, 3)
    expect(large).toBeCloseTo(small!, 5)
    const [smallL2, largeL2] = [1, 1e4].map((scale) => share(scale, 0.5, 0))
    expect(Math.abs(smallL2!)).toBeGreaterThan(1e-3)
    expect(Math.abs(largeL2!)).toBeLessThan(1e-5)
  })

  test('loses nothing of a small decay to rounding, on the mean of many', () => {
    t.scope(() => {
      const start = t.uniform(t.key(1), [500], 1, 2)
      const [plain, decaying] = [adam(), adamw({ weightDecay: 1e-3 })]
      type Pair = { plain: State; decaying: State; lost: t.Tensor }
      const first: Pair = {
        plain: { params: start, slots: plain.init(start) },
        decaying: { params: start, slots: decaying.init(start) },
        lost: t.zerosLike(start),
      }
      const last = t.fold(first, Array(1000).keys(), (now, i) => {
        const gradient = t.normal(t.key(i + 2), [500])
        const step = (optimizer: Optimizer<string>, { params, slots }: State): State =>
          optimizer.update(gradient, slots, params, optimizer.hyper(i))
        return {
          plain: step(plain, now.plain),
          decaying: step(decaying, now.decaying),
          lost: t.add(now.lost, t.mul(now.decaying.params, 1e-6)),
        }
      })
      const found = t.sum(t.sub(last.plain.params, last.decaying.params)).item()
      // Multiplied by 1 - 1e-6, which is 1 - 1.013e-6 in float32, they would lose 1.5% more.
      expect(Math.abs(found / t.sum(last.lost).item() - 1)).toBeLessThan(0.003)
    })
  })

  test('decays what `at` chooses, and is adam elsewhere', () => {
    const params = (): { bias: t.Tensor; layers: { weight: t.Tensor }[] } => ({
      bias: t.tensor([1, 2]),
      layers: [{ weight: t.tensor([3]) }, { weight: t.tensor([4]) }],
    })
    const step = (optimizer: Optimizer<string>): unknown => {
      const start = params()
      const next = optimizer.update(start, optimizer.init(start), start, optimizer.hyper(0)).params
      return t.leaves(next).map((x) => x.toArray())
    }
    t.scope(() => {
      const [none, all] = [step(adam()), step(adamw({ weightDecay: 5 }))] as number[][][]
      const seen = new Set<string>()
      const some = step(
        adamw({
          weightDecay: 5,
          at: (path) => {
            seen.add(path)
            return path === 'layers.1.weight'
          },
        }),
      )
      expect(some).toEqual([none![0], none![1], all![2]])
      expect(all![2]).not.toEqual(none![2])
      expect([...seen].sort()).toEqual(['bias', 'layers.0.weight', 'layers.1.weight'])
      expect(step(adamw({ weightDecay: 5, at: () => true }))).toEqual(all)
    })
  })
})

describe('adamax', () => {
  test.each([1e-3, 1, 1e6])('takes steps of at most the learning rate at first, at scale %s', (scale) => {
    const [one] = run(adamax({ learningRate: 0.25 }), [1, 1, 1], [[1, -2, 0.125].map((g) => g * scale)])
    for (const [i, sign] of [1, -1, 1].entries()) expect(1 - one!.params[i]!).toBeCloseTo(0.25 * sign, 4)
  })

  test('has a u that is the largest gradient, by beta2 to the power of its age', () => {
    const states = run(adamax({ beta2: 0.5 }), [0], [[8], [1], [-1], [0.5]])
    expect(states.map(({ slots }) => slots.u![0])).toEqual([8, 4, 2, 1])
  })
})

describe('nadam', () => {
  const numbers = (optimizer: Optimizer<string>, step: number): unknown => optimizer.hyper(step)

  test('has the same numbers whatever steps were asked for before', () => {
    const [forward, back] = [nadam(), nadam()]
    const steps = [0, 1, 2, 3, 50, 51, 1000, 100_000]
    const wanted = steps.map((step) => numbers(forward, step))
    expect(steps.toReversed().map((step) => numbers(back, step))).toEqual(wanted.toReversed())
    expect(steps.map((step) => numbers(forward, step))).toEqual(wanted)
  })

  test('takes an override for all steps', () => {
    const optimizer = nadam({ beta1: 0.5 })
    const overrides = { beta1: 0.9 }
    const before = optimizer.hyper(7)
    expect(optimizer.hyper(7, { rateScale: 1, overrides })).toEqual(nadam({ beta1: 0.9 }).hyper(7))
    expect(optimizer.hyper(7)).toEqual(before)
  })

  test('has the product of mu, for any decay, in float64', () => {
    for (const momentumDecay of [0, 0.004, 1, 1e9]) {
      const beta1 = 0.75
      const mu = (i: number): number => beta1 * (1 - 0.5 * 0.96 ** (i * momentumDecay))
      const optimizer = nadam({ beta1, momentumDecay })
      for (const step of [0, 1, 9, 99]) {
        const product = Array.from({ length: step + 1 }, (_, i) => mu(i + 1)).reduce((a, b) => a * b)
        const root = Math.sqrt(1 - 0.999 ** (step + 1))
        const { ofMean, ofGradient } = optimizer.hyper(step) as Record<string, number>
        expect(ofGradient! / root).toBeCloseTo((1 - mu(step + 1)) / (1 - product), 14)
        expect(ofMean! / root).toBeCloseTo(mu(step + 2) / (1 - product * mu(step + 2)), 14)
      }
    }
  })
})

describe('radam', () => {
  test('takes the steps of the corrected mean for five updates, and divides from the sixth on', () => {
    const divides = Array.from({ length: 8 }, (_, step) => radam().hyper(step).divides)
    expect(divides).toEqual([0, 0, 0, 0, 0, 1, 1, 1])
    expect(Array.from({ length: 50 }, (_, step) => radam({ beta2: 0.6 }).hyper(step).divides)).not.toContain(
      1,
    )
  })

  test('at first is momentum on gradients that count 1 - beta1, over what the weights sum to', () => {
    const gradients = [[1], [-2], [4], [0.5], [3]]
    const beta = 0.9
    const steps = moves(
      radam({ learningRate: 0.1, beta1: beta }),
      gradients.map(([g]) => g!),
    )
    const heavy = momentum({
      learningRate: (step) => (0.1 * (1 - beta)) / (1 - beta ** (step + 1)),
      momentum: beta,
      rate: 'outside',
    })
    const wanted = moves(
      heavy,
      gradients.map(([g]) => g!),
    )
    for (const [i, step] of steps.entries()) expect(step).toBeCloseTo(wanted[i]!, 5)
  })

  test('is linear in the gradients at first, and hardly knows their scale later', () => {
    const gradients = Array.from({ length: 8 }, (_, i) => 1 + (i % 3))
    const [one, hundred] = [1, 100].map((scale) =>
      moves(
        radam({ learningRate: 0.01 }),
        gradients.map((g) => g * scale),
      ),
    )
    for (const [i, step] of one!.entries()) {
      const ratio = hundred![i]! / step
      expect(Math.abs(ratio - (i < 5 ? 100 : 1))).toBeLessThan(i < 5 ? 0.01 : 0.1)
    }
  })

  test('becomes adam: after many steps the rectification is 1', () => {
    const { correction } = radam().hyper(100_000) as Record<string, number>
    expect(correction).toBeCloseTo(1, 3)
  })

  test('can be differentiated at first where gradients are 0', () => {
    t.scope(() => {
      const optimizer = radam({ learningRate: 0.5 })
      const slope = t.grad((g: t.Tensor) => {
        const w = t.tensor([1])
        return t.sum(optimizer.update(g, optimizer.init(w), w, optimizer.hyper(0)).params)
      })
      expect(slope(t.tensor([0])).item()).toBeCloseTo(-0.5, 6)
    })
  })
})

test('epsilonHat adds epsilon before the bias correction', () => {
  const first = (epsilonHat: boolean): number =>
    run(adam({ learningRate: 1, epsilon: 0.5, epsilonHat }), [0], [[2]])[0]!.params[0]!
  expect(first(false)).toBeCloseTo(-2 / (2 + 0.5), 5)
  expect(first(true)).toBeCloseTo(-2 / (2 + 0.5 / Math.sqrt(0.001)), 5)
})

describe('options out of range', () => {
  test.each([
    [
      () => adagrad({ initialAccumulator: -1 }),
      RangeError,
      'adagrad: initialAccumulator must be a finite number from 0 on, got -1',
    ],
    [
      () => adagrad({ rateDecay: Number.NaN }),
      RangeError,
      'adagrad: rateDecay must be a finite number from 0 on, got NaN',
    ],
    [() => adadelta({ epsilon: 0 }), RangeError, 'adadelta: epsilon must be a finite number above 0, got 0'],
    [() => rmsprop({ rho: 1 }), RangeError, 'rmsprop: rho must be a finite number from 0 to below 1, got 1'],
    [
      () => rmsprop({ momentum: '0.9' as never }),
      TypeError,
      'rmsprop: momentum must be a finite number from 0 to below 1, got a string',
    ],
    [
      () => rmsprop({ rate: 'between' as never }),
      RangeError,
      "rmsprop: rate must be 'inside' or 'outside', got between",
    ],
    [
      () => scaleByRms({ centered: 1 as never }),
      TypeError,
      'scaleByRms: centered must be true or false, got a number',
    ],
    [
      () => adamw({ weightDecay: -0.1 }),
      RangeError,
      'adamw: weightDecay must be a finite number from 0 on, got -0.1',
    ],
    [
      () => adamw({ at: 'weight' as never }),
      TypeError,
      "adamw: at must be a function of paths, got a string; pass (path) => path.endsWith('weight')",
    ],
    [
      () => amsgrad({ beta2: 1 }),
      RangeError,
      'amsgrad: beta2 must be a finite number from 0 to below 1, got 1',
    ],
    [
      () => scaleByAdam({ epsilonHat: 'yes' as never }),
      TypeError,
      'scaleByAdam: epsilonHat must be true or false, got a string',
    ],
    [
      () => scaleByAdamax({ epsilonIn: 'root' as never }),
      RangeError,
      "scaleByAdamax: epsilonIn must be 'denominator' or 'gradient', got root",
    ],
    [
      () => nadam({ momentumDecay: -1 }),
      RangeError,
      'nadam: momentumDecay must be a finite number from 0 on, got -1',
    ],
    [
      () => scaleByRadam({ threshold: 3 }),
      RangeError,
      'scaleByRadam: threshold must be a finite number from 4 on, got 3',
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })

  test('adamw where `at` is on no leaf', () => {
    t.scope(() => {
      const params = { bias: t.tensor(1), weight: t.tensor(2) }
      const optimizer = adamw({ at: (path) => path === 'wieght' })
      expect(() => optimizer.update(params, optimizer.init(params), params, optimizer.hyper(0))).toThrow(
        refusal(RangeError, 'adamw: at is on no leaf; there are bias, weight'),
      )
    })
  })

  test('what is overridden', () => {
    const hyper = (optimizer: Optimizer<string>, overrides: Record<string, number>) => () =>
      optimizer.hyper(0, { rateScale: 1, overrides })
    expect(hyper(rmsprop(), { momentum: 0.5 })).toThrow(
      refusal(
        RangeError,
        "rmsprop: unknown hyperparameter in overrides, got 'momentum'; use learningRate, rho, epsilon, epsilonRoot",
      ),
    )
    expect(hyper(chain(scaleByRadam(), descend({ learningRate: 1 })), { threshold: 3 })).toThrow(
      refusal(RangeError, 'scaleByRadam: threshold must be a finite number from 4 on, got 3'),
    )
  })
})
