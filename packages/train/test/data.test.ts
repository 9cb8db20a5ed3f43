import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { Subject, tap } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'
import { type BatchSource, fit, type TrainBatch, type TrainCommand } from '../src/index.ts'
import { eventsOf, line, points, turn, twoPoints } from './small.ts'

const batches = points([1, 2], [2, 4], [3, 6]).batch(1).toArray() as TrainBatch[]
const stepLosses = async (data: BatchSource): Promise<number[]> =>
  (await eventsOf(fit(line, { ...twoPoints, data, validation: data, epochs: 2 }))).flatMap((event) =>
    event.type === 'step' || event.type === 'validation' ? [event.loss] : [],
  )

/** Counts who pulls, and when. */
function counting(answer: (i: number) => ReturnType<ReturnType<BatchSource['iterate']>['next']>) {
  const log: string[] = []
  const data: BatchSource = {
    iterate: () => {
      let i = 0
      return {
        next: () => {
          log.push(`pull ${i}`)
          return answer(i++)
        },
        return: () => {
          log.push('return')
        },
      }
    },
  }
  return { data, log }
}
const nth = (i: number): IteratorResult<TrainBatch, undefined> =>
  i < batches.length ? { done: false, value: batches[i]! } : { done: true, value: undefined }

test('asynchronous data gives the same losses as synchronous', async () => {
  const slow = dataset(async function* () {
    for (const batch of batches) {
      await Promise.resolve()
      yield batch
    }
  })
  expect(await stepLosses(slow)).toEqual(await stepLosses({ iterate: () => dataset(batches).iterate(0) }))
})

test('nothing is pulled ahead: one batch, one step', async () => {
  const { data, log } = counting(async (i) => nth(i))
  await new Promise<void>((resolve, reject) => {
    fit(line, { ...twoPoints, data, epochs: 1 }).subscribe({
      next: (event) => {
        if (event.type === 'step') log.push(`step ${event.step}`)
      },
      error: reject,
      complete: resolve,
    })
  })
  expect(log).toEqual(['pull 0', 'step 0', 'pull 1', 'step 1', 'pull 2', 'step 2', 'pull 3'])
})

test('no pull and one return after the stop', async () => {
  const { data, log } = counting(nth)
  await eventsOf(fit(line, { ...twoPoints, data, steps: 2 }))
  expect(log).toEqual(['pull 0', 'pull 1', 'return'])
})

test('unsubscribing while a batch is awaited returns the source, frees, and ignores the batch', async () => {
  const before = t.memory().bytes
  const wait: { arrive?: () => void } = {}
  const { data, log } = counting((i) =>
    i === 0
      ? nth(0)
      : new Promise((resolve) => {
          wait.arrive = () => resolve(nth(i))
        }),
  )
  const heard: string[] = []
  const subscription = fit(line, { ...twoPoints, data, epochs: 1 }).subscribe(({ type }) => heard.push(type))
  await vi.waitFor(() => expect(log).toContain('pull 1'))
  subscription.unsubscribe()
  expect(log).toEqual(['pull 0', 'pull 1', 'return'])
  expect(t.memory().bytes).toBe(before)
  wait.arrive?.()
  await turn()
  expect(heard).toEqual(['start', 'step'])
})

test('an error of the data is the error of the run', async () => {
  const before = t.memory().bytes
  const { data } = counting((i) => (i === 0 ? nth(0) : Promise.reject(new Error('disk full'))))
  await expect(eventsOf(fit(line, { ...twoPoints, data, epochs: 1 }))).rejects.toThrow('disk full')
  expect(t.memory().bytes).toBe(before)
})

test('data that fails while it is closed is logged; the run is not its failure', async () => {
  const logged: unknown[] = []
  const log = (message: string, error: unknown): number => logged.push([message, (error as Error).message])
  const data: BatchSource = {
    iterate: () => {
      let i = 0
      const fail = (): never => {
        throw new Error('no file')
      }
      return { next: () => nth(i++), return: fail }
    },
  }
  const events = await eventsOf(fit(line, { ...twoPoints, data, steps: 1, log }))
  expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'completed' })
  expect(logged).toEqual([['fit: closing the data failed', 'no file']])
})

