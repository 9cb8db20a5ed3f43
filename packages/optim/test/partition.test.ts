import * as t from '@tapeflow/autodiff'
import {
  adam,
  chain,
  lbfgs,
  lookahead,
  machine,
  momentum,
  partition,
  sam,
  sgd,
  zeroNaNs,
} from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

const made = () =>
  partition({
    generator: adam({ learningRate: 0.5, beta1: 0.5 }),
    discriminator: sgd({ learningRate: 0.25 }),
  })
const params = () => ({
  discriminator: { w: t.tensor([1, -1]) },
  generator: { layers: [{ b: t.tensor(2) }, { b: t.tensor(3) }] },
})
const snapshot = (tree: unknown): unknown => t.toSnapshot(tree)
const control = (overrides: Record<string, number>, rateScale = 1) => ({ rateScale, overrides })

describe('names and numbers', () => {
  test('hyperparameters are named by part; the rate has a name for all too', () => {
    expect(made().hyperparameters).toEqual([
      'learningRate',
      'generator.learningRate',
      'generator.beta1',
      'generator.beta2',
      'generator.epsilon',
      'generator.epsilonRoot',
      'discriminator.learningRate',
    ])
  })

  test('hyper has the numbers of each part under its name, and the rate of the first to show', () => {
    const [generator, discriminator] = [
      adam({ learningRate: 0.5, beta1: 0.5 }).hyper(7),
      { learningRate: 0.25 },
    ]
    const named = (part: string, own: object): object =>
      Object.fromEntries(Object.entries(own).map(([name, value]) => [`${part}.${name}`, value]))
    expect(made().hyper(7)).toEqual({
      learningRate: 0.5,
      ...named('generator', generator),
      ...named('discriminator', discriminator),
    })
  })

  test('a schedule is that of its part', () => {
    const optimizer = partition({ a: sgd({ learningRate: 1 }), b: sgd({ learningRate: (step) => step }) })
    expect(optimizer.hyper(3)).toEqual({ learningRate: 1, 'a.learningRate': 1, 'b.learningRate': 3 })
  })

  const rates = (overrides: Record<string, number>, rateScale?: number): unknown[] => {
    const hyper = made().hyper(0, control(overrides, rateScale))
    return ['learningRate', 'generator.learningRate', 'discriminator.learningRate'].map((name) => hyper[name])
  }
  test('the scale is that of all parts', () => {
    expect(rates({}, 0.5)).toEqual([0.25, 0.25, 0.125])
  })
  test('learningRate in overrides is that of all parts', () => {
    expect(rates({ learningRate: 2 }, 0.5)).toEqual([2, 2, 2])
  })
  test('that of a part is its own, and goes before that of all', () => {
    expect(rates({ 'discriminator.learningRate': 3 }, 0.5)).toEqual([0.25, 0.25, 3])
    expect(rates({ 'discriminator.learningRate': 3, learningRate: 2 })).toEqual([2, 2, 3])
    expect(rates({ learningRate: 2, 'generator.learningRate': 0 })).toEqual([0, 0, 2])
  })
  test('other overrides reach the part that they name', () => {
    const [plain, changed] = [made().hyper(0), made().hyper(0, control({ 'generator.beta1': 0 }))]
    const differing = Object.keys(plain).filter((name) => plain[name] !== changed[name])
    expect(differing.length).toBeGreaterThan(0)
    expect(differing.every((name) => name.startsWith('generator.'))).toBe(true)
  })
  test('controls that follow each other are told apart', () => {
    const optimizer = made()
    const seen = [{}, { learningRate: 2 }, { learningRate: 3 }, {}].map(
      (overrides) => optimizer.hyper(0, control(overrides)).learningRate,
    )
    expect([...seen, optimizer.hyper(0).learningRate]).toEqual([0.5, 2, 3, 0.5, 0.5])
  })
  test('the machine takes both forms', () => {
    const optimizer = made()
    const held = machine({}, { hyperparameters: optimizer.hyperparameters })
    held.send({ type: 'setHyperparameter', name: 'discriminator.learningRate', value: 0.125 })
    held.send({ type: 'setLearningRate', value: 4 })
    expect(optimizer.hyper(0, held.state)).toMatchObject({
      'generator.learningRate': 4,
      'discriminator.learningRate': 0.125,
    })
  })
  test('parts may have parts', () => {
    const optimizer = partition({
      a: partition({ b: sgd({ learningRate: 1 }), c: sgd({ learningRate: 2 }) }),
    })
    expect(optimizer.hyper(0, control({ 'a.b.learningRate': 5, 'a.learningRate': 6 }))).toEqual({
      learningRate: 5,
      'a.learningRate': 5,
      'a.b.learningRate': 5,
      'a.c.learningRate': 6,
    })
  })
  test('where no part has a rate there is none to show', () => {
    const optimizer = partition({
      a: { ...sgd({ learningRate: 1 }), hyperparameters: [], hyper: () => ({}) },
    })
    expect([optimizer.hyperparameters, optimizer.hyper(0)]).toEqual([[], {}])
  })
  test('a part whose name begins with that of another is told its own', () => {
    const optimizer = partition({ d: sgd({ learningRate: 1 }), discriminator: sgd({ learningRate: 2 }) })
    t.scope(() => {
      const one = { d: t.tensor(1), discriminator: t.tensor(1) }
      const next = optimizer.update(one, optimizer.init(one), one, optimizer.hyper(0)).params
      expect([next.d.item(), next.discriminator.item()]).toEqual([0, -1])
    })
  })
})

