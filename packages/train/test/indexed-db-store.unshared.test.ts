import { fileStore } from '@tapeflow/nn/browser'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { indexedDBStore } from '../src/browser.ts'
import { checkpointEvery, type FitOptions, fit } from '../src/index.ts'
import { damaged, runAt } from './memory-files.ts'
import { eventsOf, line, timeless, twoPoints } from './small.ts'

const database = 'tapeflow-train-test'
const removed = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(database)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
    request.onblocked = () => reject(new Error('a connection was left open'))
  })
beforeEach(removed)
afterEach(removed)

test('checkpoints come back, the last three and the best', async () => {
  const store = indexedDBStore(database, { best: { monitor: 'validation.loss' } })
  await store.open()
  for (const [step, loss] of [
    [1, 3],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 2],
  ] as const) {
    await store.save(runAt(step, { 'validation.loss': loss }))
  }
  expect((await store.list()).map(({ step }) => step)).toEqual([2, 3, 4, 5])
  // As after a reload.
  const again = indexedDBStore(database, { best: { monitor: 'validation.loss' } })
  expect(await again.latest()).toStrictEqual(runAt(5, { 'validation.loss': 2 }))
  expect((await again.best())!.step).toBe(2)
})

test('a run goes on after a reload, past a checkpoint that is damaged', async () => {
  const options = (): FitOptions => {
    const store = indexedDBStore(database, { keep: 20 })
    return {
      ...twoPoints,
      epochs: 6,
      callbacks: [checkpointEvery({ steps: 1 })],
      store,
      pace: { budget: 0, rest: 1 },
    }
  }
  const straight = (await eventsOf(fit(line, options()))).at(-1)!
  const { store, ...others } = options()
  const files = fileStore(database)
  const last = (await files.names()).at(-1)!
  await files.put(last, damaged((await files.get(last))!))
  const told: string[] = []
  const resumed = (
    await eventsOf(
      fit(line, { ...others, store: store!, from: store!, log: (message) => told.push(message) }),
    )
  ).at(-1)!
  expect(told).toEqual([`indexedDBStore: ${last} in ${database} cannot be read, and is passed over`])
  if (straight.type !== 'end' || resumed.type !== 'end') throw new Error('no end')
  expect(timeless(resumed.result)).toEqual(timeless(straight.result))
})

test('a database that cannot be opened is an error before the first step', async () => {
  const failing: IDBFactory = new Proxy(indexedDB, {
    get: () => () => {
      throw new DOMException('no room', 'QuotaExceededError')
    },
  })
  const events: string[] = []
  const run$ = fit(line, { ...twoPoints, epochs: 1, store: indexedDBStore(database, { indexedDB: failing }) })
  const error = await new Promise((resolve) => {
    run$.subscribe({ next: ({ type }) => events.push(type), error: resolve })
  })
  expect(error).toMatchObject({
    name: 'CheckpointError',
    message: `indexedDBStore: nothing can be written to ${database}: no room; choose another place`,
  })
  expect(events).toEqual([])
})

test('a name that is none is refused', () => {
  expect(() => indexedDBStore('')).toThrow(
    "indexedDBStore: the name must be a string that is not empty, got a string; pass indexedDBStore('first')",
  )
})
