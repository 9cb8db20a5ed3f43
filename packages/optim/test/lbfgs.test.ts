import * as t from '@tapeflow/autodiff'
import { type Evaluate, lbfgs, lookahead, type Optimizer, sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { strongWolfe } from '../src/strong-wolfe.ts'
import { problems } from './problems.ts'
import { refusal } from './refusal.ts'

interface Look {
  readonly params: number[]
  readonly value: number
  readonly gradient: number[]
}

/** Where an optimizer goes, and what it looked at on the way: first of each step the place itself. */
function visited<P>(
  optimizer: Optimizer<string>,
  loss: (params: P) => t.Tensor,
  start: () => P,
  steps: number,
): { readonly places: Look[]; readonly looks: Look[][] } {
  const flat = (tree: unknown): number[] => t.leaves(tree).flatMap((x) => Array.from(x.toFloat32Array()))
  const [places, looks]: [Look[], Look[][]] = [[], []]
  t.scope(() => {
    const look = t.valueAndGrad(loss) as Evaluate<P>
    const seen = (params: P): Look => {
      const { value, gradients } = look(params)
      return { params: flat(params), value: value.item(), gradient: flat(gradients) }
    }
    let params = start()
    let slots = optimizer.init(params as t.Tree) as Record<string, P>
    places.push(seen(params))
    for (let step = 0; step < steps; step++) {
      const asked: Look[] = []
      const evaluate = (at: P): ReturnType<Evaluate<P>> => {
        asked.push(seen(at))
        return look(at)
      }
      const update = optimizer.update<P & t.Tree>
      const next = update(
        look(params).gradients as P & t.Tree,
        slots as Record<string, P & t.Tree>,
        params as P & t.Tree,
        optimizer.hyper(step),
        evaluate as Evaluate<P & t.Tree>,
      )
      params = next.params
      slots = next.slots
      places.push(seen(params))
      looks.push(asked)
    }
  })
  return { places, looks }
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const minus = (a: readonly number[], b: readonly number[]): number[] => a.map((x, i) => x - b[i]!)
const named = (name: string): (typeof problems)[number] => problems.find((p) => p.name === name)!
const [rosenbrock, beale] = [named('rosenbrock'), named('beale')]

describe('lbfgs', () => {
  const curvatures = [1, 30, 4, 0.5, 10]
  const quadratic = (w: t.Tensor): t.Tensor =>
    t.sum(t.mul(t.square(t.sub(w, t.tensor([1, -2, 3, -4, 5]))), t.tensor(curvatures)))

  test('with an exact search finds the minimum of a quadratic of n numbers in n steps', () => {
    const optimizer = lbfgs({ decrease: 1e-6, curvature: 1e-4 })
    const { places } = visited(optimizer, quadratic, () => t.zeros([5]), 5)
    const wanted = [1, -2, 3, -4, 5]
    const error = (look: Look): number => Math.max(...minus(look.params, wanted).map(Math.abs))
    expect(error(places[4]!)).toBeGreaterThan(1e-2)
    expect(error(places[5]!)).toBeLessThan(1e-3)
  })

  test.each([
    ['with a search', lbfgs()],
    ['with a history of 3', lbfgs({ history: 3 })],
  ])("%s is at Rosenbrock's minimum to 1e-5 within 60 steps, where sgd is not after 600", (_, optimizer) => {
    const loss = (params: ReturnType<typeof rosenbrock.start>): t.Tensor => rosenbrock.loss(params, 0)
    const { places } = visited(optimizer, loss, rosenbrock.start, 60)
    for (const value of places.at(-1)!.params) expect(Math.abs(value - 1)).toBeLessThan(1e-5)
    const plain = visited(sgd({ learningRate: rosenbrock.rate }), loss, rosenbrock.start, 600)
    expect(Math.abs(plain.places.at(-1)!.params[0]! - 1)).toBeGreaterThan(0.05)
  })

  test.each([
    [rosenbrock, 25],
    [beale, 10],
  ])('every step satisfies the strong Wolfe conditions on $name', ({ loss, start }, steps) => {
    const { places } = visited(lbfgs(), (params) => loss(params as ReturnType<typeof start>, 0), start, steps)
    for (const [i, after] of places.slice(1).entries()) {
      const before = places[i]!
      const step = minus(after.params, before.params)
      const [slope, left] = [dot(before.gradient, step), dot(after.gradient, step)]
      expect(slope).toBeLessThan(0)
      expect(after.value).toBeLessThanOrEqual(before.value + 1e-4 * slope + 1e-6 * before.value)
      expect(Math.abs(left)).toBeLessThanOrEqual(-0.9 * slope * (1 + 1e-4))
    }
  })

  test('looks once at the place itself, then along one line', () => {
    const loss = (params: ReturnType<typeof beale.start>): t.Tensor => beale.loss(params, 0)
    const { places, looks } = visited(lbfgs(), loss, beale.start, 8)
    for (const [i, [first, ...tried]] of looks.entries()) {
      expect(first!.params).toEqual(places[i]!.params)
      expect(tried.length).toBeGreaterThan(0)
      expect(tried.map(({ params }) => params)).toContainEqual(places[i + 1]!.params)
      const step = minus(places[i + 1]!.params, first!.params)
      for (const { params } of tried) {
        const other = minus(params, first!.params)
        const cosine = dot(step, other) / Math.sqrt(dot(step, step) * dot(other, other))
        expect(cosine).toBeCloseTo(1, 5)
      }
    }
  })

  test('without a search it needs no evaluate, and does not call it', () => {
    const { looks } = visited(
      lbfgs({ lineSearch: 'none', learningRate: 0.1 }),
      quadratic,
      () => t.zeros([5]),
      4,
    )
    expect(looks).toEqual([[], [], [], []])
  })

  test('the newest pair comes first, and the oldest is dropped', () => {
    t.scope(() => {
      const optimizer = lbfgs({ history: 2 })
      const look = t.valueAndGrad(quadratic)
      let params = t.zeros([5])
      let slots = optimizer.init(params)
      const kept: Record<string, unknown>[] = []
      for (let step = 0; step < 5; step++) {
        const next = optimizer.update(look(params).gradients, slots, params, optimizer.hyper(step), look)
        slots = next.slots
        params = next.params
        kept.push(Object.fromEntries(Object.entries(slots).map(([name, x]) => [name, x.toArray()])))
      }
      const zeros = [0, 0, 0, 0, 0]
      expect([kept[0]!.s0, kept[0]!.y0]).toEqual([zeros, zeros])
      expect([kept[1]!.s1, kept[1]!.y1]).toEqual([zeros, zeros])
      for (const i of [2, 3, 4]) {
        expect([kept[i]!.s1, kept[i]!.y1]).toEqual([kept[i - 1]!.s0, kept[i - 1]!.y0])
        expect(kept[i]!.s0).not.toEqual(kept[i - 1]!.s0)
      }
    })
  })

  test('goes on from a snapshot bit for bit, whatever the order of keys was', () => {
    t.scope(() => {
      type Params = { readonly w: t.Tensor; readonly b: t.Tensor; readonly a: t.Tensor }
      const loss = ({ w, b, a }: Params): t.Tensor =>
        t.mean(t.square(t.square(t.add(t.mul(w, b), t.mul(a, 0.3)))))
      const look = t.valueAndGrad(loss)
      const optimizer = lbfgs({ history: 3 })
      const start: Params = {
        w: t.normal(t.key(1), [40]),
        b: t.normal(t.key(2), [40]),
        a: t.normal(t.key(3), [40]),
      }
      type State = { params: Params; slots: Record<string, Params> }
      const run = (state: State, from: number, to: number): State => {
        let now = state
        for (let step = from; step < to; step++) {
          const { gradients } = look(now.params)
          now = optimizer.update(gradients as Params, now.slots, now.params, optimizer.hyper(step), look)
        }
        return now
      }
      const first = { params: start, slots: optimizer.init(start) }
      const restored = t.fromSnapshot(t.toSnapshot(run(first, 0, 6))) as State
      expect(Object.keys(restored.params)).not.toEqual(Object.keys(start))
      // As a run has them that was started anew and then told to restore.
      const ordered = { w: restored.params.w, b: restored.params.b, a: restored.params.a }
      const resumed = t.toSnapshot(run({ ...restored, params: ordered }, 6, 12))
      expect(resumed).toEqual(t.toSnapshot(run(first, 0, 12)))
      expect(t.toSnapshot(run(restored, 6, 12))).toEqual(resumed)
    })
  })

  test('a pair that does not bend upwards is not remembered', () => {
    t.scope(() => {
      const optimizer = lbfgs({ lineSearch: 'none', learningRate: 0.1 })
      const concave = t.grad((w: t.Tensor) => t.neg(t.sum(t.square(w))))
      let params = t.tensor([1, 2])
      let slots = optimizer.init(params)
      for (let step = 0; step < 3; step++) {
        const next = optimizer.update(concave(params), slots, params, optimizer.hyper(step))
        params = next.params
        slots = next.slots
      }
      expect(slots.s0!.toArray()).toEqual([0, 0])
      expect(slots.gradient!.toArray()).not.toEqual([0, 0])
    })
  })

  test('where the gradient is 0 all stays', () => {
    t.scope(() => {
      const optimizer = lbfgs()
      const look = t.valueAndGrad(quadratic)
      const start = t.zeros([5])
      const one = optimizer.update(
        look(start).gradients,
        optimizer.init(start),
        start,
        optimizer.hyper(0),
        look,
      )
      const two = optimizer.update(t.zeros([5]), one.slots, one.params, optimizer.hyper(1), look)
      expect(t.toSnapshot(two)).toEqual(t.toSnapshot(one))
    })
  })

  test('steps that others make are seen: it may be looked ahead of', () => {
    const optimizer = lookahead(lbfgs(), { every: 3, slowStep: 0.9 })
    expect(optimizer.eager).toBe(true)
    const { places } = visited(optimizer, quadratic, () => t.zeros([5]), 30)
    for (const [i, value] of places.at(-1)!.params.entries())
      expect(value).toBeCloseTo([1, -2, 3, -4, 5][i]!, 3)
  })

  test('a loss that is no number beyond a wall is searched before it', () => {
    const barrier = (w: t.Tensor): t.Tensor => t.sum(t.sub(t.mul(w, -3), t.log(t.sub(2, w))))
    const found = visited(lbfgs({ learningRate: 100 }), barrier, () => t.tensor([0]), 12)
    expect(found.looks.flat().some(({ value }) => !Number.isFinite(value))).toBe(true)
    // -3 + 1 / (2 - w) = 0
    expect(found.places.at(-1)!.params[0]).toBeCloseTo(2 - 1 / 3, 4)
  })
})

describe('strongWolfe', () => {
  type Curve = (at: number) => { value: number; slope: number }
  const curves: Readonly<Record<string, Curve>> = {
    parabola: (at) => ({ value: (at - 3) ** 2, slope: 2 * (at - 3) }),
    // Moré & Thuente 1994, (5.1) to (5.3).
    'flat far out': (at) => ({ value: -at / (at * at + 2), slope: (at * at - 2) / (at * at + 2) ** 2 }),
    'steep at the minimum': (at) => ({
      value: (at + 0.004) ** 5 - 2 * (at + 0.004) ** 4,
      slope: 5 * (at + 0.004) ** 4 - 8 * (at + 0.004) ** 3,
    }),
    waves: (at) => ({
      value: -at + Math.sin(3 * at) / 4 + (at * at) / 20,
      slope: -1 + 0.75 * Math.cos(3 * at) + at / 10,
    }),
    'a wall': (at) => ({
      value: at < 2 ? -3 * at - Math.log(2 - at) : Number.NaN,
      slope: at < 2 ? -3 + 1 / (2 - at) : Number.NaN,
    }),
    overflow: (at) => ({ value: Math.exp(at) - 5 * at, slope: Math.exp(at) - 5 }),
  }
  const cases = Object.entries(curves).flatMap(([name, curve]) =>
    [1e-3, 0.1, 1, 10, 1e3].flatMap((first) =>
      [0.9, 0.1, 1e-3].map((curvature) => ({ name, curve, first, curvature })),
    ),
  )
  test.each(cases)('$name from $first with c2 $curvature', ({ curve, first, curvature }) => {
    const start = curve(0)
    const decrease = 1e-4
    let looks = 0
    const probe: Curve = (at) => {
      looks++
      return curve(at)
    }
    const at = strongWolfe(probe, start, { first, decrease, curvature })
    const there = curve(at)
    expect(at).toBeGreaterThan(0)
    expect(there.value).toBeLessThanOrEqual(start.value + decrease * at * start.slope)
    expect(Math.abs(there.slope)).toBeLessThanOrEqual(curvature * Math.abs(start.slope))
    expect(looks).toBeLessThanOrEqual(26)
  })

  test('a place beyond a hill, higher than the one before, is not searched from', () => {
    // A valley at 4, and from 8 on a slope without end that begins higher.
    const probe: Curve = (at) => {
      if (at <= 1) return { value: -at, slope: -1 }
      return at < 8
        ? { value: (at - 4) ** 2 / 9 - 2, slope: (2 * (at - 4)) / 9 }
        : { value: 9.1 - at, slope: -1 }
    }
    const at = strongWolfe(probe, probe(0), { first: 1, decrease: 1e-4, curvature: 0.1 })
    expect(at).toBeCloseTo(4, 0)
  })

  test('where nothing is lower it stays at the start', () => {
    const start = { value: 1, slope: -1 }
    const options = { first: 1, decrease: 1e-4, curvature: 0.9 }
    expect(strongWolfe(() => ({ value: 2, slope: 1 }), start, options)).toBe(0)
    expect(strongWolfe(() => ({ value: Number.NaN, slope: Number.NaN }), start, options)).toBe(0)
  })

  test('values that rounding makes equal are told apart by slopes', () => {
    // A parabola on a hill: 1e6 + (at - 3)² / 1e3 in float32 is constant.
    const probe: Curve = (at) => ({
      value: Math.fround(1e6 + (at - 3) ** 2 / 1e3),
      slope: (2 * (at - 3)) / 1e3,
    })
    const options = { first: 1, decrease: 1e-4, curvature: 0.1 }
    expect(strongWolfe(probe, probe(0), { ...options, rounding: 1e-6 })).toBeCloseTo(3, 0)
  })
})

describe('refused', () => {
  const w = (): t.Tensor => t.tensor([1])
  const loss = (x: t.Tensor): t.Tensor => t.sum(t.square(x))
  const update = (optimizer: Optimizer<string>, x: t.Tensor, slots = optimizer.init(x)): t.Tensor =>
    optimizer.update(x, slots, x, optimizer.hyper(0), t.valueAndGrad(loss)).params
  test.each([
    [() => lbfgs({ history: 0 }), RangeError, 'lbfgs: history must be an integer from 1 on, got 0'],
    [
      () => lbfgs({ lineSearch: 'strong_wolfe' as never }),
      RangeError,
      "lbfgs: lineSearch must be 'strongWolfe' or 'none', got strong_wolfe",
    ],
    [
      () => lbfgs({ curvature: 1 }),
      RangeError,
      'lbfgs: curvature must be a finite number above 0 to below 1, got 1',
    ],
    [
      () => lbfgs({ decrease: 0.5, curvature: 0.1 }),
      RangeError,
      'lbfgs: decrease must be below curvature, got 0.5 and 0.1',
    ],
    [
      () => lbfgs().hyper(0, { rateScale: 1, overrides: { decrease: 0.95 } }),
      RangeError,
      'lbfgs: decrease must be below curvature, got 0.95 and 0.9',
    ],
    [
      () => t.scope(() => lbfgs().update(w(), lbfgs().init(w()), w(), lbfgs().hyper(0))),
      TypeError,
      'lbfgs: evaluate is needed, got undefined; pass t.valueAndGrad(loss) as the last argument of update; fit does',
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })

  const message =
    'lbfgs: it reads values while it decides, so that its update can be neither recorded nor differentiated; run it eagerly, without t.compile, as fit does where compile is left out'
  test.each([lbfgs(), lbfgs({ lineSearch: 'none' })])('a recorded update', (optimizer) => {
    t.scope(() => {
      const compiled = t.compile((x: t.Tensor) => update(optimizer, x))
      expect(() => compiled(w())).toThrow(new t.RecordingError('lbfgs', ...split(message)))
      compiled.dispose()
    })
  })
  test('a differentiated update', () => {
    t.scope(() => {
      const optimizer = lbfgs()
      const slots = optimizer.init(w())
      expect(() => t.grad((x: t.Tensor) => t.sum(update(optimizer, x, slots)))(w())).toThrow(
        new t.RecordingError('lbfgs', ...split(message)),
      )
    })
  })
})

function split(message: string): [problem: string, remedy: string] {
  const [problem, remedy] = message.slice('lbfgs: '.length).split('; ')
  return [problem!, remedy!]
}
