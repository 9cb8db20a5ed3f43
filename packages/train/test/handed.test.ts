// Whoever hears of a run may do with what is handed out what they like: the run, its store and what others hear stay as they are.
import { lastValueFrom } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  checkpointEvery,
  type EpochRecord,
  type FitOptions,
  fit,
  keepBest,
  type Monitor,
  type RunSnapshot,
  result,
  storeOf,
  type TrainEvent,
} from '../src/index.ts'
import { memoryFiles } from './memory-files.ts'
import { eventsOf, goingBack, surface, surfaceModel, timeless, twoPoints } from './small.ts'

const data = surface(40).batch(10)
const { loss, optimizer } = twoPoints
const options = (): FitOptions => ({ data, validation: data, loss, optimizer, epochs: 4, seed: 5 })

/** Writes over every number that can be reached, and notes how many refused. */
function spoil(data: unknown): number {
  if (typeof data !== 'object' || data === null) return 0
  if (ArrayBuffer.isView(data)) {
    if (data instanceof Float32Array) data.fill(7)
    return 0
  }
  let refused = 0
  for (const [name, inner] of Object.entries(data)) {
    if (typeof inner === 'object') refused += spoil(inner)
    else if (!Reflect.set(data, name, 7)) refused++
  }
  return refused
}

/** Spoils all plain data that an event has. */
const spoiling: Monitor = (event) => {
  if (event.type === 'checkpoint') spoil(event.snapshot)
  if (event.type === 'end') spoil([event.result, event.history])
  if (event.type === 'start') spoil(event.info)
  if (event.type === 'command') spoil(event.command)
  if (event.type !== 'epoch' && event.type !== 'validation') return
  spoil([event.metrics, event.snapshot()])
}

const without = (run: RunSnapshot): RunSnapshot => ({ ...timeless(run), programs: {} })

describe('what monitors write over', () => {
  test('changes neither the result nor the history, nor the store, nor where the run goes back to', async () => {
    const ends: { result: RunSnapshot; history: readonly EpochRecord[]; stored: RunSnapshot }[] = []
    const states: string[] = []
    for (const monitors of [
      [],
      [spoiling, (event: TrainEvent) => event.type === 'end' && states.push(event.reason)],
    ]) {
      const store = storeOf(memoryFiles())
      const callbacks = [checkpointEvery({ epochs: 1 }), goingBack(), keepBest()]
      const run$ = fit(surfaceModel, {
        ...options(),
        callbacks,
        store,
        monitors,
        log: (words) => states.push(words),
      })
      const end = await lastValueFrom(run$)
      if (end.type !== 'end') throw new Error('no end')
      ends.push({ result: end.result, history: end.history, stored: (await store.latest())! })
    }
    const [clean, spoiled] = ends
    expect(states).toEqual(['completed'])
    expect(without(spoiled!.result)).toEqual(without(clean!.result))
    expect(spoiled!.history.map((record) => ({ ...record, seconds: 0 }))).toEqual(
      clean!.history.map((record) => ({ ...record, seconds: 0 })),
    )
    expect(without(spoiled!.stored)).toEqual(without(clean!.stored))
  })

  test('is not what the next monitor is shown', async () => {
    const shown: number[] = []
    const look: Monitor = (event) => {
      if (event.type === 'end') shown.push(event.result.step, event.history.length)
    }
    const cut: Monitor = (event) => {
      if (event.type !== 'end') return
      spoil(event.result)
      ;(event.history as EpochRecord[]).length = 0
    }
    const { history } = await result(fit(surfaceModel, { ...options(), monitors: [cut, look] }))
    expect(shown).toEqual([16, 4])
    expect(history).toHaveLength(4)
  })
})

test('what the owner writes over is not what is written, nor where the run goes back to', async () => {
  const store = storeOf(memoryFiles())
  const callbacks = [checkpointEvery({ epochs: 1 }), goingBack()]
  const wanted = await lastValueFrom(fit(surfaceModel, { ...options(), callbacks }))
  const run$ = fit(surfaceModel, { ...options(), callbacks, store })
  await new Promise<void>((resolve, reject) => {
    run$.subscribe({
      next: (event) => {
        if (event.type === 'checkpoint') spoil(event.snapshot)
        if (event.type === 'end') spoil(event.result)
      },
      error: reject,
      complete: resolve,
    })
  })
  if (wanted.type !== 'end') throw new Error('no end')
  expect(without((await store.latest())!)).toEqual(without(wanted.result))
})

test('a snapshot that a run goes on from stays as it is', async () => {
  const first = await lastValueFrom(fit(surfaceModel, options()))
  if (first.type !== 'end') throw new Error('no end')
  const from = first.result
  const before = structuredClone(from)
  await eventsOf(fit(surfaceModel, { ...options(), from, epochs: 5, monitors: [spoiling], log: () => {} }))
  expect(from).toEqual(before)
  // It can be changed, as before.
  expect(Reflect.set(from.history[0]!, 'loss', 7)).toBe(true)
})
