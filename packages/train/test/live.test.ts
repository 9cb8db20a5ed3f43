import * as t from '@tapeflow/autodiff'
import { fromObservable, type LiveOptions, type Pull, type Pulled, type Subscribable } from '@tapeflow/data'
import { mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import {
  concat,
  defer,
  finalize,
  from,
  interval,
  lastValueFrom,
  map,
  type Observable,
  of,
  Subject,
  take,
  takeWhile,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs'
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import {
  type Batches,
  type BatchSource,
  evaluate,
  fit,
  predict,
  type RunSnapshot,
  result,
  type Store,
  type TrainBatch,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { eventsOf, line, modes, points, type Sample, turn, twoPoints, virtually } from './small.ts'

test('an Observable can be subscribed to', () => {
  expectTypeOf<Observable<TrainBatch>>().toExtend<Subscribable<TrainBatch>>()
  expectTypeOf<Subject<TrainBatch>>().toExtend<Batches>()
  expectTypeOf<Observable<string>>().not.toExtend<Batches>()
})

test('a run whose data has not begun hears a stop, and lets go of the data', async () => {
  let subscribers = 0
  const data = defer(() => {
    subscribers++
    return new Subject<TrainBatch>().pipe(finalize(() => subscribers--))
  })
  const commands = new Subject<TrainCommand>()
  const events = eventsOf(fit(line, { ...twoPoints, data, epochs: 1, commands }))
  const failed = expect(events).rejects.toThrow(
    'fit: stopped before the data gave its first batch; there are no parameters yet',
  )
  await turn()
  expect(subscribers).toBe(1)
  commands.next({ type: 'pause' })
  await turn()
  expect(subscribers).toBe(1)
  commands.next({ type: 'stop' })
  await failed
  expect(subscribers).toBe(0)
})

describe('a buffer between a source and pulls, in virtual time', () => {
  /** Pulls in every so many frames: what came, `?` for a pull that waits, `x` for one that failed. */
  const pulled = (source: Observable<string>, options: LiveOptions, every: number): Observable<string> =>
    defer(() => {
      const pull: Pull<string> = fromObservable(source, options).iterate()
      return timer(every, every).pipe(
        map(() => word(() => pull.next())),
        takeWhile((found) => found !== '.' && found !== 'x', true),
        finalize(() => void pull.return?.()),
      )
    })
  const word = (pull: () => Pulled<string>): string => {
    try {
      const found = pull()
      if (found instanceof Promise) return '?'
      return found.done ? '.' : found.value
    } catch (error) {
      if (error !== 'broken' && !(error instanceof RangeError)) throw error
      return 'x'
    }
  }
  const options = (overflow: LiveOptions['overflow'], buffer: number) => ({
    buffer,
    ...(overflow ? { overflow } : {}),
  })

  test.each([
    ['all that fits is pulled in order', undefined, 4, 'a-b-c-d|', '^------!', '---a--b--c--d--(.|)'],
    ['more than fits fails, after what waited', undefined, 2, 'abcd|', '^-!', '---a--b--(x|)'],
    ['the oldest is left out', 'dropOldest', 2, 'abcdef---|', '^--------!', '---c--e--f--(.|)'],
    ['the newest is left out', 'dropNewest', 2, 'abcdef---|', '^--------!', '---a--b--e--(.|)'],
    ['an error comes after what waited', 'dropNewest', 2, 'ab#', '^-!', '---a--b--(x|)'],
    ['a pull of an empty buffer waits', undefined, 1, '----|', '^---!', '---?--(.|)'],
  ] as const)('%s', (_, overflow, buffer, emitted, subscribed, expected) => {
    virtually((__, { hot, expectObservable, expectSubscriptions }) => {
      const source = hot(emitted, undefined, 'broken')
      expectObservable(pulled(source, options(overflow, buffer), 3)).toBe(expected)
      expectSubscriptions(source.subscriptions).toBe(subscribed)
    })
  })

  test('a pass that is closed unsubscribes, and another one subscribes anew', () => {
    virtually((_, { cold, expectObservable, expectSubscriptions }) => {
      const source = cold('ab-cd|')
      const pulled$ = pulled(source, {}, 2)
      expectObservable(pulled$, '^--------!').toBe('   --a-b-c-d-')
      expectObservable(pulled$, '------^----!').toBe(' --------a-b-')
      expectSubscriptions(source.subscriptions).toBe(['^----!', '------^----!'])
    })
  })
})

const batches = points([1, 2], [2, 4], [3, 5], [4, 9]).batch(1).toArray() as TrainBatch[]
const endless = (sent: TrainBatch[]): Observable<TrainBatch> => concat(from(sent), new Subject<TrainBatch>())
const options = { loss: twoPoints.loss, optimizer: sgd({ learningRate: 0.01 }) }
const stepsOf = (events: readonly TrainEvent<unknown, unknown>[]): object[] =>
  events.flatMap((event) =>
    event.type === 'step'
      ? [{ step: event.step, epoch: event.epoch, loss: event.loss, runningLoss: event.runningLoss }]
      : [],
  )

describe.each(modes)('fit on an Observable of batches, %s', (_, mode) => {
  const once = { iterate: () => batchPull() }
  const batchPull = () => points([1, 2], [2, 4], [3, 5], [4, 9]).batch(1).iterate()

  test.each([
    ['all at once', () => from(batches)],
    [
      'in turns',
      () =>
        interval(1).pipe(
          take(batches.length),
          map((i) => batches[i]!),
        ),
    ],
  ] as const)('makes the steps that it makes on a list of them, %s', async (__, source) => {
    for (const epochs of [1, 2]) {
      const wanted = await eventsOf(fit(line, { ...options, ...mode, data: once, epochs }))
      const events = await eventsOf(fit(line, { ...options, ...mode, data: source(), epochs }))
      expect(stepsOf(events)).toEqual(stepsOf(wanted))
      expect(events.map(({ type }) => type)).toEqual(wanted.map(({ type }) => type))
    }
  })

  test('makes steps as batches come', async () => {
    const source = new Subject<TrainBatch>()
    const heard: string[] = []
    const ended = new Promise<void>((resolve, reject) => {
      fit(line, { ...options, ...mode, data: source, epochs: 1 }).subscribe({
        next: ({ type }) => heard.push(type),
        error: reject,
        complete: resolve,
      })
    })
    await vi.waitUntil(() => source.observed)
    await turn()
    expect(heard).toEqual([])
    for (const [i, batch] of batches.entries()) {
      source.next(batch)
      await vi.waitUntil(() => heard.length === i + 2)
      await turn()
    }
    source.complete()
    await ended
    expect(heard).toEqual(['start', 'step', 'step', 'step', 'step', 'epoch', 'finishing', 'end'])
  })

  test('lets them wait while it is paused, as many as the buffer holds', async () => {
    const source = new Subject<TrainBatch>()
    const commands = new Subject<TrainCommand>()
    const live = fromObservable(source, { buffer: 2, overflow: 'dropNewest' })
    const losses: number[] = []
    const ended = new Promise<void>((resolve, reject) => {
      fit(line, { ...options, ...mode, data: live, epochs: 1, commands }).subscribe({
        next: (event) => event.type === 'step' && losses.push(event.loss),
        error: reject,
        complete: resolve,
      })
    })
    await vi.waitUntil(() => source.observed)
    source.next(batches[0]!)
    await vi.waitUntil(() => losses.length === 1)
    commands.next({ type: 'pause' })
    await turn()
    // The pull that was open takes one more.
    for (const batch of [...batches, batches[0]!]) source.next(batch)
    await turn()
    expect(losses).toHaveLength(1)
    expect(live.dropped).toBe(2)
    source.complete()
    commands.next({ type: 'resume' })
    await ended
    const [a, b, c] = batches
    const data: BatchSource = { iterate: () => fromObservable(of(a!, a!, b!, c!)).iterate() }
    const wanted = await eventsOf(fit(line, { ...options, ...mode, data, epochs: 1 }))
    expect(losses).toEqual(stepsOf(wanted).map((step) => (step as { loss: number }).loss))
  })

  test('a stop acts at once while it waits for a batch', async () => {
    const source = new Subject<TrainBatch>()
    const commands = new Subject<TrainCommand>()
    const heard: string[] = []
    const ended = new Promise<void>((resolve, reject) => {
      fit(line, { ...options, ...mode, data: source, epochs: 1, commands }).subscribe({
        next: ({ type }) => heard.push(type),
        error: reject,
        complete: resolve,
      })
    })
    await vi.waitUntil(() => source.observed)
    source.next(batches[0]!)
    await vi.waitUntil(() => heard.length === 2)
    await turn()
    commands.next({ type: 'stop' })
    await ended
    expect(heard).toEqual(['start', 'step', 'command', 'finishing', 'end'])
    expect(source.observed).toBe(false)
  })

  test('unsubscribing while it waits unsubscribes at once and frees', async () => {
    const before = t.memory()
    const source = new Subject<TrainBatch>()
    const heard: string[] = []
    const run$ = fit(line, { ...options, ...mode, data: source, epochs: 1 })
    const subscription = run$.subscribe(({ type }) => heard.push(type))
    expect(source.observed).toBe(false)
    await vi.waitUntil(() => source.observed)
    source.next(batches[0]!)
    await vi.waitUntil(() => heard.length === 2)
    subscription.unsubscribe()
    expect(source.observed).toBe(false)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('ends after so many steps, and unsubscribes', async () => {
    const source = new Subject<TrainBatch>()
    const ended = eventsOf(fit(line, { ...options, ...mode, data: concat(from(batches), source), steps: 3 }))
    expect(stepsOf(await ended)).toHaveLength(3)
    expect(source.observed).toBe(false)
  })
})

describe('a run that is restored goes on with the batch that comes next', () => {
  const lossesAt = (events: readonly TrainEvent<unknown, unknown>[]): [number, number][] =>
    events.flatMap((event) => (event.type === 'step' ? [[event.step, event.loss] as [number, number]] : []))
  const [a, b, c, d] = batches as [TrainBatch, TrainBatch, TrainBatch, TrainBatch]
  const list = (...all: TrainBatch[]): BatchSource => ({ iterate: () => fromObservable(from(all)).iterate() })

  test('by command', async () => {
    const source = new Subject<TrainBatch>()
    const commands = new Subject<TrainCommand>()
    const events: TrainEvent<unknown, unknown>[] = []
    let back = false
    const ended = new Promise<void>((resolve, reject) => {
      fit(line, { ...options, data: source, epochs: 1, commands }).subscribe({
        next: (event) => {
          events.push(event)
          if (event.type === 'step' && event.step === 1 && !back) {
            back = true
            commands.next({ type: 'restore', from: 1 })
          }
          if (event.type === 'step' && event.step === 0) commands.next({ type: 'checkpoint' })
        },
        error: reject,
        complete: resolve,
      })
    })
    await vi.waitUntil(() => source.observed)
    for (const batch of batches) source.next(batch)
    source.complete()
    await ended
    // Step 1 was made with b, then taken back and made with c.
    const without = lossesAt(await eventsOf(fit(line, { ...options, data: list(a, c, d), epochs: 1 })))
    const withB = lossesAt(await eventsOf(fit(line, { ...options, data: list(a, b), epochs: 1 })))
    expect(lossesAt(events)).toEqual([...withB, ...without.slice(1)])
    expect(events.at(-1)).toMatchObject({ type: 'end', step: 3, epoch: 1 })
  })

  test('by command to the start of an epoch, of which nothing more comes: it is read anew', async () => {
    const commands = new Subject<TrainCommand>()
    const passes = [
      [a, b],
      [c, d],
    ]
    const data = defer(() => from(passes.shift() ?? []))
    const events: TrainEvent<unknown, unknown>[] = []
    await lastValueFrom(
      fit(line, { ...options, data, epochs: 1, commands }).pipe(
        tap((event) => {
          if (event.type === 'start') commands.next({ type: 'checkpoint' })
          if (event.type === 'step' && event.step === 1 && passes.length === 1)
            commands.next({ type: 'restore', from: 0 })
          events.push(event)
        }),
      ),
    )
    const steps = async (...all: TrainBatch[]): Promise<[number, number][]> =>
      lossesAt(await eventsOf(fit(line, { ...options, data: list(...all), epochs: 1 })))
    expect(lossesAt(events)).toEqual([...(await steps(a, b)), ...(await steps(c, d))])
    const end = events.at(-1)
    expect(end).toMatchObject({ type: 'end', step: 2, epoch: 1, history: [{ epoch: 0 }] })
    expect(passes).toEqual([])
  })

  test('from a snapshot', async () => {
    const first = await eventsOf(
      fit(line, { ...options, data: concat(from([a, b]), new Subject<TrainBatch>()), steps: 2 }),
    )
    const end = first.at(-1)
    if (end?.type !== 'end') throw new Error('no end')
    const rest = await eventsOf(fit(line, { ...options, data: from([c, d]), steps: 4, from: end.result }))
    const whole = await eventsOf(fit(line, { ...options, data: list(a, b, c, d), steps: 4 }))
    expect([...lossesAt(first), ...lossesAt(rest)]).toEqual(lossesAt(whole))
    // Had it skipped two batches, it would have subscribed a second time.
    expect(rest.at(-1)).toMatchObject({ type: 'end', step: 4, epoch: 0 })
  })
})

describe('a source that is over ends the run', () => {
  // Subscribed to again, a Subject that has completed gives nothing: that was an error, and the training lost.
  test.each([{ steps: 10 }, { epochs: 3 }])('with %j', async (length) => {
    const source = new Subject<TrainBatch>()
    const ended = eventsOf(fit(line, { ...options, data: source, validation: twoPoints.data, ...length }))
    await vi.waitUntil(() => source.observed)
    for (const batch of batches) source.next(batch)
    source.complete()
    const events = await ended
    const epoch = { ...options, data: from(batches), validation: twoPoints.data, epochs: 1 }
    expect(stepsOf(events)).toEqual(stepsOf(await eventsOf(fit(line, epoch))))
    const types = events.flatMap(({ type }) => (type === 'step' ? [] : [type]))
    expect(types).toEqual(['start', 'epoch', 'validation', 'finishing', 'end'])
    expect(events.at(-1)).toMatchObject({
      reason: 'the live data is over',
      step: 4,
      epoch: 1,
      history: [{ epoch: 0 }],
    })
  })

  test('also where the run went back to the start of its first epoch', async () => {
    const [a, b] = batches
    const passes = [[a!, b!]]
    const commands = new Subject<TrainCommand>()
    const run$ = fit(line, { ...options, data: defer(() => from(passes.shift() ?? [])), epochs: 1, commands })
    const { reason } = await result(
      run$.pipe(
        tap((event) => {
          if (event.type === 'start') commands.next({ type: 'checkpoint' })
          if (event.type === 'step' && event.step === 1) commands.next({ type: 'restore', from: 0 })
        }),
      ),
    )
    expect(reason).toBe('the live data is over')
  })

  test('which goes on from its store when there is more', async () => {
    const [a, b, c] = batches
    const kept: RunSnapshot[] = []
    const store: Store = {
      name: 'shelf',
      open: () => Promise.resolve(),
      save: (run) => Promise.resolve(void kept.push(run)),
      latest: () => Promise.resolve(kept.at(-1) ?? null),
    }
    const part = (...some: TrainBatch[]): Batches => {
      const passes = [some]
      return defer(() => from(passes.shift() ?? []))
    }
    const run = async (data: Batches) =>
      await eventsOf(fit(line, { ...options, data, steps: 3, store, from: store }))
    const first = await run(part(a!, b!))
    expect(first.at(-1)).toMatchObject({ reason: 'the live data is over', step: 2 })
    await expect(run(part())).rejects.toThrow(
      'fit: the live data gave no batch to go on with; go on when there is more',
    )
    const rest = await run(part(c!))
    expect(rest.at(-1)).toMatchObject({ reason: 'completed', step: 3 })
    const whole = await eventsOf(fit(line, { ...options, data: from([a!, b!, c!]), epochs: 1 }))
    const losses = (events: readonly TrainEvent<unknown, unknown>[]): number[] =>
      events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))
    expect([...losses(first), ...losses(rest)]).toEqual(losses(whole))
  })

  test('but one that never gave a batch is an error', async () => {
    const run$ = fit(line, { ...options, data: from([] as TrainBatch[]), epochs: 2 })
    await expect(result(run$)).rejects.toThrow('the data of epoch 0 gave no batch')
  })
})

describe('fit on an Observable that goes wrong', () => {
  const failing = async (data: Batches): Promise<[steps: number, error: unknown]> => {
    const before = t.memory()
    let steps = 0
    const error = await new Promise((resolve) => {
      fit(line, { ...options, data, epochs: 1 }).subscribe({
        next: ({ type }) => {
          if (type === 'step') steps++
        },
        error: resolve,
        complete: () => resolve(null),
      })
    })
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
    return [steps, error]
  }

  test('fails with its error, after the batches before it', async () => {
    const broken = new Error('sensor broken')
    const data = concat(
      from(batches),
      throwError(() => broken),
    )
    expect(await failing(data)).toEqual([4, broken])
  })

  test('fails where more batches wait than 64, after those', async () => {
    const [steps, error] = await failing(from(Array.from({ length: 65 }, () => batches[0]!)))
    expect(steps).toBe(64)
    expect(error).toMatchObject({
      operation: 'fromObservable',
      message:
        "fromObservable: the source gave an element while 64 elements waited to be pulled, which is all that the buffer holds; slow the source down, or pass a larger buffer, or overflow: 'dropOldest' or 'dropNewest'",
    })
  })

  test('fails where nothing comes', async () => {
    const [steps, error] = await failing(from([]))
    expect([steps, (error as Error).message]).toEqual([
      0,
      'fit: the data of epoch 0 gave no batch; check its filters, and that it can be read more than once',
    ])
  })

  test('fails where it emits single rows', async () => {
    const [, error] = await failing(
      from(points([1, 2]).toArray() as Sample[]).pipe(map(({ x }) => ({ x, y: { ...x, shape: [] } }))),
    )
    expect((error as Error).message).toContain(
      'fit: the data gives single rows, got x of shape [1] and y of shape []',
    )
  })
})

test('evaluate and predict read an Observable as it comes', async () => {
  const { params, state } = await result(fit(line, { ...options, data: from(batches), epochs: 1 }))
  const all = points([1, 2], [2, 4], [3, 5], [4, 9]).batch(1)
  const { seconds: _, ...wanted } = await evaluate(line, { params, state }, { data: all, loss: mse() })
  const source$ = interval(1).pipe(
    take(batches.length),
    map((i) => batches[i]!),
  )
  expect(await evaluate(line, { params, state }, { data: source$, loss: mse() })).toMatchObject(wanted)
  const said = (data: Batches): Promise<unknown> =>
    lastValueFrom(predict(line, { params, state }, { data }).pipe(toArray()))
  expect(await said(source$)).toEqual(await said(all))
  const two = predict(line, { params, state }, { data: endless(batches.slice(0, 2)) }).pipe(
    take(2),
    toArray(),
  )
  expect((await lastValueFrom(two)).map(({ input }) => input)).toEqual(batches.slice(0, 2))
})