describe('slots', () => {
  test('have null in the place of parts that lack them', () => {
    const optimizer = partition({ a: momentum({ learningRate: 1 }), b: adam(), c: sgd({ learningRate: 1 }) })
    t.scope(() => {
      const x = t.tensor(1)
      const slots = optimizer.init({ a: x, b: x, c: x })
      const shapes = Object.entries(slots).map(([name, tree]) => [
        name,
        tree.a !== null,
        tree.b !== null,
        tree.c,
      ])
      expect(shapes).toEqual([
        ['velocity', true, false, null],
        ['m', false, true, null],
        ['v', false, true, null],
      ])
    })
  })
  test('keep their names in a chain around', () => {
    const optimizer = chain(zeroNaNs(), partition({ a: adam() }))
    expect(Object.keys(optimizer.init({ a: null }))).toEqual(['m', 'v'])
  })
})

describe('part', () => {
  const gradients = () => ({
    discriminator: { w: t.tensor([4, 8]) },
    generator: { layers: [{ b: t.tensor(-1) }, { b: t.tensor(5) }] },
  })

  test('parts one by one, in either order, are the whole at once, bit for bit', () => {
    t.scope(() => {
      const optimizer = made()
      const [generator, discriminator] = [optimizer.part('generator'), optimizer.part('discriminator')]
      const hyper = optimizer.hyper(3)
      const [now, slopes] = [params(), gradients()]
      const slots = optimizer.init(now)
      const whole = optimizer.update(slopes, slots, now, hyper)

      const g = generator.update(slopes.generator, slots, now.generator, hyper)
      const d = discriminator.update(slopes.discriminator, g.slots, now.discriminator, hyper)
      const one = { params: { discriminator: d.params, generator: g.params }, slots: d.slots }
      expect(snapshot(one)).toEqual(snapshot(whole))

      const first = discriminator.update(slopes.discriminator, slots, now.discriminator, hyper)
      const second = generator.update(slopes.generator, first.slots, now.generator, hyper)
      expect(snapshot(second.slots)).toEqual(snapshot(whole.slots))
    })
  })

  test("leaves the slots of the others, and the old ones, as they were; what it makes is the part's own", () => {
    t.scope(() => {
      const optimizer = partition({ a: adam(), b: adam() })
      const x = { a: t.tensor(1), b: t.tensor(2) }
      const slots = optimizer.init(x)
      const before = snapshot(slots)
      const count = t.memory().tensors
      const next = optimizer.part('a').update(t.tensor(3), slots, x.a, optimizer.hyper(0))
      expect(t.memory().tensors - count).toBe(4)
      expect([next.slots.m.b, next.slots.v.b]).toEqual([slots.m.b, slots.v.b])
      expect(next.slots.m.a.item()).toBeCloseTo(0.3, 6)
      expect(snapshot(slots)).toEqual(before)
    })
  })

  test('asks for the loss of its own, where it looks around', () => {
    t.scope(() => {
      const optimizer = partition({
        a: sam(sgd({ learningRate: 1 }), { radius: 0.5 }),
        b: sgd({ learningRate: 1 }),
      })
      const look = t.valueAndGrad((w: t.Tensor) => t.mul(t.square(w), 0.5))
      const x = { a: t.tensor(4), b: t.tensor(0) }
      const next = optimizer
        .part('a')
        .update(look(x.a).gradients, optimizer.init(x), x.a, optimizer.hyper(0), look)
      expect(next.params.item()).toBe(-0.5)
    })
  })

  test('is refused under a name that no part has', () => {
    expect(() => made().part('critic' as never)).toThrow(
      refusal(RangeError, "partition: there is no part 'critic'; use generator, discriminator"),
    )
  })
})

