import * as t from '@tapeflow/autodiff'
import {
  adam,
  chain,
  descend,
  type Evaluate,
  lamb,
  lion,
  lookahead,
  momentum,
  type Optimizer,
  sam,
  scaleByLion,
  scaleByTrustRatio,
  sgd,
} from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

type Params = { readonly a: t.Tensor; readonly b: t.Tensor }
const start = (): Params => ({ a: t.tensor([1, -2]), b: t.tensor([[3], [0.5]]) })
const loss = ({ a, b }: Params): t.Tensor =>
  t.add(t.sum(t.square(t.sub(a, 0.3))), t.mul(t.sum(t.square(t.square(b))), 0.1))
const look = t.valueAndGrad(loss)

/** The parameters after each of some steps, as snapshots. */
function path(
  optimizer: Optimizer<string>,
  steps: number,
  evaluate: Evaluate<Params> = look,
  control = (_step: number) => ({ rateScale: 1, overrides: {} }),
): unknown[] {
  const visited: unknown[] = []
  t.scope(() => {
    let params = start()
    let slots = optimizer.init(params)
    for (let step = 0; step < steps; step++) {
      const { gradients } = evaluate(params)
      const next = optimizer.update(gradients, slots, params, optimizer.hyper(step, control(step)), evaluate)
      params = next.params
      slots = next.slots
      visited.push(t.toSnapshot(params))
    }
  })
  return visited
}

const difference = (after: t.Tensor, before: t.Tensor): number => t.norm(t.sub(after, before)).item()

describe('lion', () => {
  test.each([2 ** -20, 1024, 2 ** 60])(
    'takes the same path, to the bit, with gradients times %s',
    (scale) => {
      const scaled = t.valueAndGrad((params: Params) => t.mul(loss(params), scale))
      const optimizer = lion({ learningRate: 0.01, weightDecay: 0.1 })
      expect(path(optimizer, 12, scaled)).toEqual(path(optimizer, 12))
    },
  )

  test('without decay moves every element by the rate', () => {
    t.scope(() => {
      const w = t.tensor([1, 1, 1, 1])
      const optimizer = lion({ learningRate: 0.25 })
      const next = optimizer.update(t.tensor([1e-30, -1e30, 0, -0]), optimizer.init(w), w, optimizer.hyper(0))
      expect(next.params.toArray()).toEqual([0.75, 1.25, 1, 1])
    })
  })

  test('is scaleByLion and descend', () => {
    const chained = chain(scaleByLion({ beta1: 0.5 }), descend({ learningRate: 0.01 }))
    expect(path(chained, 9)).toEqual(path(lion({ learningRate: 0.01, beta1: 0.5 }), 9))
  })

  test('has a number for its decay only where that is not 0', () => {
    const names = (optimizer: Optimizer<string>, weightDecay: number): boolean =>
      'weightDecay' in optimizer.hyper(3, { rateScale: 1, overrides: { weightDecay } })
    expect([names(lion(), 0.1), names(lion({ weightDecay: 0.1 }), 0)]).toEqual([true, false])
  })
})

describe('lamb', () => {
  test.each([1e-6, 1, 1e6])(
    "a step is the rate times the tensor's length at gradients of scale %s",
    (scale) => {
      t.scope(() => {
        const optimizer = lamb({ learningRate: 0.1, epsilon: 1e-20, weightDecay: 0.2 })
        let params = start()
        let slots = optimizer.init(params)
        for (let step = 0; step < 5; step++) {
          const gradients = t.mapTensors(look(params).gradients, (g) => t.mul(g, scale))
          const next = optimizer.update(gradients, slots, params, optimizer.hyper(step))
          for (const key of ['a', 'b'] as const) {
            const length = t.norm(params[key]).item()
            expect(difference(next.params[key], params[key])).toBeCloseTo(0.1 * length, 5)
          }
          params = next.params
          slots = next.slots
        }
      })
    },
  )

  test('a tensor of zeros moves as adam moves it, and one without gradient stays', () => {
    t.scope(() => {
      const params = { still: t.tensor([3, 4]), zero: t.tensor([0, 0]) }
      const gradients = { still: t.tensor([0, 0]), zero: t.tensor([5, -7]) }
      const optimizer = lamb({ learningRate: 0.25 })
      const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0)).params
      expect(next.still.toArray()).toEqual([3, 4])
      for (const [i, value] of next.zero.toFloat32Array().entries())
        expect(value).toBeCloseTo([-0.25, 0.25][i]!, 5)
    })
  })
})

