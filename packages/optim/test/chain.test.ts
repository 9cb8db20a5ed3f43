import * as t from '@tapeflow/autodiff'
import {
  accumulate,
  adam,
  addDecayedWeights,
  addNoise,
  type Control,
  chain,
  clipByGlobalNorm,
  descend,
  ema,
  ewma,
  type Hyper,
  machine,
  masked,
  momentum,
  type Optimizer,
  perPath,
  type Slots,
  scaleByAdam,
  sgd,
  type Transform,
  trace,
} from '@tapeflow/optim'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { refusal } from './refusal.ts'

const control = (overrides: Record<string, number> = {}, rateScale = 1): Control => ({ rateScale, overrides })
const end = descend({ learningRate: 1 })

/** A link that does nothing, and what it was told. */
function listening(
  hyperparameters: readonly string[],
  slots: readonly string[] = [],
): { readonly link: Transform<string>; readonly heard: Hyper[]; readonly steps: number[] } {
  const heard: Hyper[] = []
  const steps: number[] = []
  const link: Transform<string> = {
    name: 'listening',
    hyperparameters,
    init: (params) => Object.fromEntries(slots.map((name) => [name, params])),
    update: (updates, own, _, hyper) => {
      heard.push(hyper)
      return { updates, slots: own }
    },
    hyper: (step, given = control()) => {
      steps.push(step)
      for (const name in given.overrides) if (!hyperparameters.includes(name)) throw new Error(`got ${name}`)
      return Object.fromEntries(hyperparameters.map((name) => [name, given.overrides[name] ?? -1]))
    },
  }
  return { link, heard, steps }
}

/** A link that holds what follows at the steps given. */
const holding = (...steps: readonly number[]): Transform<never> => ({
  name: 'holding',
  hyperparameters: [],
  init: () => ({}),
  update: (updates, slots, _, { goesOn }) => ({ updates, slots, applies: t.mul(goesOn!, 1) }),
  hyper: (step) => ({ goesOn: steps.includes(step) ? 0 : 1 }),
})

type Params = { readonly w: t.Tensor }
interface State {
  readonly params: Params
  readonly slots: Slots<string, Params>
}
/** What parameters and slots are, as numbers, after steps with these gradients from 10 on. */
function after(optimizer: Optimizer<string>, ...gradients: readonly number[]): Record<string, number> {
  return t.scope(() => {
    let state: State = { params: { w: t.tensor(10) }, slots: optimizer.init({ w: t.tensor(10) }) }
    for (const [step, gradient] of gradients.entries()) {
      const { slots, params } = state
      state = optimizer.update({ w: t.tensor(gradient) }, slots, params, optimizer.hyper(step))
    }
    const entries = Object.entries(state.slots).map(([name, slot]) => [name, slot.w.item()])
    return { w: state.params.w.item(), ...Object.fromEntries(entries) }
  })
}

