import * as t from '@tapeflow/autodiff'
import { adam, type Hyper, type Optimizer, sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { rows } from './rows/index.ts'

type Params = { layers: { bias: t.Tensor; weight: t.Tensor }[]; scale: t.Tensor }
const params = (): Params => ({
  layers: [
    {
      bias: t.tensor([0.5, -0.5]),
      weight: t.tensor([
        [1, 2],
        [3, 4],
      ]),
    },
    { bias: t.tensor([0.1]), weight: t.tensor([[-1], [2]]) },
  ],
  scale: t.tensor(1.5),
})
// A loss whose minimum moves from step to step.
const lossAt =
  (step: number) =>
  (at: unknown): t.Tensor =>
    t
      .leaves(at)
      .map((x) => t.sum(t.add(t.mul(t.square(x), (0.3 + step / 10) / 2), t.mul(x, 0.1 - step / 7))))
      .reduce((a, b) => t.add(a, b))
const evaluateAt =
  (step: number) =>
  <P>(at: P): { value: t.Tensor; gradients: P } => {
    const { value, gradients } = t.valueAndGrad(lossAt(step))(at)
    return { value, gradients: gradients as P }
  }
const gradientsAt = (step: number): Params => evaluateAt(step)(params()).gradients

type State = { params: Params; slots: Record<string, Params> }
const run = (optimizer: Optimizer<string>, state: State, from: number, to: number): State =>
  t.fold(
    state,
    Array.from({ length: to - from }, (_, i) => from + i),
    (now, step) => {
      const evaluate = evaluateAt(step)
      const { gradients } = evaluate(now.params)
      return optimizer.update(gradients, now.slots, now.params, optimizer.hyper(step), evaluate)
    },
  )

// What evaluates without changing with the step, as optimizers that look around ask for.
const evaluate = evaluateAt(0)

describe.each(rows)('$name', ({ optimizer: at, trees = 0, byPath }) => {
  const optimizer = at(0.1)

  test('N + M steps equal N, a snapshot through JSON, and M, bit for bit', () => {
    t.scope(() => {
      const start = { params: params(), slots: optimizer.init(params()) }
      const straight = t.toSnapshot(run(optimizer, start, 0, 9))
      const saved = t.toSnapshot(run(optimizer, start, 0, 4))
      const resumed = t.toSnapshot(run(optimizer, t.fromSnapshot(structuredClone(saved)), 4, 9))
      expect(resumed).toEqual(straight)
      expect(saved).not.toEqual(straight)
    })
  })

  test('permuted leaves give permuted results', () => {
    t.scope(() => {
      const parts = [t.tensor([1, 2]), t.tensor([[3]]), t.tensor(4)]
      const slopes = [t.tensor([0.5, -1]), t.tensor([[2]]), t.tensor(-3)]
      const order = [2, 0, 1]
      // Where results go by path, leaves keep theirs: then the order of keys must not count.
      const tree = (xs: readonly t.Tensor[], order: readonly number[]): t.Tree =>
        byPath === undefined
          ? order.map((i) => xs[i]!)
          : Object.fromEntries(order.map((i) => [`leaf${i}`, xs[i]!]))
      const stepped = (order: readonly number[]): t.Tensor[] => {
        const [xs, gs] = [tree(parts, order), tree(slopes, order)]
        const one = optimizer.update(gs, optimizer.init(xs), xs, optimizer.hyper(0), evaluate)
        return t.leaves(optimizer.update(gs, one.slots, one.params, optimizer.hyper(1), evaluate).params)
      }
      const plain = stepped([0, 1, 2])
      const permuted = stepped(order)
      // Sums over all leaves may round otherwise in another order.
      for (const [i, from] of order.entries()) {
        const at = byPath === undefined ? i : from
        const [values, wanted] = [permuted[at]!.toFloat32Array(), plain[from]!.toFloat32Array()]
        for (const [k, value] of values.entries()) expect(value).toBeCloseTo(wanted[k]!, 5)
      }
    })
  })

  test('the old parameters, slots and gradients stay as they were', () => {
    t.scope(() => {
      const [before, gradients] = [params(), gradientsAt(0)]
      const slots = optimizer.init(before)
      const copy = t.toSnapshot([before, gradients, slots])
      optimizer.update(gradients, slots, before, optimizer.hyper(0), evaluate)
      expect(t.toSnapshot([before, gradients, slots])).toEqual(copy)
    })
  })

  test('an update leaves only the new parameters and slots in memory', () => {
    t.scope(() => {
      const now = params()
      const [gradients, slots] = [gradientsAt(0), optimizer.init(now)]
      const before = t.memory().tensors
      const next = optimizer.update(gradients, slots, now, optimizer.hyper(0), evaluate)
      expect(t.memory().tensors - before).toBe(t.leaves(next).length)
      expect(t.leaves(next).length).toBe(t.leaves(now).length + t.leaves(slots).length)
    })
  })

  test('what is made in between lives for one leaf only, but for as many trees as the row says', () => {
    t.scope(() => {
      const leaves = 16
      const now = Array.from({ length: leaves }, () => t.ones([65536]))
      const slots = optimizer.init(now)
      t.resetPeakBytes()
      const before = t.memory()
      const next = optimizer.update(now, slots, now, optimizer.hyper(0), evaluate)
      const made = t.memory().bytes - before.bytes
      const peak = t.memory().peakBytes - before.bytes
      expect(t.memory().peakBytes).toBeGreaterThan(before.peakBytes)
      expect(peak - made).toBeLessThan((8 + trees * leaves) * 4 * 65536)
      expect(t.leaves(next).length).toBeGreaterThanOrEqual(leaves)
    })
  })

  test('leaves that are no tensors stay', () => {
    t.scope(() => {
      const mixed = { key: t.key(3), none: null, size: 7, w: t.tensor([1]) }
      const { params: next, slots } = optimizer.update(
        mixed,
        optimizer.init(mixed),
        mixed,
        optimizer.hyper(0),
        evaluate,
      )
      expect([next.key, next.none, next.size]).toEqual([mixed.key, null, 7])
      expect(next.w.shape).toEqual([1])
      for (const slot of Object.values(slots)) expect([slot.none, slot.size]).toEqual([null, 7])
    })
  })
})

test.each(rows.filter(({ notDifferentiated }) => notDifferentiated === undefined))(
  '$name: the derivative of a loss after 3 updates by a factor of the rate equals central differences in float64',
  ({ optimizer: at, reference, rates = ['learningRate'] }) => {
    const optimizer = at(0.1)
    const start = [0.7, -1.1]
    const scales = [1, 3]
    const slope = (w: readonly number[]): number[] => w.map((x, i) => scales[i]! * x + x ** 3)
    const value = (w: readonly number[]): number =>
      w.reduce((sum, x, i) => sum + (scales[i]! * x * x) / 2 + x ** 4 / 4, 0)
    const evaluate = (w: readonly number[]): { value: number; gradient: number[] } => ({
      value: value(w),
      gradient: slope(w),
    })
    const after = (factor: number): number => {
      const update = reference(0.1 * factor)
      const steps = [0, 1, 2]
      return value(
        steps.reduce<readonly number[]>(
          (w, step) => update(w, slope(w), step, { evaluate, sizes: [2], shapes: [[2]], paths: ['w'] }),
          start,
        ),
      )
    }
    const numeric = (after(1 + 1e-5) - after(1 - 1e-5)) / 2e-5

    const loss = ({ w }: { w: t.Tensor }): t.Tensor =>
      t.sum(t.add(t.mul(t.square(w), t.tensor(scales.map((a) => a / 2))), t.mul(t.square(t.square(w)), 0.25)))
    const trained = (factor: t.Tensor): t.Tensor => {
      let now = { w: t.tensor(start) }
      let slots = optimizer.init(now)
      const look = t.valueAndGrad(loss)
      for (let step = 0; step < 3; step++) {
        const hyper = optimizer.hyper(step)
        const scaled: Hyper = { ...hyper }
        for (const name of rates) scaled[name] = t.mul(hyper[name]!, factor)
        const next = optimizer.update(look(now).gradients, slots, now, scaled, look)
        now = next.params
        slots = next.slots
      }
      return loss(now)
    }
    t.scope(() => {
      const result = t.valueAndGrad(trained)(t.tensor(1))
      expect(result.value.item()).toBeCloseTo(after(1), 5)
      expect(result.gradients.item()).toBeCloseTo(numeric, 4)
    })
  },
)

test('sgd is momentum with beta 0, bit for bit', () => {
  t.scope(() => {
    const plain = sgd({ learningRate: 0.1 })
    const heavy = sgd({ learningRate: 0.1, momentum: 0.9 })
    const control = { rateScale: 1, overrides: { momentum: 0 } }
    let [a, b, slots] = [params(), params(), heavy.init(params())]
    for (let step = 0; step < 5; step++) {
      a = plain.update(gradientsAt(step), {}, a, plain.hyper(step)).params
      const next = heavy.update(gradientsAt(step), slots, b, heavy.hyper(step, control))
      b = next.params
      slots = next.slots
    }
    expect(t.toSnapshot(b)).toEqual(t.toSnapshot(a))
  })
})

test('sgd with momentum 0 remembers nothing', () => {
  t.scope(() => {
    expect(sgd({ learningRate: 0.1, momentum: 0 }).init(params())).toEqual({})
    expect(sgd({ learningRate: 0.1 }).hyperparameters).toEqual(['learningRate'])
  })
})

test.each([1e-3, 1, 1e6, 1e15])(
  "adam's first step is the learning rate at gradients of scale %s",
  (scale) => {
    t.scope(() => {
      const optimizer = adam({ learningRate: 0.25 })
      const w = t.tensor([1, 1, 1])
      const gradient = t.mul(t.tensor([1, -2, 0.125]), scale)
      const stepped = optimizer
        .update(gradient, optimizer.init(w), w, optimizer.hyper(0))
        .params.toFloat32Array()
      for (const [i, sign] of [1, -1, 1].entries()) expect(1 - stepped[i]!).toBeCloseTo(0.25 * sign, 4)
    })
  },
)

test('adam with epsilonRoot can be differentiated where gradients are 0', () => {
  t.scope(() => {
    const optimizer = adam({ epsilonRoot: 1e-8 })
    const slope = t.grad((g: t.Tensor) => {
      const w = t.tensor([1])
      return t.sum(optimizer.update(g, optimizer.init(w), w, optimizer.hyper(0)).params)
    })
    // -lr / (√epsilonRoot + epsilon)
    expect(slope(t.tensor([0])).item()).toBeCloseTo(-1e-3 / (1e-4 + 1e-8), 2)
  })
})

test('gradients clipped as one tree bound the step that sgd takes', () => {
  t.scope(() => {
    const clipped = (gradients: Params, limit: number): Params => {
      const squares = t.leaves(gradients).map((g) => t.sum(t.square(g)))
      const norm = t.sqrt(squares.reduce((sum, square) => t.add(sum, square)))
      return t.mapTensors(gradients, (g) => t.mul(g, t.div(limit, t.maximum(norm, limit))))
    }
    const optimizer = sgd({ learningRate: 0.5 })
    const before = params()
    const length = (limit: number): number => {
      const after = optimizer.update(clipped(gradientsAt(3), limit), {}, before, optimizer.hyper(0)).params
      const moved = t.zipTensors([before, after], (a, b) => t.sub(b, a))
      return Math.hypot(...t.leaves(moved).flatMap((x) => Array.from(x.toFloat32Array())))
    }
    expect(length(0.25)).toBeCloseTo(0.125, 5)
    expect(length(1e9)).toBeGreaterThan(1)
  })
})