test('lamb with epsilonRoot can be differentiated where gradients are 0', () => {
  t.scope(() => {
    const optimizer = lamb({ epsilonRoot: 1e-8 })
    const slope = t.grad((g: t.Tensor) => {
      const w = t.tensor([3, 4])
      return t.sum(optimizer.update(g, optimizer.init(w), w, optimizer.hyper(0)).params)
    })
    for (const one of slope(t.tensor([0, 0])).toFloat32Array()) expect(one).not.toBeNaN()
  })
})

test('a layer that is dead for long has a direction of almost no length, by which lamb does not divide', () => {
  t.scope(() => {
    const optimizer = lamb({ learningRate: 1e-3 })
    let now = { params: t.tensor([100, 100]), slots: optimizer.init(t.tensor([0, 0])) }
    for (let step = 0; step < 900; step++) {
      const gradients = t.tensor([step === 0 ? 1e-3 : 0, 0])
      now = optimizer.update(gradients, now.slots, now.params, optimizer.hyper(step))
    }
    const [moved, still] = now.params.toFloat32Array()
    expect(moved).toBeGreaterThan(-1000)
    expect(still).toBe(100)
  })
})

test('scaleByTrustRatio leaves alone what is too short to be made as long as its parameters', () => {
  t.scope(() => {
    const link = scaleByTrustRatio()
    const scaled = (length: number): readonly number[] =>
      link.update(t.tensor([length, 0]), {}, t.tensor([3, 4]), link.hyper(0)).updates.toArray() as number[]
    expect(scaled(1e-40)).toEqual([Math.fround(1e-40), 0])
    expect(scaled(1e-36)[0]).toBeCloseTo(5, 5)
  })
})

test('scaleByTrustRatio can be differentiated where a length is 0', () => {
  t.scope(() => {
    const link = scaleByTrustRatio()
    const slope = t.grad(({ u, w }: { u: t.Tensor; w: t.Tensor }) =>
      t.sum(link.update(u, {}, w, link.hyper(0)).updates),
    )
    const at = (u: number[], w: number[]): unknown => slope({ u: t.tensor(u), w: t.tensor(w) }).u.toArray()
    expect(at([0, 0], [1, 2])).toEqual([1, 1])
    expect(at([1, 2], [0, 0])).toEqual([1, 1])
  })
})

describe('lookahead', () => {
  const inner = (): Optimizer<'velocity'> => momentum({ learningRate: 0.05 })

  test('with slowStep 1 is the inner optimizer, to the bit', () => {
    expect(path(lookahead(inner(), { every: 3, slowStep: 1 }), 12)).toEqual(path(inner(), 12))
  })

  test('is the inner optimizer until the weights meet, at every k-th update', () => {
    const [ahead, plain] = [path(lookahead(inner(), { every: 4 }), 4), path(inner(), 4)]
    expect(ahead.slice(0, 3)).toEqual(plain.slice(0, 3))
    expect(ahead[3]).not.toEqual(plain[3])
  })

  test('slow weights start as a copy with memory of its own', () => {
    t.scope(() => {
      const params = start()
      const before = t.memory().bytes
      const { slow } = lookahead(sgd({ learningRate: 1 })).init(params)
      expect(t.toSnapshot(slow)).toEqual(t.toSnapshot(params))
      expect(t.memory().bytes).toBeGreaterThan(before)
    })
  })

  test('names of the inner optimizer stay; its own go behind them, with a number where there is one like it', () => {
    const once = lookahead(adam())
    const twice = lookahead(once, { every: 2 })
    expect(once.hyperparameters).toEqual([...adam().hyperparameters, 'every', 'slowStep'])
    expect(twice.hyperparameters).toEqual([...once.hyperparameters, 'every2', 'slowStep2'])
    expect(Object.keys(twice.init(start()))).toEqual(['m', 'v', 'slow', 'slow2'])
  })

  test('around itself both do their part', () => {
    const every2 = lookahead(lookahead(inner(), { every: 100 }), { every: 2 })
    expect(path(every2, 9)).toEqual(path(lookahead(inner(), { every: 2 }), 9))
    const flipped = lookahead(lookahead(inner(), { every: 2 }), { every: 100 })
    expect(path(flipped, 9)).toEqual(path(lookahead(inner(), { every: 2 }), 9))
  })

  test('overrides reach both, and the rate is scaled inside', () => {
    const control = () => ({ rateScale: 0.5, overrides: { momentum: 0.5, every: 2, slowStep: 0.25 } })
    const wanted = lookahead(momentum({ learningRate: 0.025, momentum: 0.5 }), { every: 2, slowStep: 0.25 })
    expect(path(lookahead(inner()), 9, look, control)).toEqual(path(wanted, 9))
  })
})