describe('names', () => {
  test('two links of a kind have slots and hyperparameters of their own', () => {
    const optimizer = chain(trace({ decay: 0.5 }), trace({ decay: 0.25 }), end)
    expect(optimizer.hyperparameters).toEqual(['decay', 'decay2', 'learningRate'])
    // 1, 1.5 and of these 1, 1.75
    expect(after(optimizer, 1, 1)).toEqual({ w: 10 - 1 - 1.75, trace: 1.5, trace2: 1.75 })
  })

  test('of links of several kinds too, those of one name get a number', () => {
    const optimizer = chain(
      ewma({ decay: 0.5 }),
      ema({ decay: 0.5 }),
      trace({ decay: 0.5 }),
      ewma({ decay: 0.25 }),
      end,
    )
    expect(optimizer.hyperparameters).toEqual(['decay', 'decay2', 'decay3', 'decay4', 'learningRate'])
    expect(Object.keys(optimizer.init({ w: t.tensor(1) }))).toEqual(['average', 'mean', 'trace', 'average2'])
  })

  const names = fc.uniqueArray(fc.constantFrom('a', 'a2', 'a22', 'a3', 'b', 'b2', 'learningRate'))
  test('whatever they are, all differ, and overrides and slots go to their link', () => {
    fc.assert(
      fc.property(fc.array(names, { maxLength: 5 }), (all) => {
        const links = all.map((own) => listening(own, own))
        const optimizer = chain(...links.map(({ link }) => link), end)
        const outer = optimizer.hyperparameters
        expect(new Set(outer).size).toBe(outer.length)
        expect(outer.at(-1)).toBe('learningRate')
        t.scope(() => {
          // The i-th name of all is overridden by i, and the slot that stands beside it remembers i.
          const overrides = Object.fromEntries(outer.map((name, i) => [name, i]))
          const params = { w: t.tensor(0) }
          const slotNames = Object.keys(optimizer.init(params))
          expect(new Set(slotNames).size).toBe(all.flat().length)
          const slots = Object.fromEntries(slotNames.map((name, i) => [name, { w: t.tensor(i) }]))
          const hyper = optimizer.hyper(0, control(overrides))
          const next = optimizer.update(params, slots, params, hyper)
          expect(Object.entries(next.slots).map(([name, { w }]) => [name, w.item()])).toEqual(
            slotNames.map((name, i) => [name, i]),
          )
          expect(hyper.learningRate).toBe(outer.length - 1)
        })
        let i = 0
        for (const [k, own] of all.entries())
          expect(links[k]!.heard).toEqual([Object.fromEntries(own.map((name) => [name, i++]))])
      }),
    )
  })

  test('the first link of a name keeps it', () => {
    const { link } = listening(['a', 'a2'], ['a', 'a2'])
    const optimizer = chain(listening(['a'], ['a']).link, link, end)
    expect(optimizer.hyperparameters).toEqual(['a', 'a3', 'a2', 'learningRate'])
  })

  test("the end's rate keeps its name, which the machine steers", () => {
    const own = listening(['learningRate'])
    const optimizer = chain(own.link, descend({ learningRate: 0.5 }))
    expect(optimizer.hyperparameters).toEqual(['learningRate2', 'learningRate'])
    const steered = machine({}, { hyperparameters: optimizer.hyperparameters })
    steered.send({ type: 'setLearningRate', value: 0.25 })
    const hyper = optimizer.hyper(0, steered.state)
    expect(hyper.learningRate).toBe(0.25)
    t.scope(() => optimizer.update([], {}, [], hyper))
    expect(own.heard).toEqual([{ learningRate: -1 }])
  })
})

describe('a chain as the end of another', () => {
  const inner = (): Optimizer<'trace'> => chain(trace({ decay: 0.5 }), descend({ learningRate: 0.5 }))

  test('is the chain of all links', () => {
    const nested = chain(clipByGlobalNorm(2), trace({ decay: 0.25 }), inner())
    const flat = chain(
      clipByGlobalNorm(2),
      trace({ decay: 0.25 }),
      trace({ decay: 0.5 }),
      descend({ learningRate: 0.5 }),
    )
    expect(nested.hyperparameters).toEqual(flat.hyperparameters)
    expect(after(nested, 1, -7, 3)).toEqual(after(flat, 1, -7, 3))
  })

  test('is told its overrides and held as one', () => {
    const nested = chain(trace({ decay: 0.25 }), holding(1), inner())
    const overridden = control({ decay: 0, decay2: 0.75, learningRate: 2 })
    const { learningRate, ...others } = nested.hyper(0, overridden)
    expect([learningRate, Object.values(others)]).toEqual([2, [0, 1, 0.75]])
    // The second step is held: of what is inside, nothing moved.
    expect(after(nested, 4, 8)).toEqual({ w: 10 - 2, trace: 9, trace2: 4 })
  })

  test('may be of an optimizer that asks of evaluate, and of one that is eager', () => {
    const eager: Optimizer<never> = {
      ...sgd({ learningRate: 1 }),
      eager: true,
      update: (_, slots, params, __, evaluate) => ({ params: evaluate!(params).gradients, slots }),
    }
    const nested = chain(clipByGlobalNorm(1), chain(clipByGlobalNorm(1), eager))
    expect(nested.eager).toBe(true)
    expect(chain(clipByGlobalNorm(1), end)).not.toHaveProperty('eager')
    t.scope(() => {
      const params = { w: t.tensor(3) }
      const evaluate = t.valueAndGrad(({ w }: { w: t.Tensor }) => t.square(w))
      const next = nested.update(params, {}, params, nested.hyper(0), evaluate as never)
      expect(next.params.w.item()).toBe(6)
    })
  })
})