test('what stands around an optimizer stands around a partition', () => {
  t.scope(() => {
    const inner = made()
    const optimizer = lookahead(sam(inner, { radius: 0 }), { every: 1, slowStep: 1 })
    const look = t.valueAndGrad((at: ReturnType<typeof params>) =>
      t.leaves(at).reduce((sum, x) => t.add(sum, t.sum(t.square(x))), t.tensor(0)),
    )
    const now = params()
    const { gradients } = look(now)
    const alone = inner.update(gradients, inner.init(now), now, inner.hyper(0))
    const around = optimizer.update(gradients, optimizer.init(now), now, optimizer.hyper(0), look)
    expect(snapshot(around.params)).toEqual(snapshot(alone.params))
    expect(snapshot(around.slots.m)).toEqual(snapshot(alone.slots.m))
    expect(around.slots.m.discriminator).toBeNull()
    expect(optimizer.hyperparameters).toContain('discriminator.learningRate')
  })
})

describe('an eager part', () => {
  test('makes the whole eager', () => {
    expect(partition({ a: sgd({ learningRate: 1 }), b: lbfgs() }).eager).toBe(true)
    expect('eager' in partition({ a: sgd({ learningRate: 1 }), b: adam() })).toBe(false)
  })

  test('searches along its own part, with the others held where they were', () => {
    // Alone: the loss of b where a stays what it was at each step.
    const loss = ({ a, b }: { a: t.Tensor; b: t.Tensor }): t.Tensor =>
      t.sum(t.add(t.square(t.square(t.sub(b, a))), t.square(b)))
    const optimizer = partition({ a: sgd({ learningRate: 0.1 }), b: lbfgs() })
    const alone = lbfgs()
    t.scope(() => {
      let now = { a: t.tensor([1, 2]), b: t.tensor([3, -1]) }
      let slots = optimizer.init(now)
      let own = { params: now.b, slots: alone.init(now.b) }
      const look = t.valueAndGrad(loss)
      for (let step = 0; step < 5; step++) {
        const { a } = now
        const held = (b: t.Tensor): { value: t.Tensor; gradients: t.Tensor } => {
          const { value, gradients } = look({ a, b })
          return { value, gradients: gradients.b }
        }
        own = alone.update(held(own.params).gradients, own.slots, own.params, alone.hyper(step), held)
        const next = optimizer.update(look(now).gradients, slots, now, optimizer.hyper(step), look)
        now = next.params
        slots = next.slots
        expect(snapshot(now.b)).toEqual(snapshot(own.params))
      }
      expect(now.a.toArray()).not.toEqual([1, 2])
    })
  })
})