test('a stop acts while a batch is awaited', async () => {
  const { data, log } = counting((i) => (i === 0 ? nth(0) : new Promise(() => {})))
  const commands = new Subject<TrainCommand>()
  const events = eventsOf(fit(line, { ...twoPoints, data, epochs: 1, commands }))
  await vi.waitFor(() => expect(log).toContain('pull 1'))
  commands.next({ type: 'stop' })
  expect((await events).map(({ type }) => type)).toEqual(['start', 'step', 'command', 'finishing', 'end'])
  expect(log).toEqual(['pull 0', 'pull 1', 'return'])
})

describe.each<[string, object]>([
  ['validation data', {}],
  ['training data that is evaluated', { evaluateTraining: true }],
])('while a batch of %s is awaited', (_, more) => {
  /** Two steps; then a pass whose second batch never comes. */
  const waiting = () => {
    const { data: endless, log } = counting((i) => (i === 0 ? nth(0) : new Promise(() => {})))
    let passes = 0
    const data = {
      iterate: () => (passes++ === 0 ? points([1, 2], [2, 4]).batch(1).iterate(0) : endless.iterate()),
    }
    const isEvaluated = 'evaluateTraining' in more
    return {
      data: { ...twoPoints, ...more, epochs: 1, ...(isEvaluated ? { data } : { validation: endless }) },
      log,
    }
  }

  test('a stop acts', async () => {
    const before = t.memory()
    const commands = new Subject<TrainCommand>()
    const { data, log } = waiting()
    const events = eventsOf(fit(line, { ...data, commands }))
    await vi.waitFor(() => expect(log).toContain('pull 1'))
    commands.next({ type: 'setLearningRate', learningRate: 1 })
    await turn()
    expect(log).not.toContain('return')
    commands.next({ type: 'stop' })
    const types = (await events).map(({ type }) => type)
    expect(types.filter((type) => type !== 'epoch')).toEqual([
      'start',
      'step',
      'step',
      'command',
      'finishing',
      'end',
    ])
    expect(log).toEqual(['pull 0', 'pull 1', 'return'])
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('a callback that fails ends the run', async () => {
    const failing = new Subject<TrainCommand>()
    const { data, log } = waiting()
    const events = eventsOf(fit(line, { ...data, callbacks: [{ name: 'late', run: () => failing }] }))
    const failed = expect(events).rejects.toThrow("fit: callback 'late' failed: oh")
    await vi.waitFor(() => expect(log).toContain('pull 1'))
    failing.error(new Error('oh'))
    await failed
    expect(log).toEqual(['pull 0', 'pull 1', 'return'])
  })
})

// It was taken for a wait that was given up: passes followed each other for ever.
test.each([
  ['at once', () => undefined],
  ['as a promise', () => Promise.resolve(undefined)],
  ['at once', () => null],
])('data that gives nothing, %s, is an error', async (_, nothing) => {
  const before = t.memory()
  const { data } = counting((i) =>
    i === 0 ? nth(0) : (nothing() as unknown as IteratorResult<TrainBatch, undefined>),
  )
  await expect(eventsOf(fit(line, { ...twoPoints, data, steps: 9 }))).rejects.toThrow(
    /^fit: the data must give { done, value }, got (undefined|null); write it with dataset\(…\)$/,
  )
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})

test('a stop acts while a run that goes on passes over what it has seen', async () => {
  const commands = new Subject<TrainCommand>()
  let pulls = 0
  const data: BatchSource = {
    iterate: () => ({
      next: () => {
        if (++pulls === 1000) commands.next({ type: 'stop' })
        return nth(0)
      },
    }),
  }
  const run$ = fit(line, { ...twoPoints, data, steps: 1e9, commands, pace: { budget: 0 } }).pipe(
    tap((event) => {
      if (event.type === 'step') {
        commands.next({ type: 'restore', from: { ...event.snapshot(), batch: 100_000 } })
      }
    }),
  )
  expect((await eventsOf(run$)).at(-1)).toMatchObject({ type: 'end', reason: 'stopped', result: { step: 1 } })
  expect(pulls).toBe(1000)
})

test('the event loop has its turn between slices', async () => {
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  await new Promise<void>((resolve, reject) => {
    const begun = performance.now()
    const subscription = fit(line, { ...twoPoints, steps: 1e9, pace: { budget: 4 } }).subscribe({
      next: () => {
        // A loop that is never given back sees no turn however long it runs.
        if (turns <= 3 && performance.now() - begun < 10_000) return
        subscription.unsubscribe()
        resolve()
      },
      error: reject,
    })
  })
  clearInterval(timer)
  expect(turns).toBeGreaterThan(3)
})
