import * as t from '@tapeflow/autodiff'
import type { Pulled } from '@tapeflow/data'
import { mse } from '@tapeflow/nn'
import { describe, expect, test } from 'vitest'
import { type BatchSource, evaluate, predict, type TrainBatch } from '../src/index.ts'
import { modes, surface, surfaceModel, turn } from './small.ts'

const made = surfaceModel.init(t.key(1), [2])
const weights = { params: t.toSnapshot(made.params), state: t.toSnapshot(made.state) }
for (const x of t.leaves(made)) x.dispose()
const batches = surface(50).batch(8).toArray() as TrainBatch[]

/** Batches at once or by and by; `moment` is told what happens, and how often it has. */
function told(moment: (what: string) => void, isAsynchronous: boolean): BatchSource {
  return {
    iterate: () => {
      let i = 0
      const next = (): IteratorResult<TrainBatch, undefined> =>
        i < batches.length ? { done: false, value: batches[i++]! } : { done: true, value: undefined }
      return {
        next: (): Pulled<TrainBatch> => {
          moment('pull')
          if (!isAsynchronous) return next()
          return new Promise((resolve) => {
            queueMicrotask(() => {
              moment('arrival')
              resolve(next())
            })
          })
        },
        return: () => moment('return'),
      }
    },
  }
}

/** Counts the moments of one kind, and acts at one of them. */
function at(kind: string, count: number, act: () => void): (what: string) => void {
  let seen = 0
  return (what) => {
    if (what === kind && seen++ === count) act()
  }
}

type Ways = readonly (readonly [string, (act: () => void) => void])[]
const ways: Ways = [
  ['inside', (act) => act()],
  ['in a microtask', (act) => queueMicrotask(act)],
  ['in a task', (act) => setTimeout(act, 0)],
]
const kinds = ['pull', 'arrival', 'batch', 'return']
const moments = kinds.flatMap((kind) => [0, 3, 7].map((count) => ({ kind, count })))

describe.each(modes)('%s', (_, mode) => {
  describe.each([false, true])('data by and by: %s', (isAsynchronous) => {
    test.each(ways)('evaluate leaves nothing wherever its signal aborts %s', async (_, how) => {
      for (const { kind, count } of moments) {
        const before = t.memory()
        const controller = new AbortController()
        const moment = at(kind, count, () => how(() => controller.abort(new Error('enough'))))
        const metric = {
          name: 'batches',
          init: () => 0,
          update: (n: number) => {
            moment('batch')
            return n + 1
          },
          result: (n: number) => n,
        }
        const data = told(moment, isAsynchronous)
        const { signal } = controller
        const ended = await evaluate(surfaceModel, weights, {
          data,
          loss: mse(),
          metrics: [metric],
          signal,
          ...mode,
        })
          .then(({ metrics }) => metrics.batches)
          .catch((error: unknown) => (error as Error).message)
        // What was aborted inside of a slice ends with it.
        await turn()
        expect([7, 'enough']).toContain(ended)
        expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
      }
    })

    test.each(ways)('predict leaves nothing wherever it is unsubscribed %s', async (_, how) => {
      for (const { kind, count } of moments) {
        const before = t.memory()
        const heard: number[] = []
        let unsubscribed = false
        const moment = at(kind, count, () =>
          how(() => {
            unsubscribed = true
            subscription.unsubscribe()
            if (kind === 'arrival') expect(t.memory().tensors).toBe(before.tensors)
          }),
        )
        const said$ = predict(surfaceModel, weights, { data: told(moment, isAsynchronous), ...mode })
        const subscription = said$.subscribe(({ batch }) => {
          expect(unsubscribed).toBe(false)
          heard.push(batch)
          moment('batch')
        })
        for (let i = 0; i < 3 || (!subscription.closed && i < 1000); i++) await turn()
        expect(heard).toEqual(heard.map((_, i) => i))
        expect(subscription.closed).toBe(true)
        expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
      }
    })
  })

  test('memory is flat over batches', async () => {
    const seen = new Set<string>()
    await new Promise<void>((resolve, reject) => {
      const data = surface(8).batch(8).repeat(300)
      predict(surfaceModel, weights, { data, ...mode }).subscribe({
        next: () => {
          const { tensors, bytes } = t.memory()
          seen.add(`${tensors} tensors, ${bytes} bytes`)
        },
        error: reject,
        complete: resolve,
      })
    })
    expect(seen.size).toBe(1)
  })
})

test('predict unsubscribed before its first slice reads no data', async () => {
  let reads = 0
  const data: BatchSource = {
    iterate: () => {
      reads++
      return told(() => {}, false).iterate()
    },
  }
  predict(surfaceModel, weights, { data }).subscribe().unsubscribe()
  await turn()
  expect(reads).toBe(0)
})
