// Wherever a run is stopped, what it does from there, out of the bytes of a checkpoint, is what it would have done.
import * as t from '@tapeflow/autodiff'
import {
  batchNorm,
  dropout,
  l2,
  linear,
  meanAbsoluteError,
  mse,
  regularize,
  sequential,
  tanh,
} from '@tapeflow/nn'
import { adam, chain, cosineDecay, descend, ewma, sgd } from '@tapeflow/optim'
import { concatMap, VirtualTimeScheduler } from 'rxjs'
import { expect, test } from 'vitest'
import {
  type Callback,
  checkpointEvery,
  earlyStopping,
  type FitOptions,
  fit,
  fromCheckpoint,
  keepBest,
  lrFinder,
  lrWarmup,
  type RunSnapshot,
  reduceLROnPlateau,
  stochasticWeightAveraging,
  swapEma,
  type TrainCommand,
  type TrainEvent,
  targetReached,
  terminateOnNaN,
  timeLimit,
  toCheckpoint,
  unfreezeAt,
} from '../src/index.ts'
import { surface, timeless } from './small.ts'
import { type Telling, telling } from './told.ts'

const model = sequential(linear(2, 6), batchNorm(), tanh(), dropout(0.3), linear(6, 1))
const base: Pick<FitOptions, 'data' | 'validation' | 'loss' | 'optimizer' | 'metrics' | 'seed'> = {
  data: surface(21)
    .shuffle({ key: t.key(4) })
    .batch(6),
  validation: surface(10, 2).batch(5),
  loss: mse(),
  optimizer: adam({ learningRate: cosineDecay({ from: 0.1, to: 0.001, steps: 40 }) }),
  metrics: [meanAbsoluteError()],
  seed: 3,
}

/** A name, and what callbacks and options a run has; made anew for each run. */
type Row = readonly [name: string, make: () => Partial<FitOptions>]

const rows: readonly Row[] = [
  ['no callback', () => ({ epochs: 3 })],
  ['steps that end within an epoch', () => ({ steps: 10 })],
  ['steps that end with an epoch', () => ({ steps: 8 })],
  ['validation every 3 steps', () => ({ epochs: 3, validateEvery: { steps: 3 } })],
  ['validation every half epoch', () => ({ epochs: 3, validateEvery: { epochs: 0.5 } })],
  ['validation every 2 epochs', () => ({ epochs: 3, validateEvery: { epochs: 2 } })],
  ['evaluateTraining', () => ({ epochs: 2, evaluateTraining: true })],
  ['regularizers', () => ({ epochs: 2, regularizers: regularize([{ at: () => true, penalty: l2(0.01) }]) })],
  ['eager steps', () => ({ epochs: 2, compile: false })],
  ['earlyStopping', () => ({ epochs: 9, callbacks: [earlyStopping({ patience: 2 })] })],
  [
    'earlyStopping of epoch.loss',
    () => ({ epochs: 9, callbacks: [earlyStopping({ monitor: 'epoch.loss', patience: 1 })] }),
  ],
  ['keepBest', () => ({ epochs: 5, callbacks: [keepBest()] })],
  ['lrWarmup of steps', () => ({ epochs: 3, callbacks: [lrWarmup({ steps: 7 })] })],
  ['lrWarmup of epochs', () => ({ epochs: 3, callbacks: [lrWarmup({ epochs: 1.5 })] })],
  [
    'reduceLROnPlateau',
    () => ({
      epochs: 6,
      callbacks: [reduceLROnPlateau({ patience: 1, cooldown: 1, factor: 0.5, minDelta: 0.5 })],
    }),
  ],
  [
    'stochasticWeightAveraging',
    () => ({ epochs: 4, callbacks: [stochasticWeightAveraging({ startFrom: 1 })] }),
  ],
  [
    'swapEma',
    () => ({
      epochs: 3,
      optimizer: chain(ewma({ decay: 0.9 }), descend({ learningRate: 0.1 })),
      callbacks: [swapEma()],
    }),
  ],
  [
    'targetReached',
    () => ({ epochs: 9, callbacks: [targetReached({ monitor: 'epoch.loss', target: 0.18 })] }),
  ],
  [
    'terminateOnNaN',
    () => ({
      epochs: 9,
      optimizer: sgd({ learningRate: (step) => (step < 6 ? 0.1 : 1e30) }),
      callbacks: [terminateOnNaN()],
    }),
  ],
  ['timeLimit', () => ({ epochs: 9, callbacks: [timeLimit({ seconds: 0.02 })] })],
  ['unfreezeAt', () => ({ epochs: 4, callbacks: [unfreezeAt({ epoch: 2, path: 'layers.0.**' })] })],
  ['lrFinder', () => ({ steps: 16, callbacks: [lrFinder({ from: 1e-3, to: 1, steps: 13 })] })],
  [
    'checkpointEvery',
    () => ({ epochs: 3, callbacks: [checkpointEvery({ epochs: 2 }), checkpointEvery({ steps: 3 })] }),
  ],
  ...[0, 1].map(
    (order): Row => [
      `lrWarmup and reduceLROnPlateau, ${order}`,
      () => {
        const callbacks = [
          lrWarmup({ steps: 9 }),
          reduceLROnPlateau({ patience: 1, factor: 0.5, minDelta: 1 }),
        ]
        return {
          epochs: 3,
          validateEvery: { steps: 1 },
          callbacks: order === 0 ? callbacks : callbacks.reverse(),
        }
      },
    ],
  ),
  [
    'many together',
    () => ({
      epochs: 7,
      validateEvery: { steps: 3 },
      callbacks: [
        lrWarmup({ steps: 5 }),
        reduceLROnPlateau({ patience: 2, factor: 0.5 }),
        earlyStopping({ patience: 6, monitor: 'validation.meanAbsoluteError' }),
        keepBest({ monitor: 'epoch.loss' }),
        stochasticWeightAveraging({ startFrom: 4 }),
        checkpointEvery({ epochs: 2 }),
      ],
    }),
  ],
]

