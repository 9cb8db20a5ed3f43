import * as t from '@tapeflow/autodiff'
import { freeze, l2, linear, mse, regularize, sequential, tanh } from '@tapeflow/nn'
import { adam, adamw, sgd } from '@tapeflow/optim'
import { map, Subject } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { type CallbackInfo, fit, type TrainEvent, unfreezeAt } from '../src/index.ts'
import { eventsOf, line, modes, surface, turn, twoPoints, virtually } from './small.ts'
import { told, toldInBothModes } from './told.ts'

const model = sequential(linear(2, 6), tanh(), linear(6, 1))
const options = {
  data: surface(40).batch(16),
  loss: mse(),
  optimizer: adamw({ learningRate: 0.05, weightDecay: 0.1 }),
  epochs: 4,
  seed: 2,
}
type Weights = Record<string, readonly number[]>

/** The first layer's weights after each epoch, and the last layer's. */
async function followed(more: object): Promise<{ first: unknown[]; last: unknown[]; slots: unknown[] }> {
  const found = { first: [] as unknown[], last: [] as unknown[], slots: [] as unknown[] }
  const events = await eventsOf(
    fit(model, {
      ...options,
      ...more,
      monitors: [
        (event: TrainEvent) => {
          if (event.type !== 'epoch' && event.type !== 'start') return
          if (event.type === 'start') return
          const { params, slots } = event.snapshot() as never as {
            params: { layers: Weights[] }
            slots: { m: { layers: Weights[] } }
          }
          found.first.push(params.layers[0])
          found.last.push(params.layers[2])
          found.slots.push(slots.m.layers[0])
        },
      ],
    }),
  )
  expect(events.at(-1)!.type).toBe('end')
  return found
}

