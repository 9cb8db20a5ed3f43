import * as t from '@tapeflow/autodiff'
import { digits } from '@tapeflow/data'
import {
  accuracy,
  batchNorm,
  dropout,
  l2,
  linear,
  regularize,
  relu,
  sequential,
  sparseCrossEntropy,
} from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { filter, firstValueFrom, mergeMap, Subject, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  checkpointEvery,
  earlyStopping,
  type FitOptions,
  fit,
  lrWarmup,
  type RunSnapshot,
  reduceLROnPlateau,
  result,
  type Store,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { eventsOf, line, modes, points, timeless, turn, twoPoints } from './small.ts'
import { type Telling, told } from './told.ts'

const data = digits()
const model = sequential(linear(784, 12), batchNorm(), relu(), dropout(0.2), linear(12, 10))

/** A run with all that one has to keep: order, noise, layer state, slots, rate, and what callbacks wait for. */
const options = (): FitOptions => ({
  data: data
    .take(100)
    .shuffle({ key: t.key(4) })
    .batch(16),
  validation: data.skip(200).take(40).batch(40),
  loss: sparseCrossEntropy({ from: 'logits' }),
  optimizer: adam({ learningRate: 0.02 }),
  metrics: [accuracy()],
  epochs: 6,
  seed: 3,
  callbacks: [
    lrWarmup({ steps: 10 }),
    reduceLROnPlateau({ patience: 1, factor: 0.5, minDelta: 0.2 }),
    earlyStopping({ patience: 3, minDelta: 0.05 }),
  ],
})

/** A store in memory. */
function shelf(): Store & { readonly kept: RunSnapshot[] } {
  const kept: RunSnapshot[] = []
  return {
    name: 'shelf',
    kept,
    open: async () => {},
    save: async (snapshot) => {
      kept.push(snapshot)
    },
    latest: async () => kept.at(-1) ?? null,
  }
}

/** Snapshots of a run before each of its steps, at its validations and at its ends of epochs, and what it told. */
async function watched(
  mode: object,
): Promise<{ snapshots: RunSnapshot[]; all: Telling[]; commands: string[] }> {
  const snapshots: RunSnapshot[] = []
  const commands: string[] = []
  const note = (event: TrainEvent): void => {
    if (event.type === 'step' || event.type === 'epoch' || event.type === 'validation')
      snapshots.push(event.snapshot())
    if (event.type === 'command') commands.push(shown(event))
  }
  const all = await told(fit(model, { ...options(), ...mode, monitors: [note] }))
  return { snapshots, all, commands }
}

function shown(event: TrainEvent & { type: 'command' }): string {
  const { command } = event
  return `${event.step} ${event.source} ${command.type} ${'learningRate' in command ? command.learningRate : ''}${'scale' in command ? command.scale : ''}`
}

describe.each(modes)('a run that goes on from a snapshot, %s', (_, mode) => {
  test('tells from there what it told before, bit for bit, wherever that is', async () => {
    const before = t.memory()
    const { snapshots, all, commands } = await watched(mode)
    for (const [i, from] of snapshots.entries()) {
      // All of them take long.
      if (i % 7 !== 3 && i < snapshots.length - 3) continue
      const heard: string[] = []
      const note = (event: TrainEvent): void => {
        if (event.type === 'command') heard.push(shown(event))
      }
      const again = await told(fit(model, { ...options(), ...mode, seed: 3, from, monitors: [note] }))
      const rest = again.filter(({ type }) => type !== 'start' && type !== 'command')
      const wanted = all.filter(({ type }) => type !== 'start' && type !== 'command').slice(-rest.length)
      expect(rest).toEqual(wanted)
      expect(rest.filter(({ type }) => type === 'step')).toHaveLength(
        all.filter(({ type, step }) => type === 'step' && Number(step) >= from.step).length,
      )
      const later = commands.filter((words) => Number.parseInt(words, 10) > from.step).length
      expect(heard.length).toBeGreaterThanOrEqual(later)
      expect(heard).toEqual(commands.slice(commands.length - heard.length))
    }
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('takes its seed, unless it is given one, and goes on counting', async () => {
    const first = await eventsOf(fit(line, { ...twoPoints, ...mode, epochs: 2, seed: 9 }))
    const end = first.at(-1)!
    const from = end.type === 'end' ? end.result : null
    const more = await eventsOf(fit(line, { ...twoPoints, ...mode, epochs: 3, from: from! }))
    const straight = await eventsOf(fit(line, { ...twoPoints, ...mode, epochs: 3, seed: 9 }))
    const [last, wanted] = [more.at(-1)!, straight.at(-1)!]
    if (last.type !== 'end' || wanted.type !== 'end') throw new Error('no end')
    expect(timeless(last.result)).toEqual(timeless(wanted.result))
    expect(last.history.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
    expect(last.history[2]!.seconds).toBeGreaterThanOrEqual(last.history[1]!.seconds)
    const steps = more.filter((event) => event.type === 'step')
    expect(steps.map(({ step, epoch, batch }) => [step, epoch, batch])).toEqual([
      [4, 2, 0],
      [5, 2, 1],
    ])
  })
})

describe('a store', () => {
  test('is written to at checkpoints and at the end; a run goes on from it, and one that has ended stays ended', async () => {
    const store = shelf()
    const callbacks = [checkpointEvery({ epochs: 1 })]
    // One step a turn, so that the store is not overtaken.
    const plain = { ...twoPoints, pace: { budget: 0 }, callbacks, store, from: store }
    const first = await told(fit(line, { ...plain, epochs: 3 }))
    expect(store.kept.map(({ step, ended }) => [step, ended])).toEqual([
      [2, null],
      [4, null],
      [6, null],
      [6, 'completed'],
    ])
    const over = await told(fit(line, { ...plain, epochs: 3 }))
    expect(over.map(({ type }) => type)).toEqual(['start', 'end'])
    expect(over.at(-1)).toEqual(first.at(-1))
    expect(store.kept).toHaveLength(4)
    const more = await told(fit(line, { ...plain, epochs: 4 }))
    const straight = await told(fit(line, { ...twoPoints, epochs: 4, callbacks }))
    expect(more.at(-1)).toEqual(straight.at(-1))
    expect(more.filter(({ type }) => type === 'step')).toEqual(
      straight.filter(({ type }) => type === 'step').slice(-2),
    )
  })

  test('holds how a run was stopped: it does not go on, but from its snapshot it does', async () => {
    const store = shelf()
    const stopping: Callback = {
      name: 'stopping',
      run: (events$) =>
        events$.pipe(
          mergeMap((event) =>
            event.type === 'epoch' && event.epoch === 0 ? [{ type: 'stop' as const, reason: 'enough' }] : [],
          ),
        ),
    }
    await told(fit(line, { ...twoPoints, epochs: 3, callbacks: [stopping], store }))
    const again = await eventsOf(fit(line, { ...twoPoints, epochs: 3, from: store }))
    expect(again.map(({ type }) => type)).toEqual(['start', 'end'])
    expect(again[1]).toMatchObject({ reason: 'enough' })
    const from = (await store.latest())!
    const on = await eventsOf(fit(line, { ...twoPoints, epochs: 3, from }))
    expect(on.filter(({ type }) => type === 'step')).toHaveLength(4)
  })

  test('that writes slowly is given the newest, one at a time, and ends the run only when it has all', async () => {
    const saving: number[] = []
    let under = 0
    let most = 0
    const slow: Store = {
      ...shelf(),
      save: async ({ step }) => {
        most = Math.max(most, ++under)
        await new Promise((resolve) => setTimeout(resolve, 30))
        under--
        saving.push(step)
      },
    }
    const run$ = fit(line, {
      ...twoPoints,
      epochs: 200,
      callbacks: [checkpointEvery({ steps: 1 })],
      store: slow,
    })
    await eventsOf(run$)
    expect(most).toBe(1)
    expect(saving.at(-1)).toBe(400)
    expect(saving.length).toBeLessThan(100)
    expect([...saving].sort((a, b) => a - b)).toEqual(saving)
  })

  test('that fails is told to the log, and the run goes on; one that cannot be opened ends it at once', async () => {
    const logged: unknown[] = []
    const full = { ...shelf(), save: () => Promise.reject(new Error('no space left')) }
    const log = (message: string, error: unknown): unknown => logged.push([message, error])
    const events = await eventsOf(
      fit(line, {
        ...twoPoints,
        pace: { budget: 0 },
        epochs: 2,
        callbacks: [checkpointEvery({ epochs: 1 })],
        store: full,
        log,
      }),
    )
    expect(events.at(-1)!.type).toBe('end')
    expect(logged.length).toBeGreaterThan(0)
    expect(logged[0]).toEqual([
      'fit: the checkpoint of step 2 could not be written to shelf',
      new Error('no space left'),
    ])
    const shut = { ...shelf(), open: () => Promise.reject(new Error('read only')) }
    await expect(eventsOf(fit(line, { ...twoPoints, epochs: 2, store: shut }))).rejects.toThrow('read only')
    const torn = { ...shelf(), latest: () => Promise.reject(new Error('written by a newer Tapeflow')) }
    await expect(eventsOf(fit(line, { ...twoPoints, epochs: 2, from: torn }))).rejects.toThrow(
      'newer Tapeflow',
    )
  })

  test('is left alone by a run that is unsubscribed while it is opened', async () => {
    let open = (): void => {}
    const store = { ...shelf(), open: () => new Promise<void>((resolve) => (open = resolve)) }
    const before = t.memory()
    const subscription = fit(line, { ...twoPoints, epochs: 2, store }).subscribe()
    await turn()
    subscription.unsubscribe()
    open()
    await turn()
    expect(store.kept).toEqual([])
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})

test('other data is noticed by the last batch that the snapshot had seen', async () => {
  const logged: string[] = []
  const log = (message: string): unknown => logged.push(message)
  const snapshots: RunSnapshot[] = []
  const take = (event: TrainEvent): void => {
    if (event.type === 'step') snapshots.push(event.snapshot())
  }
  const { callbacks: _callbacks, ...plain } = options()
  await eventsOf(fit(model, { ...plain, epochs: 1, monitors: [take] }))
  const again = (more: Partial<FitOptions>, from: RunSnapshot): Promise<unknown> =>
    eventsOf(fit(model, { ...plain, epochs: 1, log, ...more, from }))
  await again({}, snapshots[2]!)
  expect(logged).toEqual([])
  const other = data
    .take(100)
    .shuffle({ key: t.key(5) })
    .batch(16)
  await again({ data: other }, snapshots[2]!)
  expect(logged).toEqual([
    'fit: the data is not what the snapshot was taken with: batch 2 of epoch 0 is another; the run goes on, but not as it would have',
  ])
})

test('other steps are noticed by their program, and what is watched is none of it', async () => {
  const logged: string[] = []
  const log = (message: string, error: unknown): unknown => logged.push(`${message} ${String(error)}`)
  const { callbacks: _callbacks, ...plain } = options()
  const end = (await eventsOf(fit(model, { ...plain, epochs: 1 }))).at(-1)!
  const from = end.type === 'end' ? end.result : null
  expect(Object.keys(from!.programs)).toEqual(['x [16,784], y [16]', 'x [4,784], y [4]'])
  const again = (more: Partial<FitOptions>): Promise<unknown> =>
    eventsOf(fit(model, { ...plain, epochs: 2, log, ...more, from: from! }))
  await again({ watch: ['gradients', 'gradientNorm', 'activations'], optimizer: adam({ learningRate: 0.1 }) })
  expect(logged).toEqual([])
  await again({ regularizers: regularize([{ at: () => true, penalty: l2(0.1) }]) })
  expect(logged).toHaveLength(1)
  expect(logged[0]).toMatch(
    /^fit: the steps are not what the snapshot was taken with.* program [0-9a-f]{16}, not [0-9a-f]{16}, for a batch of x \[16,784\], y \[16\]$/,
  )
})

test('other steps are noticed where they are others for a last smaller batch alone, once', async () => {
  const logged: string[] = []
  const log = (_: string, error: unknown): unknown => logged.push(String(error))
  const { callbacks: _callbacks, ...plain } = options()
  const end = (await eventsOf(fit(model, { ...plain, epochs: 1 }))).at(-1)!
  const from = end.type === 'end' ? end.result : null
  const usual = sparseCrossEntropy({ from: 'logits' })
  const loss: typeof usual = (prediction, labels) => {
    const mean = usual(prediction, labels)
    return prediction.shape[0] === 4 ? t.mul(mean, 2) : mean
  }
  await eventsOf(fit(model, { ...plain, epochs: 4, log, loss, from: from! }))
  expect(logged).toEqual([
    expect.stringMatching(/^program [0-9a-f]{16}, not [0-9a-f]{16}, for a batch of x \[4,784\], y \[4\]$/),
  ])
})

test('a run of so many steps that goes on within its epoch has one record of it', async () => {
  const four = { ...twoPoints, data: points([1, 2], [2, 4], [3, 6], [4, 8]).batch(1) }
  const end = (await eventsOf(fit(line, { ...four, steps: 6 }))).at(-1)!
  const from = end.type === 'end' ? end.result : null
  expect(from!.history.map(({ epoch }) => epoch)).toEqual([0, 1])
  const last = (await eventsOf(fit(line, { ...four, steps: 10, from: from! }))).at(-1)!
  const straight = (await eventsOf(fit(line, { ...four, steps: 10 }))).at(-1)!
  if (last.type !== 'end' || straight.type !== 'end') throw new Error('no end')
  expect(timeless(last.result).history).toEqual(timeless(straight.result).history)
})

test('what cannot be gone on from is refused', async () => {
  const call = (more: object) => () => fit(line, { ...twoPoints, epochs: 1, ...more } as FitOptions)
  expect(call({ from: 'runs/a' })).toThrow('fit: from must be a snapshot of a run, or a store, got a string')
  expect(call({ store: {} })).toThrow('fit: store must be a store, got an object')
  const end = (await eventsOf(fit(line, { ...twoPoints, epochs: 1 }))).at(-1)!
  const from = end.type === 'end' ? end.result : null
  const before = t.memory()
  await expect(eventsOf(fit(model, { ...options(), from: from! }))).rejects.toThrow(
    /the snapshot to restore has nothing at 'params.layers.0.bias', the run has \[12\]/,
  )
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})

test('what is no snapshot says at once what it is instead', async () => {
  const run$ = fit(line, { ...twoPoints, epochs: 1 })
  const end = (await eventsOf(run$)).at(-1)!
  const refused = (from: unknown, words: string): void =>
    expect(() => fit(line, { ...twoPoints, epochs: 2, from: from as RunSnapshot })).toThrow(words)
  refused({}, 'fit: from has no params, state, slots, control,')
  refused(Promise.resolve(null), 'fit: from must be plain data, got a Promise; await it')
  refused(
    await result(run$),
    'fit: from has no slots, control, kept, sums, learningRate, measured, seconds, lastBatch, awaitsValidation, ' +
      'lastValidation, frozen, programs, ended, step, epoch, batch; pass the result of the end event',
  )
  const snapshot = end.type === 'end' ? end.result : null
  refused(
    JSON.parse(JSON.stringify(snapshot)),
    'fit: from has at params.bias values that are an object, not a Float32Array; keep it by toCheckpoint, not as JSON',
  )
  expect(
    (await result(fit(line, { ...twoPoints, epochs: 2, from: structuredClone(snapshot!) }))).history,
  ).toHaveLength(2)
})

describe('validation', () => {
  const places = async (more: Partial<FitOptions>): Promise<string> => {
    const ten = { ...twoPoints, data: data.take(20).batch(2), validation: data.take(2).batch(2) }
    const { callbacks: _callbacks, metrics: _metrics, ...plain } = options()
    const all = await eventsOf(fit(model, { ...plain, ...ten, loss: plain.loss, epochs: 2, ...more }))
    return all.map(({ type }) => ({ step: '.', epoch: 'e', validation: 'v' })[type as string] ?? '').join('')
  }

  test.each([
    [undefined, '..........ev..........ev'],
    [{ epochs: 1 }, '..........ev..........ev'],
    [{ epochs: 2 }, '..........e..........ev'],
    [{ epochs: 3 }, '..........e..........ev'],
    [{ epochs: 0.5 }, '.....v.....ev.....v.....ev'],
    [{ epochs: 0.25 }, '...v..v...v..ev...v..v...v..ev'],
    [{ epochs: 1 / 3 }, '....v...v...ev....v...v...ev'],
    [{ steps: 4 }, '....v....v..e..v....v....ve'],
    [{ steps: 7 }, '.......v...e....v......ev'],
    [{ steps: 100 }, '..........e..........ev'],
  ])('every %j', async (validateEvery, wanted) => {
    expect(await places(validateEvery === undefined ? {} : { validateEvery })).toBe(wanted)
  })

  test('within an epoch is in the history with its last number', async () => {
    const validation = twoPoints.data
    const events = await eventsOf(
      fit(line, { ...twoPoints, validation, validateEvery: { steps: 1 }, epochs: 2 }),
    )
    const measured = events.filter((event) => event.type === 'validation')
    const end = events.at(-1)!
    expect(measured).toHaveLength(4)
    expect(end.type === 'end' && end.history.map((record) => record.validation!.loss)).toEqual([
      measured[1]!.loss,
      measured[3]!.loss,
    ])
  })

  const wrong: readonly (readonly [words: string, options: object])[] = [
    ['validateEvery must be { epochs } or { steps }, got a number', { validateEvery: 3 }],
    [
      'validateEvery must be { epochs } or { steps }, got an object',
      { validateEvery: { epochs: 1, steps: 2 } },
    ],
    ['validateEvery needs an integer from 1 on for steps, got 0.5', { validateEvery: { steps: 0.5 } }],
    [
      'validateEvery needs an integer from 1 on for epochs, or 1/n, got 0.3',
      { validateEvery: { epochs: 0.3 } },
    ],
    ['validateEvery was given without validation', { validation: undefined, validateEvery: { steps: 2 } }],
    [
      'validation is read to its end, got data that has none; take a number of batches of it',
      { validation: points([1, 2]).batch(1).repeat() },
    ],
    [
      'data with evaluateTraining is read to its end, got data that has none; take a number of batches of it',
      { data: points([1, 2]).batch(1).repeat(), evaluateTraining: true },
    ],
    [
      'parts of an epoch need data of known length',
      { data: data.filter(() => true).batch(2), validateEvery: { epochs: 0.5 } },
    ],
    ['evaluateTraining must be true or false', { evaluateTraining: 1 }],
  ]
  test.each(wrong)('%s', (words, more) => {
    const call = (): unknown =>
      fit(line, { ...twoPoints, validation: twoPoints.data, epochs: 1, ...more } as FitOptions)
    expect(call).toThrow(words.replace(/got a number$/, 'got 3'))
  })
})

test.each(modes)(
  'evaluateTraining tells the training data as validation would, without dropout, %s',
  async (_, mode) => {
    const train = data.take(50).batch(16)
    const both = { ...options(), ...mode, callbacks: [], data: train, validation: train, epochs: 3 }
    const events = await eventsOf(fit(model, { ...both, evaluateTraining: true }))
    const epochs = events.filter((event) => event.type === 'epoch')
    const validations = events.filter((event) => event.type === 'validation')
    expect(epochs.map(({ training }) => training)).toEqual(
      validations.map(({ loss, metrics }) => ({ loss, metrics })),
    )
    expect(epochs[0]!.training!.loss).not.toBe(epochs[0]!.loss)
    const end = events.at(-1)!
    expect(end.type === 'end' && end.history.map(({ training }) => training)).toEqual(
      epochs.map(({ training }) => training),
    )
    const plain = await told(fit(model, both))
    expect(await told(fit(model, { ...both, evaluateTraining: true }))).toEqual(plain)
  },
)

test('a run that is stopped within an epoch tells nothing of that, and all of it when it goes on', async () => {
  const stopAt2: Callback = {
    name: 'stopAt2',
    run: (events$) =>
      events$.pipe(
        filter(({ type, step }) => type === 'step' && step === 2),
        mergeMap((): TrainCommand[] => [{ type: 'stop' }]),
      ),
  }
  const epochsOf = (events: readonly TrainEvent<unknown, unknown>[]): object[] =>
    events.flatMap((event) =>
      event.type === 'epoch' ? [{ epoch: event.epoch, loss: event.loss, batches: event.batches }] : [],
    )
  const straight = epochsOf(await eventsOf(fit(line, { ...twoPoints, epochs: 2 })))
  const stopped = await eventsOf(fit(line, { ...twoPoints, epochs: 2, callbacks: [stopAt2] }))
  expect(epochsOf(stopped)).toEqual(straight.slice(0, 1))
  const end = stopped.at(-1)
  if (end?.type !== 'end') throw new Error('no end')
  expect(end).toMatchObject({ step: 3, history: [{ epoch: 0 }] })
  const rest = await eventsOf(fit(line, { ...twoPoints, epochs: 2, from: end.result }))
  expect(epochsOf(rest)).toEqual(straight.slice(1))
})

describe('a run whose steps are asked for', () => {
  test('makes one for each value, tells the rest by itself, and stops when it is over', async () => {
    const pace = new Subject<void>()
    const seen: string[] = []
    const done = firstValueFrom(
      fit(line, { ...twoPoints, epochs: 10, pace }).pipe(
        filter((event) => {
          seen.push(event.type)
          return true
        }),
        toArray(),
      ),
    )
    await turn()
    expect(seen).toEqual(['start'])
    pace.next()
    await turn()
    expect(seen).toEqual(['start', 'step'])
    pace.next()
    pace.next()
    await turn()
    expect(seen).toEqual(['start', 'step', 'step', 'epoch', 'step'])
    pace.next()
    pace.complete()
    const events = await done
    expect(events.filter(({ type }) => type === 'step')).toHaveLength(4)
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'pace has completed' })
    expect(pace.observed).toBe(false)
  })

  test('waits while it is paused, though a step was asked for', async () => {
    const [pace, commands] = [new Subject<void>(), new Subject<TrainCommand>()]
    const seen: string[] = []
    const send = (type: 'pause' | 'resume' | 'stop'): void => commands.next({ type })
    const subscription = fit(line, { ...twoPoints, epochs: 10, pace, commands }).subscribe(({ type }) =>
      seen.push(type),
    )
    await turn()
    send('pause')
    pace.next()
    await turn()
    expect(seen).toEqual(['start', 'command'])
    send('resume')
    await turn()
    expect(seen).toEqual(['start', 'command', 'command', 'step'])
    send('stop')
    await turn()
    expect(seen.at(-1)).toBe('end')
    subscription.unsubscribe()
  })

  test('asked for inside next is made, not re-entered; failing to ask ends the run by name; unsubscribing lets go', async () => {
    const pace = new Subject<void>()
    const depth = { now: 0, most: 0 }
    const run$ = fit(line, { ...twoPoints, steps: 50, pace })
    await new Promise<void>((resolve) => {
      run$.subscribe({
        next: (event) => {
          depth.most = Math.max(depth.most, ++depth.now)
          if (event.type === 'start' || event.type === 'step') pace.next()
          depth.now--
        },
        complete: resolve,
      })
    })
    expect(depth.most).toBe(1)
    const failing = new Subject<void>()
    const failed = eventsOf(fit(line, { ...twoPoints, steps: 50, pace: failing }))
    await turn()
    failing.error(new RangeError('no more'))
    await expect(failed).rejects.toThrow('fit: pace failed: no more')
    const left = new Subject<void>()
    const subscription = fit(line, { ...twoPoints, steps: 50, pace: left }).subscribe()
    await turn()
    expect(left.observed).toBe(true)
    subscription.unsubscribe()
    expect(left.observed).toBe(false)
  })
})
