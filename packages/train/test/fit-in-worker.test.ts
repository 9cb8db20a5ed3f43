import * as t from '@tapeflow/autodiff'
import { lastValueFrom, type Observable, Subject, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type RunSnapshot,
  result,
  StaleSnapshotError,
  type StepEvent,
  type TrainCommand,
  type TrainEvent,
  type TravelName,
} from '../src/index.ts'
import { eventsOf, turn } from './small.ts'
import { told } from './told.ts'
import { onThisThread, stepsOf, untilGone, workersHere } from './worker/here.ts'
import type { Asked } from './worker/recipe.ts'

const workers = await workersHere()
const { inModule } = workers
const inWorker = workers.inWorker()
const module = new URL('./worker/recipe.ts', import.meta.url)
const everything: readonly TravelName[] = ['weights', 'gradients', 'gradientNorm', 'activations']

/** What fails with `run`. */
async function failing(run: () => unknown): Promise<Error & { readonly operation?: string }> {
  try {
    await run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing failed')
}

describe('the same run', () => {
  test('tells the same in a worker as on this thread, bit for bit, of tensors too', async () => {
    const before = t.memory()
    const asked: Asked = { epochs: 3 }
    const wanted = await told(onThisThread(asked, true), true)
    expect(wanted.filter(({ type }) => type === 'step')).toHaveLength(24)
    expect(await told(inWorker(asked, { watch: everything }), true)).toEqual(wanted)
    expect(await told(inModule(module)(asked, { watch: everything }), true)).toEqual(wanted)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test.each([false, true])(
    'has the same fields in each of its events, a step of its own: %s',
    async (own) => {
      const asked: Asked = { epochs: 2, callbacks: ['checkpoints'], own }
      const [wanted, found] = await Promise.all([
        eventsOf(onThisThread(asked)),
        eventsOf(inWorker(asked, { watch: ['checkpoints'] })),
      ])
      const timeless = (events: readonly TrainEvent[]): unknown =>
        JSON.parse(
          JSON.stringify(events, (name, value) =>
            name === 'seconds' || name === 'samplesPerSecond' ? typeof value : value,
          ),
        )
      expect(timeless(found)).toEqual(timeless(wanted))
      expect(found.some(({ type }) => type === 'checkpoint')).toBe(true)
    },
  )

  test('comes to the same result, as a promise', async () => {
    const asked: Asked = { epochs: 1 }
    const [wanted, found] = await Promise.all([result(onThisThread(asked)), result(inWorker(asked))])
    expect(found.params).toEqual(wanted.params)
    expect(found.reason).toBe('completed')
  })

  test('is run once for each subscription, in a worker of its own; nothing is emitted inside of subscribe', async () => {
    const run$ = inWorker({ steps: 4 }, { watch: ['weights'] })
    let events = 0
    const first = run$.subscribe(() => events++)
    expect(events).toBe(0)
    const [a, b] = await Promise.all([told(run$), told(run$)])
    expect(a).toEqual(b)
    first.unsubscribe()
    await untilGone(workers)
  })
})

describe('what travels', () => {
  test('arrays that stay, each on memory of its own; tensors of them go with their event', async () => {
    const before = t.memory()
    const kept: StepEvent[] = []
    await lastValueFrom(
      inWorker({ steps: 3 }, { watch: everything }).pipe(
        tap((event) => {
          if (event.type !== 'step') return
          kept.push(event)
          for (const { tree, paths } of [event.weights, event.gradients, event.activations]) {
            expect(t.leaves(tree)).toHaveLength(paths.length)
          }
        }),
      ),
    )
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
    const wanted: unknown[] = []
    await lastValueFrom(
      onThisThread({ steps: 3 }, true).pipe(
        tap((event) => {
          if (event.type === 'step') wanted.push(event.weights.snapshot())
        }),
      ),
    )
    expect(kept.map((event) => event.weights.snapshot())).toEqual(wanted)
    const [first] = kept
    const copies: readonly unknown[] = [first!.weights.snapshot(), first!.gradients.snapshot()]
    const arrays: t.Snapshot[] = []
    JSON.stringify(copies, (_, value) => {
      if (value?.values instanceof Float32Array) arrays.push(value)
      return value?.values instanceof Float32Array ? null : value
    })
    expect(arrays).toHaveLength(8)
    for (const { values, shape } of arrays) {
      expect(values.buffer.byteLength).toBe(4 * t.sizeOf(shape))
    }
    expect(() => first!.weights.tree).toThrow(StaleSnapshotError)
    expect(first!.weights.paths).toEqual([
      'layers.0.bias',
      'layers.0.weight',
      'layers.3.bias',
      'layers.3.weight',
    ])
  })
})

describe('commands', () => {
  /** Everything that a long run emits whose commands are what `answer` says to its events. */
  function commanded(answer: (event: TrainEvent) => TrainCommand | undefined): Promise<TrainEvent[]> {
    const commands = new Subject<TrainCommand>()
    const run$: Observable<TrainEvent> = inWorker(
      { steps: 100_000, budget: 0 },
      { commands, watch: ['checkpoints'] },
    )
    return eventsOf(
      run$.pipe(
        tap((event) => {
          const command = answer(event)
          if (command !== undefined) commands.next(command)
        }),
      ),
    )
  }

  test('stop, setLearningRate and one that is refused', async () => {
    const events = await commanded((event) => {
      if (event.type === 'start') return { type: 'setLearningRate', learningRate: 0.125 }
      if (event.type !== 'command') return undefined
      if (event.refused !== undefined) return { type: 'stop', reason: 'enough' }
      if (event.command.type === 'setLearningRate') return { type: 'restore', from: 3 }
      return undefined
    })
    const told = events.filter((event) => event.type === 'command')
    expect(told.map(({ command, source }) => [command.type, source])).toEqual([
      ['setLearningRate', 'commands'],
      ['restore', 'commands'],
      ['stop', 'commands'],
    ])
    expect(told[1]!.refused).toContain("no checkpoint '3' to restore")
    const after = stepsOf(events.slice(events.indexOf(told[0]!)))
    expect(after.every(({ learningRate }) => learningRate === 0.125)).toBe(true)
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'enough' })
  })

  test('restore of a snapshot that came from there: the steps after it are made again, to the bit', async () => {
    const taken: { snapshot?: RunSnapshot } = {}
    let restored = false
    const events = await commanded((event) => {
      if (event.type === 'start') return { type: 'checkpoint' }
      if (event.type === 'checkpoint') {
        taken.snapshot = event.snapshot
        return undefined
      }
      if (event.type === 'epoch' && event.epoch === 3 && !restored) {
        restored = true
        return { type: 'restore', from: taken.snapshot! }
      }
      if (event.type === 'epoch' && restored && event.epoch === 5) return { type: 'stop' }
      return undefined
    })
    const at = events.findIndex((event) => event.type === 'command' && event.command.type === 'restore')
    const byStep = new Map<number, number>()
    for (const { step, loss } of stepsOf(events.slice(0, at))) byStep.set(step, loss)
    const again = stepsOf(events.slice(at)).filter(({ step }) => byStep.has(step))
    expect(again[0]!.step).toBe(taken.snapshot!.step)
    expect(again.map(({ loss }) => loss)).toEqual(again.map(({ step }) => byStep.get(step)))
  })
})

describe('an error', () => {
  test('of a callback inside comes with its kind, its cause and its stack', async () => {
    const error = await failing(() => result(inWorker({ steps: 9, callbacks: ['throwing'] })))
    expect(error).toBeInstanceOf(RangeError)
    expect(error.message).toBe("fit: callback 'throwing' failed: step three is refused")
    expect(error.operation).toBe('fit')
    const { cause } = error
    expect(cause).toBeInstanceOf(RangeError)
    expect((cause as Error).stack).toMatch(/step three is refused\n[\s\S]*recipe/)
    await untilGone(workers)
  })

  test('a worker that dies says so', async () => {
    await expect(result(inWorker({ steps: 9, callbacks: ['exiting'] }))).rejects.toThrow(
      /fitInWorker: the worker ended (with exit code 7 )?before the run did; it c/,
    )
    await untilGone(workers)
  })

  test('and one that somebody ends', async () => {
    let ending: { terminate(): unknown } | undefined
    const run$ = workers.inWorker((worker) => {
      ending = worker
    })({ steps: 1_000_000 })
    await expect(
      lastValueFrom(run$.pipe(tap((event) => event.type === 'epoch' && ending?.terminate()))),
    ).rejects.toThrow('before the run did')
    await untilGone(workers)
  })
})

describe('unsubscribing', () => {
  test('at random moments ends the worker, and nothing comes any more', async () => {
    const moments = t.uniformValues(t.key(11), 12, 0, 60)
    for (const moment of moments) {
      let over = false
      const subscription = inWorker({ steps: 1_000_000 }, { watch: ['weights'] }).subscribe({
        next: () => expect(over).toBe(false),
        error: (error: unknown) => expect(error).toBe(null),
      })
      await new Promise((resolve) => setTimeout(resolve, moment * (moment > 30 ? 10 : 1)))
      over = true
      subscription.unsubscribe()
    }
    await untilGone(workers)
  })

  test('inside of next stops with that event', async () => {
    const seen: number[] = []
    await new Promise<void>((resolve) => {
      const subscription = inWorker({ steps: 1_000_000 }).subscribe((event) => {
        if (event.type !== 'step') return
        seen.push(event.step)
        if (event.step !== 5) return
        subscription.unsubscribe()
        resolve()
      })
    })
    await untilGone(workers)
    expect(seen).toEqual([0, 1, 2, 3, 4, 5])
  })
})

test('a run waits while two batches are on their way; once they are handled it goes on, and no event is lost', async () => {
  const held: (() => void)[] = []
  let isHeld = true
  const run$ = workers.inWorker((worker) => {
    const post = worker.postMessage.bind(worker)
    worker.postMessage = (message) => {
      const isHandled =
        typeof message === 'object' && message !== null && Reflect.get(message, 'type') === 'handled'
      if (isHandled && isHeld) held.push(() => post(message))
      else post(message)
    }
  })({ steps: 2000, budget: 0 })
  const steps: number[] = []
  const done = lastValueFrom(run$.pipe(tap((event) => event.type === 'step' && steps.push(event.step))))
  while (held.length < 2) await turn()
  // However long it is.
  for (let i = 0; i < 20; i++) await turn()
  expect(held).toHaveLength(2)
  expect(steps.length).toBeLessThan(5)
  isHeld = false
  for (const release of held) release()
  await done
  expect(steps).toEqual(Array.from({ length: 2000 }, (_, i) => i))
})
