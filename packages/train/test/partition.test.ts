import * as t from '@tapeflow/autodiff'
import { type LinearParams, linear, mse, tanh } from '@tapeflow/nn'
import { adam, partition, sam, sgd } from '@tapeflow/optim'
import { concatMap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  type FitOptions,
  fit,
  type Model,
  type RunSnapshot,
  type TrainCommand,
} from '../src/index.ts'
import { eventsOf, modes, surface } from './small.ts'
import { toldInBothModes } from './told.ts'

type Parts = { readonly body: LinearParams; readonly head: LinearParams }

const [body, head] = [linear(2, 6), linear(6, 1)]
/** Two layers with a name each. */
const model: Model<Parts, null> = {
  init: (key, shape) => ({
    params: {
      body: body.init(t.foldIn(key, 'body'), shape).params,
      head: head.init(t.foldIn(key, 'head'), [6]).params,
    },
    state: null,
    outputShape: [1],
  }),
  apply: (params, state, x, ctx) => {
    const inner = body.apply(params.body, state, x, ctx).y
    const bent = tanh().apply(null, null, inner, ctx).y
    return { y: head.apply(params.head, state, bent, ctx).y, state }
  },
}

const optimizer = partition({
  body: adam({ learningRate: 0.05 }),
  head: sam(sgd({ learningRate: (step) => 0.1 / (1 + step), momentum: 0.9 })),
})
const options: FitOptions = { data: surface(64).batch(16), loss: mse(), optimizer, steps: 10 }

const sending = (at: number, ...commands: readonly TrainCommand[]): Callback => ({
  name: 'sending',
  run: (events$) =>
    events$.pipe(concatMap(({ type, step }) => (type === 'step' && step === at ? commands : []))),
})

/** The rate of each step, and the parameters of a part behind each. */
async function run(
  more: Partial<FitOptions>,
): Promise<{ rates: number[]; body: unknown[]; head: unknown[]; end: RunSnapshot }> {
  const [rates, bodies, heads]: [number[], unknown[], unknown[]] = [[], [], []]
  const run$ = fit(model, { ...options, ...more }).pipe(
    concatMap((event) => {
      if (event.type === 'step') {
        rates.push(event.learningRate)
        const { body, head } = event.weights.snapshot()
        bodies.push(body)
        heads.push(head)
      }
      return [event]
    }),
  )
  const end = (await eventsOf(run$)).at(-1)
  if (end?.type !== 'end') throw new Error('no end')
  return { rates, body: bodies, head: heads, end: end.result }
}

test('a run with an optimizer for each part tells the same compiled and eagerly, bit for bit', async () => {
  const tellings = await toldInBothModes(model, {
    ...options,
    watch: ['gradients', 'gradientNorm', 'activations'],
  })
  expect(tellings.filter(({ type }) => type === 'step')).toHaveLength(10)
})

describe.each(modes)('%s', (_, mode) => {
  test('a run goes on from its snapshot, bit for bit', async () => {
    const whole = await run(mode)
    const half = await run({ ...mode, steps: 5 })
    const { end } = await run({ ...mode, from: half.end })
    expect(end.params).toEqual(whole.end.params)
    expect(end.slots).toEqual(whole.end.slots)
    expect(whole.end.slots).toMatchObject({ m: { head: null }, velocity: { body: null } })
  })

  test('events show the rate of the first part; a command sets that of one part, or of all', async () => {
    const still = await run({
      ...mode,
      callbacks: [
        sending(2, { type: 'setHyperparameter', name: 'body.learningRate', value: 0 }),
        sending(5, { type: 'setLearningRate', learningRate: 0 }),
      ],
    })
    expect(still.rates).toEqual([0.05, 0.05, 0.05, 0, 0, 0, 0, 0, 0, 0])
    const moves = (states: readonly unknown[]): boolean[] =>
      states.slice(1).map((state, i) => JSON.stringify(state) !== JSON.stringify(states[i]))
    expect(moves(still.body)).toEqual([true, true, false, false, false, false, false, false, false])
    // Its velocity goes on where the rate is 0.
    expect(moves(still.head)).toEqual(Array(9).fill(true))
  })

  test('a part can be frozen, with its slots', async () => {
    const frozen = await run({ ...mode, callbacks: [sending(3, { type: 'freeze', path: 'head.**' })] })
    expect(frozen.head[9]).toEqual(frozen.head[3])
    expect(frozen.body[9]).not.toEqual(frozen.body[3])
    const before = await run({ ...mode, steps: 4 })
    expect(frozen.end.slots).toMatchObject({ velocity: (before.end.slots as { velocity: object }).velocity })
  })
})

test('parameters of other parts are refused before the first step', async () => {
  const other = partition({ body: adam(), tail: adam() })
  await expect(eventsOf(fit(model, { ...options, optimizer: other }))).rejects.toThrow(
    'partition: params must have the parts body, tail, got body, head; give every part of the parameters an optimizer',
  )
})