/** Why runs end; others are completed. */
const endings: ReadonlyMap<string, RegExp> = new Map([
  ['earlyStopping', /^validation.loss has not improved/],
  ['earlyStopping of epoch.loss', /^epoch.loss has not improved/],
  ['targetReached', /^epoch.loss has reached/],
  ['terminateOnNaN', /^loss is .* at step 7/],
  ['timeLimit', /^trained for 0.02 seconds/],
  ['lrFinder', /^13 learning rates were tried/],
  ['many together', /has not improved/],
])

/** Takes what a run can go on from wherever it can be had: as checkpoints, or by its own hand before commands have acted. */
const taking = (how: 'checkpoint' | 'snapshot', take: (snapshot: RunSnapshot) => void): Callback => ({
  name: 'taking',
  run: (events$) =>
    events$.pipe(
      concatMap((event): TrainCommand[] => {
        if (event.type === 'checkpoint') take(event.snapshot)
        if (event.type !== 'step' && event.type !== 'epoch' && event.type !== 'validation') return []
        if (how === 'checkpoint') return [{ type: 'checkpoint' }]
        take(event.snapshot())
        return []
      }),
    ),
})

interface Told {
  readonly events: readonly Telling[]
  /** Each with the number of the event that follows it. */
  readonly checkpoints: readonly { readonly at: number; readonly bytes: Uint8Array }[]
  readonly end: RunSnapshot
}

/** What a run tells, in virtual time. */
function toldOf(options: FitOptions, how: 'checkpoint' | 'snapshot'): Told {
  const events: Telling[] = []
  const checkpoints: { at: number; bytes: Uint8Array }[] = []
  const logged: string[] = []
  let end: RunSnapshot | null = null
  const note = (event: TrainEvent): void => {
    events.push(event.type === 'command' ? commanded(event) : telling(event, false))
    if (event.type === 'end') end = event.result
  }
  const take = (snapshot: RunSnapshot): unknown =>
    checkpoints.push({ at: events.length, bytes: toCheckpoint(snapshot) })
  const callbacks = [...(options.callbacks ?? []), taking(how, take)]
  const scheduler = new VirtualTimeScheduler()
  const log = (message: string): unknown => logged.push(message)
  let failure: unknown = null
  fit(model, { ...options, callbacks, scheduler, pace: { budget: 0, rest: 1 }, log }).subscribe({
    next: note,
    error: (error: unknown) => {
      failure = error
    },
  })
  scheduler.flush()
  if (failure !== null) throw failure
  expect(logged).toEqual([])
  return { events, checkpoints, end: end! }
}

function commanded({ type, step, epoch, source, command }: TrainEvent & { type: 'command' }): Telling {
  if (command.type !== 'restore') return { ...command, step, epoch, source, type, of: command.type }
  const from = typeof command.from === 'object' ? command.from.params : command.from
  return { type, step, epoch, source, of: command.type, from }
}

/** All but what the boundary still did in which the run goes on: answers to the last event, or to `start`. */
function fromNextOn(events: readonly Telling[]): readonly Telling[] {
  const first = events.findIndex(
    ({ type }) => type !== 'command' && type !== 'checkpoint' && type !== 'start',
  )
  return events.slice(first)
}

const law = (how: 'checkpoint' | 'snapshot', [name, make]: Row): void => {
  const options = (): FitOptions => ({ ...base, ...make() }) as FitOptions
  const before = t.memory()
  const straight = toldOf(options(), how)
  expect(straight.end.ended).toMatch(endings.get(name) ?? /^completed$/)
  expect(straight.checkpoints.length).toBeGreaterThan(4)
  for (const { at, bytes } of straight.checkpoints) {
    const resumed = toldOf({ ...options(), from: fromCheckpoint(bytes) }, how)
    expect(fromNextOn(resumed.events)).toEqual(fromNextOn(straight.events.slice(at)))
    expect(timeless(resumed.end)).toStrictEqual(timeless(straight.end))
  }
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
}

test.each(rows)('a checkpoint has all of a run with %s', (...row) => law('checkpoint', row))

// A `stop` that has been asked for and has not acted is in no snapshot; a rate is.
const scaling = rows.filter(([name]) => /^(lrWarmup|reduceLROnPlateau)/.test(name))

test.each(scaling)('a snapshot taken before commands act has all of a run with %s', (...row) =>
  law('snapshot', row),
)