describe('control', () => {
  const optimizer = chain(
    addDecayedWeights({ weightDecay: 0.5 }),
    trace({ decay: 0.5 }),
    descend({ learningRate: (step) => step + 1 }),
  )

  test('rateScale scales the rate of the end and nothing else', () => {
    const plain = optimizer.hyper(3)
    expect(plain.learningRate).toBe(4)
    expect(optimizer.hyper(3, control({}, 0.5))).toEqual({ ...plain, learningRate: 2 })
  })

  test('overrides go to their link, the last control counts, and without one all is as it was', () => {
    const plain = optimizer.hyper(0)
    const [one, other] = [control({ decay: 0.25 }), control({ weightDecay: 2, learningRate: 7 }, 0.5)]
    for (const _ of [1, 2]) {
      expect(optimizer.hyper(0, one)).toEqual({ ...plain, '1:decay': 0.25 })
      expect(optimizer.hyper(0, other)).toEqual({ ...plain, '0:weightDecay': 2, learningRate: 7 })
      expect(optimizer.hyper(0)).toEqual(plain)
    }
  })

  test.each([
    [
      () => optimizer.hyper(0, control({ momentum: 1 })),
      "chain: unknown hyperparameter in overrides, got 'momentum'; use weightDecay, decay, learningRate",
    ],
    [
      () => optimizer.hyper(0, control({ '1:decay': 1 })),
      "chain: unknown hyperparameter in overrides, got '1:decay'; use weightDecay, decay, learningRate",
    ],
    [
      () => optimizer.hyper(0, control({ decay: 1 })),
      'trace: decay must be a finite number from 0 to below 1, got 1',
    ],
    [
      () => optimizer.hyper(0, control({}, -1)),
      'descend: rateScale must be a finite number from 0 on, got -1',
    ],
    [() => optimizer.hyper(0.5), 'addDecayedWeights: step must be an integer from 0 on, got 0.5'],
  ])('%s', (call, message) => {
    expect(call).toThrow(refusal(RangeError, message))
  })
})

describe('a link that holds', () => {
  test('holds slots and parameters of what is behind it, and not its own or those before', () => {
    const optimizer = chain(trace({ decay: 0.5 }), holding(1), trace({ decay: 0.5 }), end)
    const first = after(optimizer, 4)
    expect(first).toEqual({ w: 6, trace: 4, trace2: 4 })
    expect(after(optimizer, 4, 2)).toEqual({ ...first, trace: 4 })
    // The third goes on from what the held one left: 0.5 · 4 + 2 = 4 before it, 0.5 · 4 + 4 = 6 behind.
    expect(after(optimizer, 4, 2, 2)).toEqual({ w: 6 - 6, trace: 4, trace2: 6 })
  })

  test('holds together with others: what is behind both goes on where both let it', () => {
    const optimizer = chain(holding(0), trace({ decay: 0 }), holding(1), trace({ decay: 0 }), end)
    expect(after(optimizer, 1)).toEqual({ w: 10, trace: 0, trace2: 0 })
    expect(after(optimizer, 1, 2)).toEqual({ w: 10, trace: 2, trace2: 0 })
    expect(after(optimizer, 1, 2, 3)).toEqual({ w: 7, trace: 3, trace2: 3 })
  })

  test('keeps what links remember of the new parameters: those before it see the old ones again', () => {
    const optimizer = chain(ewma({ decay: 0.5 }), holding(1), ewma({ decay: 0.5 }), end)
    expect(after(optimizer, 2)).toEqual({ w: 8, average: 8, average2: 8 })
    const { w, average, average2 } = after(optimizer, 2, 5)
    expect([w, average2]).toEqual([8, 8])
    expect(average).toBeCloseTo(8, 5)
    // Its third update: weights 1/7, 2/7, 4/7 of 8, 8 and 3.
    expect(after(optimizer, 2, 5, 5).average).toBeCloseTo((8 + 16 + 12) / 7, 5)
  })

  test('at the first or the last of k gradients: those count as 0, and none is applied twice', () => {
    const gathered = (...steps: readonly number[]): Optimizer<string> =>
      chain(holding(...steps), accumulate(2), end)
    const gradients = [1, 2, 4, 8, 16, 32]
    expect(after(gathered(), ...gradients)).toEqual({ w: 10 - 1.5 - 6 - 24, sum: 0 })
    expect(after(gathered(2), ...gradients)).toEqual({ w: 10 - 1.5 - 4 - 24, sum: 0 })
    expect(after(gathered(1), ...gradients)).toEqual({ w: 10 - 6 - 24, sum: 0 })
    expect(after(gathered(1), Number.NaN, 2, 4, 8)).toEqual({ w: 10 - 6, sum: 0 })
  })

  test('takes no share of what is not finite', () => {
    const optimizer = chain(holding(0, 1), scaleByAdam(), trace({ decay: 0.5 }), end)
    const held = after(optimizer, Number.NaN, Number.POSITIVE_INFINITY)
    expect(held).toEqual({ w: 10, m: 0, v: 0, trace: 0 })
  })
})

