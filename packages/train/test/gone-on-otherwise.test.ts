// What a run tells that goes on with something else than its snapshot was taken with.
import { adam } from '@tapeflow/optim'
import { EMPTY, filter, firstValueFrom, ignoreElements, lastValueFrom, map, mergeMap, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  checkpointEvery,
  earlyStopping,
  type FitOptions,
  fit,
  fromCheckpoint,
  keepBest,
  lrWarmup,
  type RunSnapshot,
  result,
  storeOf,
  type TrainEvent,
  terminateOnNaN,
  toCheckpoint,
} from '../src/index.ts'
import { memoryFiles } from './memory-files.ts'
import { eventsOf, line, points, scripted, surface, surfaceModel, twoPoints } from './small.ts'

const all = [1, 2, 3, 4, 5].map((x) => [x, 2 * x] as const)
const { loss, optimizer } = twoPoints
const five = { data: points(...all).batch(1), loss, optimizer }

/** The run behind step 3, of five in an epoch. */
const withinEpoch = (): Promise<RunSnapshot> =>
  firstValueFrom(
    fit(line, { ...five, epochs: 3 }).pipe(
      filter((event) => event.type === 'step' && event.step === 3),
      map((event) => (event.type === 'step' ? event.snapshot() : null)),
    ),
  ).then((snapshot) => fromCheckpoint(toCheckpoint(snapshot!)))

function noted(): { log: NonNullable<FitOptions['log']>; readonly told: string[] } {
  const told: string[] = []
  return { told, log: (message, error) => told.push(`${message} | ${String(error)}`) }
}

test('data that is shorter than the place in it is told', async () => {
  const from = await withinEpoch()
  const { told, log } = noted()
  const data = points(...all.slice(0, 2)).batch(1)
  const events = await eventsOf(fit(line, { ...five, data, epochs: 3, from, log }))
  expect(told).toEqual([
    'fit: the data is not what the snapshot was taken with: epoch 0 ends before batch 4; the run goes on, but not as it would have | 2 batches, not 4 or more',
  ])
  expect(events.flatMap((event) => (event.type === 'step' ? [[event.epoch, event.batch]] : []))).toEqual([
    [1, 0],
    [1, 1],
    [2, 0],
    [2, 1],
  ])
  const whole = noted()
  await eventsOf(fit(line, { ...five, epochs: 3, from, log: whole.log }))
  // As long as the place in it.
  await eventsOf(
    fit(line, { ...five, data: points(...all.slice(0, 4)).batch(1), epochs: 3, from, log: whole.log }),
  )
  expect(whole.told).toEqual([])
})

describe('a run that is made longer', () => {
  const data = surface(40).batch(10)
  const options = (epochs: number): FitOptions => ({
    data,
    validation: surface(20, 3).batch(20),
    loss,
    optimizer: adam({ learningRate: 0.3 }),
    callbacks: [checkpointEvery({ epochs: 1 }), keepBest()],
    epochs,
    seed: 5,
  })
  const losses = async (epochs: number, from?: RunSnapshot): Promise<readonly number[]> => {
    const run$ = fit(surfaceModel, { ...options(epochs), ...(from === undefined ? {} : { from }) })
    return (await result(run$)).history.map((record) => record.loss)
  }

  test('does what it would have done from where training stood, and not from weights that were put back', async () => {
    const store = storeOf(memoryFiles())
    const events: TrainEvent[] = []
    let finishing: RunSnapshot | null = null
    const run$ = fit(surfaceModel, { ...options(5), store })
    await result(
      run$.pipe(
        tap((event) => {
          events.push(event)
          if (event.type === 'finishing') finishing = event.snapshot()
        }),
      ),
    )
    expect(events.some((event) => event.type === 'command' && event.command.type === 'restore')).toBe(true)
    const straight = await losses(8)
    const checkpoints = await Promise.all((await store.list()).map(({ name }) => store.load(name)))
    expect(await losses(8, checkpoints.findLast(({ ended }) => ended === null)!)).toEqual(straight)
    expect(await losses(8, finishing!)).toEqual(straight)
    expect((await losses(8, (await store.latest())!)).slice(5)).not.toEqual(straight.slice(5))
  })
})