describe('sam', () => {
  test.each([false, true])('with radius 0 is the inner optimizer, to the bit (adaptive: %s)', (adaptive) => {
    const inner = adam({ learningRate: 0.05 })
    expect(path(sam(inner, { radius: 0, adaptive }), 9)).toEqual(path(inner, 9))
  })

  test('looks as far away as the radius says, over all leaves', () => {
    t.scope(() => {
      const params = start()
      const optimizer = sam(sgd({ learningRate: 1 }), { radius: 0.25 })
      const distances: number[] = []
      t.scope(() => {
        optimizer.update(look(params).gradients, {}, params, optimizer.hyper(0), (at) => {
          distances.push(Math.hypot(difference(at.a, params.a), difference(at.b, params.b)))
          return look(at)
        })
      })
      expect(distances).toHaveLength(1)
      expect(distances[0]).toBeCloseTo(0.25, 5)
    })
  })

  test('where the gradient is 0 it stays where it is', () => {
    t.scope(() => {
      const w = t.tensor([1, 2])
      const flat = t.valueAndGrad((x: t.Tensor) => t.sum(t.mul(x, 0)))
      const optimizer = sam(sgd({ learningRate: 1 }))
      const next = optimizer.update(flat(w).gradients, {}, w, optimizer.hyper(0), flat)
      expect(next.params.toArray()).toEqual([1, 2])
    })
  })

  test.each([false, true])('nor does it go far where that is almost 0 (adaptive: %s)', (adaptive) => {
    t.scope(() => {
      const w = t.tensor([1, 2])
      const gradients = t.tensor([1e-42, 0])
      const seen: number[][] = []
      const optimizer = sam(sgd({ learningRate: 1 }), { adaptive })
      optimizer.update(gradients, {}, w, optimizer.hyper(0), (at) => {
        seen.push(at.toArray() as number[])
        return { value: t.tensor(0), gradients }
      })
      expect(seen).toEqual([[1, 2]])
    })
  })

  test('adaptive, scaling a weight scales its step alike', () => {
    // w = c v with a loss of v alone: gradients by w are those by v, divided by c.
    const seen = (c: number): number[] => {
      const found: number[] = []
      t.scope(() => {
        const evaluate = t.valueAndGrad((w: t.Tensor) => t.sum(t.square(t.square(t.div(w, c)))))
        const w = t.mul(t.tensor([1, -2, 3]), c)
        const optimizer = sam(sgd({ learningRate: 1 }), { radius: 0.5, adaptive: true })
        optimizer.update(evaluate(w).gradients, {}, w, optimizer.hyper(0), (at) => {
          found.push(...t.div(at, c).toFloat32Array())
          return evaluate(at)
        })
      })
      return found
    }
    const [plain, scaled] = [seen(1), seen(8)]
    for (const [i, value] of plain.entries()) expect(scaled[i]).toBeCloseTo(value, 5)
  })
})

describe('refused', () => {
  const update = (optimizer: Optimizer<string>) => () =>
    t.scope(() => optimizer.update(t.tensor(1), optimizer.init(t.tensor(1)), t.tensor(1), optimizer.hyper(0)))
  test.each([
    [
      () => lion({ weightDecay: -1 }),
      RangeError,
      'lion: weightDecay must be a finite number from 0 on, got -1',
    ],
    [
      () => scaleByLion({ beta2: 1 }),
      RangeError,
      'scaleByLion: beta2 must be a finite number from 0 to below 1, got 1',
    ],
    [() => lamb({ beta1: 1 }), RangeError, 'lamb: beta1 must be a finite number from 0 to below 1, got 1'],
    [
      () => lookahead(adam as never),
      TypeError,
      'lookahead: an optimizer is needed, got a function; pass one: lookahead(adam())',
    ],
    [
      () => lookahead(adam(), { every: 0 }),
      RangeError,
      'lookahead: every must be an integer from 1 on, got 0',
    ],
    [
      () => lookahead(adam(), { slowStep: 1.5 }),
      RangeError,
      'lookahead: slowStep must be a finite number above 0 up to 1, got 1.5',
    ],
    [
      () => lookahead(adam()).hyper(0, { rateScale: 1, overrides: { k: 1 } }),
      RangeError,
      "lookahead: unknown hyperparameter in overrides, got 'k'; use learningRate, beta1, beta2, epsilon, epsilonRoot, every, slowStep",
    ],
    [
      () => sam(adam(), { radius: -0.1 }),
      RangeError,
      'sam: radius must be a finite number from 0 on, got -0.1',
    ],
    [
      update(sam(adam())),
      TypeError,
      'sam: evaluate is needed, got undefined; pass t.valueAndGrad(loss) as the last argument of update; fit does',
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, message))
  })
})
