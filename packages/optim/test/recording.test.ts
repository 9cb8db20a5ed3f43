import * as t from '@tapeflow/autodiff'
import { adam, type Control, type Hyper, type Optimizer, sgd } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { rows } from './rows/index.ts'

interface Recorded {
  readonly name: string
  readonly optimizer: Optimizer<string>
  readonly control?: Control
  readonly mustBeNumbers?: readonly string[]
}

const overriding = (overrides: Record<string, number>): Control => ({ rateScale: 0.5, overrides })

// Beside every optimizer, those whose numbers are other ones where an option is overridden.
const recorded: readonly Recorded[] = [
  ...rows
    .map(({ optimizer, ...row }) => ({ ...row, optimizer: optimizer(0.1) }))
    .filter(({ optimizer }) => optimizer.eager !== true),
  {
    name: 'sgd with its momentum overridden by 0',
    optimizer: sgd({ learningRate: 0.1, momentum: 0.9 }),
    control: overriding({ momentum: 0 }),
  },
  { name: 'adam without epsilon', optimizer: adam({ learningRate: 0.1, epsilon: 0 }) },
  {
    name: 'adam with epsilonRoot overridden by 0',
    optimizer: adam({ learningRate: 0.1, epsilonRoot: 1e-3 }),
    control: overriding({ epsilonRoot: 0 }),
  },
  {
    name: 'adam with epsilonRoot overridden by another',
    optimizer: adam({ learningRate: 0.1 }),
    control: overriding({ epsilonRoot: 0.1, beta1: 0 }),
  },
]

type Params = { readonly layers: readonly { readonly bias: t.Tensor; readonly weight: t.Tensor }[] }
type Slots = Record<string, Params>
interface State {
  readonly params: Params
  readonly slots: Slots
}

const shapes = { layers: [{ bias: [2], weight: [3, 2] }] }
const values = (seed: number): Params => ({
  layers: [{ bias: t.normal(t.key(seed), [2]), weight: t.normal(t.key(seed + 1), [3, 2]) }],
})
const loss = ({ layers }: Params): t.Tensor =>
  layers.map(({ bias, weight }) => t.mean(t.square(t.add(weight, bias)))).reduce((a, b) => t.add(a, b))

describe.each(recorded)('$name', ({ optimizer, control, mustBeNumbers = [] }) => {
  const slotShapes = t.evalShape((params: Params) => optimizer.init(params), shapes)
  const hyper = (step: number): Hyper => optimizer.hyper(step, control)
  const hyperShapes: Readonly<Record<string, t.Shape>> = Object.fromEntries(
    Object.keys(hyper(0))
      .filter((name) => !mustBeNumbers.includes(name))
      .map((name) => [name, []]),
  )
  const numbers = Object.fromEntries(mustBeNumbers.map((name) => [name, hyper(0)[name]!]))

  const step = (params: Params, slots: Slots, given: Hyper): State => {
    const hyper = { ...numbers, ...given }
    const evaluate = t.valueAndGrad(loss)
    return optimizer.update(evaluate(params).gradients, slots, params, hyper, evaluate)
  }

  test('its update can be recorded, with its numbers as inputs', () => {
    const recorded = t.evalShape(step, shapes, slotShapes, hyperShapes)
    expect(recorded).toEqual({ params: shapes, slots: slotShapes })
  })

  test('so can the gradient through two updates, by numbers too', () => {
    const after = (start: State & { readonly hyper: Hyper }): t.Tensor => {
      const one = step(start.params, start.slots, start.hyper)
      return loss(step(one.params, one.slots, start.hyper).params)
    }
    const inputs = { params: shapes, slots: slotShapes, hyper: hyperShapes }
    expect(t.evalShape(t.grad(after), inputs)).toEqual(inputs)
  })

  type Step = typeof step
  const run = (step: Step): unknown =>
    t.toSnapshot(
      t.fold({ params: values(1), slots: optimizer.init(values(1)) }, Array(5).keys(), (now, i) =>
        step(now.params, now.slots, hyper(i)),
      ),
    )

  test('numbers and scalar tensors give the same bits', () => {
    const tensors: Step = (params, slots, hyper) => {
      const entries = Object.entries(hyper).map(([name, x]) => [
        name,
        mustBeNumbers.includes(name) ? x : t.add(x, 0),
      ])
      return step(params, slots, Object.fromEntries(entries) as Hyper)
    }
    expect(run(tensors)).toEqual(run(step))
  })

  test('the compiled step gives the same bits, with its numbers as inputs', () => {
    const before = t.memory().tensors
    const compiled = t.compile(step)
    t.scope(() => {
      expect(run(compiled)).toEqual(run(step))
      return null
    })
    compiled.dispose()
    expect(t.memory().tensors).toBe(before)
  })

  test('leaves that are no tensors stay in a compiled update too', () => {
    const mixed = { key: t.key(3), none: null, size: 7, w: t.tensor([1, 2]) }
    type Mixed = typeof mixed
    const update = (params: Mixed, slots: Record<string, Mixed>, hyper: Hyper): unknown =>
      optimizer.update(params, slots, params, hyper, (at) => ({ value: t.sum(at.w), gradients: at }))
    const compiled = t.compile(update)
    const slots = optimizer.init(mixed)
    const wanted = t.toSnapshot(update(mixed, slots, hyper(0)))
    expect(wanted).toMatchObject({ params: { key: mixed.key, none: null, size: 7 } })
    expect(t.toSnapshot(compiled(mixed, slots, hyper(0)))).toEqual(wanted)
    compiled.dispose()
  })

  test('which numbers there are does not depend on the step', () => {
    const names = [0, 1, 1e6].map((step) => Object.keys(hyper(step)))
    expect(names).toEqual(names.map(() => names[0]))
  })
})

test("adam's hyper has a number for epsilonRoot only where that is not 0", () => {
  const names = (optimizer: Optimizer<string>, epsilonRoot?: number): boolean =>
    'scaledEpsilonRoot' in optimizer.hyper(3, overriding(epsilonRoot === undefined ? {} : { epsilonRoot }))
  const [without, withRoot] = [adam(), adam({ epsilonRoot: 1e-3 })]
  expect([names(without), names(without, 1e-3), names(withRoot), names(withRoot, 0)]).toEqual([
    false,
    true,
    true,
    false,
  ])
})