describe.each(modes)('unfreezeAt, %s', (_, mode) => {
  test('holds parameters and slots until the epoch, then trains them; the others are trained all along', async () => {
    const callbacks = [unfreezeAt({ path: 'layers.0.**', epoch: 2 })]
    const { first, last, slots } = await followed({ ...mode, callbacks })
    const drawn = t.scope(() =>
      t.toSnapshot(model.init(t.foldIn(t.key(2), 'init'), [2]).params),
    ) as never as {
      layers: Weights[]
    }
    expect(first[0]).toEqual(drawn.layers[0])
    expect(first[1]).toEqual(first[0])
    expect(first[2]).not.toEqual(first[1])
    expect(first[3]).not.toEqual(first[2])
    expect(slots[1]).toEqual(slots[0])
    expect(slots[2]).not.toEqual(slots[1])
    for (const epoch of [1, 2, 3]) expect(last[epoch]).not.toEqual(last[epoch - 1])
  })

  test('trains the rest as a model does whose first layer is frozen for good', async () => {
    const plain = { ...options, ...mode, optimizer: sgd({ learningRate: 0.1 }) }
    const held = await eventsOf(
      fit(model, { ...plain, callbacks: [unfreezeAt({ path: 'layers.0.**', step: 1000 })] }),
    )
    const frozen = await eventsOf(
      fit(sequential(freeze(linear(2, 6)), tanh(), linear(6, 1)) as never, plain as never),
    )
    const losses = (events: readonly TrainEvent[]): number[] =>
      events.filter((event) => event.type === 'step').map(({ loss }) => loss)
    expect(losses(held)).toEqual(losses(frozen as never))
  })

  test('leaves nothing in the heap, goes on from a snapshot bit for bit, and back again', async () => {
    const before = t.memory()
    const callbacks = () => [unfreezeAt({ path: ['layers.0.weight', 'layers.2.bias'], step: 5 })]
    const all = await told(fit(model, { ...options, ...mode, callbacks: callbacks() }))
    for (const at of [3, 4, 5, 8]) {
      const taken: unknown[] = []
      const take = (event: TrainEvent): void => {
        if (event.type === 'step' && event.step === at) taken.push(event.snapshot())
      }
      await eventsOf(fit(model, { ...options, ...mode, callbacks: callbacks(), monitors: [take] }))
      const from = taken[0] as never
      const rest = await told(fit(model, { ...options, ...mode, callbacks: callbacks(), from }))
      const steps = rest.filter(({ type }) => type === 'step')
      expect(steps).toEqual(all.filter(({ type }) => type === 'step').slice(-steps.length))
      expect(rest.at(-1)).toEqual(all.at(-1))
    }
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})

test('compiled is eager, with penalties and what is watched; gradients of what is frozen are 0', async () => {
  const callbacks = [unfreezeAt({ path: 'layers.0.*', step: 4 })]
  const regularizers = regularize([{ at: () => true, penalty: l2(0.1) }])
  const watch = ['gradients', 'gradientNorm', 'activations'] as const
  await toldInBothModes(model, {
    ...options,
    optimizer: adam({ learningRate: 0.1 }),
    callbacks,
    regularizers,
    watch,
  })
  const seen: number[] = []
  const look = (event: TrainEvent): void => {
    if (event.type !== 'step') return
    const { layers } = event.gradients.snapshot() as never as {
      layers: { weight: { values: Float32Array } }[]
    }
    seen.push(layers[0]!.weight.values.filter((value) => value !== 0).length)
  }
  await eventsOf(fit(model, { ...options, callbacks, watch: ['gradients'], monitors: [look] }))
  expect(seen.slice(0, 4)).toEqual([0, 0, 0, 0])
  expect(seen.slice(4)).toEqual(Array.from({ length: 8 }, () => 12))
})

test('its commands', () => {
  virtually((_scheduler, { expectObservable, hot }) => {
    const events$ = hot<Partial<TrainEvent>>('s-0-1-e-2-f', {
      s: { type: 'start', step: 0, epoch: 0 },
      0: { type: 'step', step: 0, epoch: 0 },
      1: { type: 'step', step: 1, epoch: 0 },
      e: { type: 'epoch', step: 2, epoch: 0 },
      2: { type: 'step', step: 2, epoch: 1 },
      f: { type: 'epoch', step: 3, epoch: 1 },
    })
    const info = { keep: (_: string, value: unknown) => ({ value }) } as CallbackInfo
    const run = (callback: ReturnType<typeof unfreezeAt>) =>
      callback.run(events$ as never, info).pipe(map((command) => command.type))
    const words = { f: 'freeze', u: 'unfreeze' }
    expectObservable(run(unfreezeAt({ path: 'a', epoch: 1 }))).toBe('f-----u', words)
    expectObservable(run(unfreezeAt({ path: 'a', epoch: 2 }))).toBe('f---------u', words)
    expectObservable(run(unfreezeAt({ path: 'a', step: 2 }))).toBe('f---u', words)
  })
})

// Nothing said that the parameters were never trained.
test.each<[string, object, object, string[]]>([
  ['the last epoch', { epoch: 2 }, { epochs: 3 }, []],
  [
    'an epoch after the last',
    { epoch: 3 },
    { epochs: 3 },
    ['epoch 3 does not come: the run has 3 epochs, from 0 on'],
  ],
  ['an epoch that steps end in', { epoch: 1 }, { steps: 3 }, []],
  [
    'an epoch that they do not reach',
    { epoch: 1 },
    { steps: 2 },
    ['epoch 1 does not come: the run has 1 epochs, from 0 on'],
  ],
  ['the last step', { step: 5 }, { epochs: 3 }, []],
  [
    'a step after the last',
    { step: 6 },
    { epochs: 3 },
    ['step 6 does not come: the run has 6 steps, from 0 on'],
  ],
  [
    'an epoch of a run of unknown length',
    { epoch: 3 },
    { steps: 2, data: { iterate: twoPoints.data.iterate } },
    [],
  ],
])('the log is told where it would be at %s', async (_, at, more, wanted) => {
  const said: unknown[][] = []
  const callbacks = [unfreezeAt({ path: 'bias', ...at } as never)]
  const log = (...words: unknown[]): number => said.push(words)
  await eventsOf(fit(line, { ...twoPoints, ...more, callbacks, log }))
  expect(said).toEqual(wanted.map((words) => ['unfreezeAt: bias stays frozen to the end', words]))
})

test('a pattern that names no parameter ends the run, and is refused from outside', async () => {
  const callbacks = [unfreezeAt({ path: 'layers.1.**', epoch: 1 })]
  await expect(eventsOf(fit(model, { ...options, callbacks }))).rejects.toThrow(
    "fit: callback 'unfreezeAt' failed: no parameter is at 'layers.1.**'; there are layers.0.bias, layers.0.weight, layers.2.bias, layers.2.weight",
  )
  const commands = new Subject<never>()
  const seen: TrainEvent[] = []
  const subscription = fit(line, { ...twoPoints, epochs: 1000, commands, pace: { rest: 1 } }).subscribe(
    (event) => seen.push(event),
  )
  await turn()
  commands.next({ type: 'freeze', path: 'none' } as never)
  commands.next({ type: 'freeze', path: 'weight' } as never)
  await turn()
  await turn()
  subscription.unsubscribe()
  const answers = seen.filter((event) => event.type === 'command')
  expect(answers.map(({ refused }) => refused)).toEqual([
    "fit: no parameter is at 'none'; there are bias, weight",
    undefined,
  ])
})

test.each([
  ['unfreezeAt: epoch or step must be given, got neither', { path: 'a' }],
  ['unfreezeAt: epoch or step must be given, got both', { path: 'a', epoch: 1, step: 1 }],
  ['unfreezeAt: epoch must be an integer from 1 on, got 0', { path: 'a', epoch: 0 }],
  ['unfreezeAt: path must be a string or several, got an array', { path: [], epoch: 1 }],
])('%s', (words, wrong) => {
  expect(() => unfreezeAt(wrong as never)).toThrow(words)
})