describe('schedules', () => {
  const rate = (step: number): number => step
  const rates = (optimizer: Optimizer<string>, count: number): unknown[] =>
    Array.from({ length: count }, (_, step) => optimizer.hyper(step).learningRate)

  test('count updates behind accumulate, and steps before it', () => {
    const optimizer = chain(accumulate(3), descend({ learningRate: rate }))
    expect(rates(optimizer, 8)).toEqual([0, 0, 0, 1, 1, 1, 2, 2])
    const own = [listening([]), listening([]), listening([])] as const
    const three = chain(
      own[0].link,
      accumulate(2),
      own[1].link,
      masked(accumulate(3), () => true),
      own[2].link,
      descend({ learningRate: rate }),
    )
    expect(rates(three, 13)).toEqual([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 2])
    expect(own.map(({ steps }) => steps[12])).toEqual([12, 6, 2])
  })

  test('and bias corrections go by them too', () => {
    const optimizer = chain(accumulate(4), adam({ learningRate: 0.5 }))
    const plain = adam({ learningRate: 0.5 })
    const behind = (step: number): Hyper =>
      Object.fromEntries(
        Object.entries(optimizer.hyper(step))
          .filter(([name]) => !name.startsWith('0:'))
          .map(([name, x]) => [name.replace('1:', ''), x]),
      )
    for (const step of [0, 3, 4, 7, 8]) expect(behind(step)).toEqual(plain.hyper(Math.floor(step / 4)))
  })

  test('noise behind accumulate is drawn for updates', () => {
    const optimizer = chain(accumulate(2), addNoise({ key: t.key(1), eta: 1 }), end)
    expect([0, 1, 2, 5].map((step) => optimizer.hyper(step)['1:step'])).toEqual([0, 0, 1, 2])
  })
})

describe('refused', () => {
  const stepping = (optimizer: Optimizer<string>) => (): unknown =>
    t.scope(() => {
      const params = { w: t.tensor(1) }
      return optimizer.update(params, optimizer.init(params), params, optimizer.hyper(0))
    })
  const order = (i: number): string =>
    `chain: an optimizer must stand at the end and nowhere else, got another order at link ${i}; put transforms before it, and descend({ learningRate }) last`

  test.each([
    [
      () => chain(...([] as unknown as [Optimizer<never>])),
      'chain: at least one link is needed, got 0; end with descend({ learningRate })',
    ],
    [
      () => chain(clipByGlobalNorm as never, end),
      'chain: link 0 must be a transform or an optimizer, got a function; call it: clipByGlobalNorm(1)',
    ],
    [
      () => chain(clipByGlobalNorm(1), null as never),
      'chain: link 1 must be a transform or an optimizer, got null; call it: clipByGlobalNorm(1)',
    ],
    [stepping(chain(momentum({ learningRate: 1 }) as never, end)), order(0)],
    [stepping(chain(clipByGlobalNorm(1), adam() as never, end)), order(1)],
    [stepping(chain(clipByGlobalNorm(1), trace({ decay: 0.5 }) as never)), order(1)],
    [stepping(chain(clipByGlobalNorm(1) as never)), order(0)],
  ])('%s', (call, message) => {
    expect(call).toThrow(refusal(TypeError, message))
  })

  test('at an update: trees that differ, by the link that looks at them, with nothing left in memory', () => {
    const optimizer = chain(trace({ decay: 0.5 }), clipByGlobalNorm(1), end)
    t.scope(() => {
      const params = { w: t.tensor([1, 2]) }
      const slots = optimizer.init(params)
      const wrong = { w: t.tensor([1]) }
      const before = t.memory()
      expect(() => optimizer.update(wrong, slots, params, optimizer.hyper(0))).toThrow(
        refusal(
          RangeError,
          "trace: gradients must have shape [2] at 'w', got [1]; pass trees of the structure of params",
        ),
      )
      expect(() => optimizer.update(params, {} as never, params, optimizer.hyper(0))).toThrow(
        refusal(
          RangeError,
          'trace: slots.trace must have an object at the root, got undefined; pass trees of the structure of params',
        ),
      )
      expect(t.memory().bytes).toBe(before.bytes)
    })
  })

  test('numbers that are not those of the chain', () => {
    const optimizer = chain(perPath([{ at: () => true, factor: 2 }]), end)
    t.scope(() => {
      const params = { w: t.tensor(1) }
      expect(() => optimizer.update(params, {}, params, { learningRate: 1, factor0: 2 })).toThrow(
        refusal(
          RangeError,
          'perPath: factor0 is missing in hyper, got nothing; pass what hyper(step, control) returned',
        ),
      )
    })
  })
})

test('a chain of an optimizer alone is that optimizer', () => {
  const alone = chain(momentum({ learningRate: 0.5 }))
  expect(alone.hyperparameters).toEqual(momentum({ learningRate: 0.5 }).hyperparameters)
  expect(after(alone, 1, 2, 3)).toEqual(after(momentum({ learningRate: 0.5 }), 1, 2, 3))
})