describe('refused', () => {
  const one = sgd({ learningRate: 1 })
  test.each([
    [
      () => partition(null as never),
      TypeError,
      'optimizers by part are needed, got null; pass { generator: adam() }',
    ],
    [
      () => partition([one] as never),
      TypeError,
      'optimizers by part are needed, got an array; pass { generator: adam() }',
    ],
    [
      () => partition({}),
      RangeError,
      'an optimizer for each part is needed, got none; pass { generator: adam() }',
    ],
    [
      () => partition({ 'a.b': one }),
      RangeError,
      "names of parts must have no dot and not be empty, got 'a.b'",
    ],
    [() => partition({ '': one }), RangeError, "names of parts must have no dot and not be empty, got ''"],
    [
      () => partition({ a: adam as never }),
      TypeError,
      'an optimizer is needed, got a function; pass one: partition(adam())',
    ],
    [
      () => made().hyper(0, control({ beta1: 0.5 })),
      RangeError,
      "unknown hyperparameter in overrides, got 'beta1'; use learningRate, generator.learningRate, generator.beta1, " +
        'generator.beta2, generator.epsilon, generator.epsilonRoot, discriminator.learningRate',
    ],
  ] as const)('%s', (call, kind, message) => {
    expect(call).toThrow(refusal(kind, `partition: ${message}`))
  })

  test('parameters and gradients with other parts: both lists are named', () => {
    t.scope(() => {
      const optimizer = made()
      const now = params()
      const slots = optimizer.init(now)
      const rest = 'give every part of the parameters an optimizer'
      const message = (tree: string, got: string): Error =>
        refusal(
          RangeError,
          `partition: ${tree} must have the parts generator, discriminator, got ${got}; ${rest}`,
        )
      const { generator } = now
      const more = { ...now, critic: generator }
      const update = (gradients: unknown, at: unknown) => () =>
        optimizer.update(gradients as never, slots as never, at as never, optimizer.hyper(0))
      expect(() => optimizer.init({ generator })).toThrow(message('params', 'generator'))
      expect(() => optimizer.init(t.tensor(1))).toThrow(message('params', 'a Tensor'))
      expect(() => optimizer.init([])).toThrow(message('params', 'an array'))
      expect(update(now, more)).toThrow(message('params', 'discriminator, generator, critic'))
      expect(update({ generator }, now)).toThrow(message('gradients', 'generator'))
      expect(update(null, now)).toThrow(message('gradients', 'null'))
    })
  })

  test('what is wrong within a part is told by its optimizer, and leaves nothing in memory', () => {
    t.scope(() => {
      const optimizer = made()
      const now = params()
      const slots = optimizer.init(now)
      const wrong = { ...now, discriminator: { w: t.tensor([1]) } }
      const before = t.memory().tensors
      expect(() => optimizer.update(wrong, slots, now, optimizer.hyper(0))).toThrow(
        refusal(
          RangeError,
          "sgd: gradients must have shape [2] at 'w', got [1]; pass trees of the structure of params",
        ),
      )
      expect(() => optimizer.update(now, {} as never, now, optimizer.hyper(0))).toThrow(
        /^adam: slots\.m must have an object at the root, got undefined/,
      )
      expect(t.memory().tensors).toBe(before)
    })
  })
})

test('types: slots of all parts, names of parts', () => {
  const optimizer = made()
  t.scope(() => {
    const { m, v } = optimizer.init(params())
    expect([m.generator.layers.length, v.generator.layers.length]).toEqual([2, 2])
    // @ts-expect-error there is no such slot
    expect(optimizer.init(params()).velocity).toBeUndefined()
    // @ts-expect-error there is no such part
    expect(() => optimizer.part('critic')).toThrow(RangeError)
  })
})