test('a snapshot of a monitor knows the rate that callbacks ask for the next step, one of a subscriber does not', async () => {
  const options = (): FitOptions => ({ ...five, epochs: 2, callbacks: [lrWarmup({ steps: 8 })] })
  const taken: RunSnapshot[] = []
  const take = (event: TrainEvent): unknown =>
    event.type === 'step' && event.step === 3 && taken.push(event.snapshot())
  const rates = async (from?: RunSnapshot): Promise<readonly number[]> => {
    const run$ = fit(line, { ...options(), ...(from === undefined ? { monitors: [take] } : { from }) })
    const events = await eventsOf(from === undefined ? run$.pipe(tap(take)) : run$)
    return events.flatMap((event) => (event.type === 'step' ? [event.learningRate] : []))
  }
  const straight = (await rates()).slice(4)
  const [ofSubscriber, ofMonitor] = taken
  expect(await rates(ofMonitor)).toEqual(straight)
  const [first, ...others] = await rates(ofSubscriber)
  expect(others).toEqual(straight.slice(1))
  // Step 3 once more: 4/8 of 0.1, not 5/8.
  expect(first).toBeCloseTo(0.05, 12)
})

describe('what callbacks kept', () => {
  // Better once, then never.
  const values = [3, 2, 5, 5, 5, 5, 5, 5, 5, 5]
  const stopping = (): Callback => earlyStopping({ monitor: 'epoch.loss', patience: 4 })
  const ended = async (epochs: number, more: Partial<FitOptions>): Promise<RunSnapshot> => {
    const end = await lastValueFrom(scripted(values, { epochs, ...more }))
    if (end.type !== 'end') throw new Error('no end')
    return end.result
  }
  const counting = (name: string): Callback => ({
    name,
    run: (events$, info) => {
      const seen = info.keep('seen', 0)
      return events$.pipe(
        tap(({ type }) => type === 'epoch' && seen.value++),
        ignoreElements(),
      )
    },
  })

  test('is found by name, wherever the callback stands in the list', async () => {
    const straight = await ended(10, { callbacks: [stopping()] })
    expect([straight.epoch, straight.ended]).toEqual([6, 'epoch.loss has not improved 4 times, best 2'])
    const from = await ended(4, { callbacks: [stopping()] })
    const { told, log } = noted()
    for (const callbacks of [[terminateOnNaN(), checkpointEvery({ epochs: 9 }), stopping()], [stopping()]]) {
      const more = await ended(10, { callbacks, from, log })
      expect([more.epoch, more.ended]).toEqual([straight.epoch, straight.ended])
    }
    expect(told).toEqual([])
  })

  test('of several of one name by their order', async () => {
    const [a, b] = [counting('a'), counting('b')]
    const from = await ended(2, { callbacks: [a, b, a] })
    expect(from.kept).toEqual({ 'a.seen': 2, 'b.seen': 2, 'a#2.seen': 2 })
    const more = await ended(3, { callbacks: [b, a, counting('c'), a, a], from })
    expect(more.kept).toEqual({ 'b.seen': 3, 'a.seen': 3, 'c.seen': 1, 'a#2.seen': 3, 'a#3.seen': 1 })
  })

  test('and nobody has asked for is told', async () => {
    const [a, b] = [counting('a'), counting('b')]
    const from = await ended(2, { callbacks: [a, b, a] })
    const { told, log } = noted()
    const more = await ended(3, { callbacks: [a], from, log })
    expect(more.kept).toEqual({ 'a.seen': 3 })
    expect(told).toEqual([
      'fit: no callback asks for what others kept in the snapshot: it is lost; pass the callbacks that it was taken with | b.seen, a#2.seen',
    ])
  })

  test.each<[string, () => unknown, string]>([
    ['a function', () => () => 1, 'a function'],
    ['an object with one', () => ({ f: () => 1 }), 'an object'],
  ])('must be plain data when it is asked for, and later: %s', async (_, make, kind) => {
    const words = `keep: 'keeper.value' must be plain data that can be cloned, got ${kind}`
    const first: Callback = {
      name: 'keeper',
      run: (_events$, info) => {
        info.keep('value', make())
        return EMPTY
      },
    }
    await expect(result(fit(line, { ...five, epochs: 1, callbacks: [first] }))).rejects.toThrow(words)
    const later: Callback = {
      name: 'keeper',
      run: (events$, info) => {
        const kept = info.keep<unknown>('value', null)
        return events$.pipe(
          mergeMap(({ type }) => {
            if (type === 'step') kept.value = make()
            return EMPTY
          }),
        )
      },
    }
    await expect(result(fit(line, { ...five, epochs: 1, callbacks: [later] }))).rejects.toThrow(words)
  })
})
