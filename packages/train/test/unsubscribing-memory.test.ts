import * as t from '@tapeflow/autodiff'
import { linear, meanAbsoluteError, mse, sequential, tanh } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import fc from 'fast-check'
import { finalize, ignoreElements, merge, NEVER, Subject, tap } from 'rxjs'
import { expect, test } from 'vitest'
import {
  type BatchSource,
  type Callback,
  fit,
  type TrainBatch,
  type TrainCommand,
  type TrainEvent,
  type WatchName,
} from '../src/index.ts'
import { surface } from './small.ts'

// 1,000 moments where tests may be long.
const long = import.meta.env['LONG'] === '1'
const [moments, seed] = [long ? 1000 : 120, Number(import.meta.env['SEED'] || 1)]

const types = ['start', 'command', 'checkpoint', 'step', 'epoch', 'validation', 'finishing', 'end'] as const
const inside = ['owner', 'callback', 'monitor'] as const
const outside = ['in a microtask', 'in a later turn', 'at a timer'] as const

/** A run, and the moment in which it is left. */
const scene = fc.record({
  compile: fc.boolean(),
  watch: fc.subarray<WatchName>(['gradients', 'gradientNorm', 'activations:layers.*']),
  adaptive: fc.boolean(),
  measured: fc.boolean(),
  data: fc.constantFrom('at once', 'as a promise', 'later'),
  validation: fc.constantFrom(undefined, 'at once', 'as a promise', 'later'),
  budget: fc.constantFrom(0, 1, 4),
  rest: fc.constantFrom(0, 0, 0, 1),
  /** The step after which the run pauses, checkpoints or goes back, if any. */
  pauseAt: fc.option(fc.nat(8), { nil: undefined }),
  checkpointAt: fc.option(fc.nat(3), { nil: undefined }),
  restoreAt: fc.option(fc.integer({ min: 4, max: 8 }), { nil: undefined }),
  moment: fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        on: fc.constantFrom(...types),
        times: fc.integer({ min: 1, max: 6 }),
        where: fc.constantFrom(...inside, ...outside),
      }),
    },
    { weight: 1, arbitrary: fc.record({ on: fc.constantFrom('subscribe', 'pull'), times: fc.nat(6) }) },
  ),
})
type Scene = typeof scene extends fc.Arbitrary<infer S> ? S : never

/** What a run holds beside tensors. */
class Held {
  readonly passes: { returned: number; ended: boolean }[] = []
  readonly commands = new Subject<TrainCommand>()
  joined = 0

  /** Batches that come when it is said, and are counted. */
  data(when: 'at once' | 'as a promise' | 'later', pulled: () => void): BatchSource {
    const batches = surface(48).batch(16)
    return {
      length: 3,
      iterate: (epoch) => {
        const pull = batches.iterate(epoch)
        const pass: Held['passes'][number] = { returned: 0, ended: false }
        this.passes.push(pass)
        const next = (): IteratorResult<TrainBatch, undefined> => {
          const arrived = pull.next() as IteratorResult<TrainBatch, undefined>
          if (arrived.done) pass.ended = true
          return arrived
        }
        return {
          next: () => {
            pulled()
            if (when === 'at once') return next()
            if (when === 'as a promise') return Promise.resolve().then(next)
            return new Promise((resolve) => setTimeout(() => resolve(next()), 0))
          },
          return: () => {
            pass.returned++
          },
        }
      },
    }
  }

  callback(hear: (event: TrainEvent) => void): Callback {
    return {
      name: 'holding',
      run: (events$) => {
        this.joined++
        return merge(events$.pipe(tap(hear), ignoreElements()), NEVER).pipe(finalize(() => this.joined--))
      },
    }
  }
}

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0))
}
/** How many timers and immediates wait for as long as one looks, where the platform tells. */
async function waiting(): Promise<number> {
  const { process } = globalThis as { process?: { getActiveResourcesInfo?(): string[] } }
  let least = Infinity
  for (let look = 0; look < 10; look++) {
    const resources = process?.getActiveResourcesInfo?.() ?? []
    least = Math.min(least, resources.filter((what) => /Timeout|Immediate/.test(what)).length)
    await turns(1)
  }
  return least
}

/** Runs until the moment and leaves: underway, unless the run ended before. */
async function leave(given: Scene, held: Held): Promise<{ heard: readonly string[]; underway: boolean }> {
  const { moment, pauseAt, checkpointAt, restoreAt } = given
  const heard: string[] = []
  let [came, pulls, restored] = [0, 0, 0]
  let left = (): void => {}
  const leaving = new Promise<void>((resolve) => {
    left = resolve
  })
  let underway = false
  const unsubscribe = (): void => {
    underway = !subscription.closed
    subscription.unsubscribe()
    left()
  }
  const later = {
    'in a microtask': (go: () => void) => queueMicrotask(go),
    'in a later turn': (go: () => void) => void turns(1).then(go),
    'at a timer': (go: () => void) => void setTimeout(go, 3),
  }
  const hears =
    (who: (typeof inside)[number]) =>
    (event: TrainEvent): void => {
      heard.push(`${who} ${event.type}`)
      if (who === 'owner' && event.type === 'step') {
        if (event.step === pauseAt) {
          held.commands.next({ type: 'pause' })
          // Half of them are left while they are paused.
          setTimeout(() => held.commands.next({ type: 'resume' }), moment.times % 2 === 0 ? 1 : 6)
        }
        if (event.step === checkpointAt) held.commands.next({ type: 'checkpoint' })
        if (event.step === restoreAt && restored++ < 2)
          held.commands.next({ type: 'restore', from: 'latest' })
      }
      if (!('where' in moment) || event.type !== moment.on) return
      const { where } = moment
      if (who !== (where === 'callback' || where === 'monitor' ? where : 'owner') || ++came !== moment.times)
        return
      if (where in later) later[where as keyof typeof later](unsubscribe)
      else unsubscribe()
    }
  const pulled = (): void => {
    if (moment.on === 'pull' && pulls++ === moment.times) unsubscribe()
  }
  const run$ = fit(sequential(linear(2, 4), tanh(), linear(4, 1)), {
    data: held.data(given.data, pulled),
    ...(given.validation === undefined ? {} : { validation: held.data(given.validation, pulled) }),
    loss: mse(),
    optimizer: given.adaptive ? adam() : sgd({ learningRate: 0.1 }),
    metrics: given.measured ? [meanAbsoluteError()] : [],
    epochs: 4,
    compile: given.compile,
    watch: given.watch,
    pace: { budget: given.budget, rest: given.rest },
    commands: held.commands,
    callbacks: [held.callback(hears('callback'))],
    monitors: [hears('monitor')],
  })
  const subscription = run$.subscribe({
    next: hears('owner'),
    error: (error) => heard.push(`${error}`),
    complete: left,
  })
  if (moment.on === 'subscribe') void turns(moment.times).then(unsubscribe)
  await leaving
  return { heard, underway }
}

test(`unsubscribing at ${moments} random moments frees everything`, async () => {
  const timers = await waiting()
  let left = 0
  await fc.assert(
    fc.asyncProperty(scene, async (given) => {
      const held = new Held()
      const memory = t.memory()
      const { heard, underway } = await leave(given, held)
      if (underway) left++
      // At once, but for a run that was left inside itself: then when it next yields.
      await turns(2)
      const { tensors, bytes } = t.memory()
      expect({ tensors, bytes }).toEqual({ tensors: memory.tensors, bytes: memory.bytes })
      expect(held.joined).toBe(0)
      expect(held.commands.observed).toBe(false)
      const sync = given.data === 'at once' && (given.validation ?? 'at once') === 'at once'
      for (const { returned, ended } of held.passes) {
        // An end that is still on its way is not known yet.
        if (ended && sync) expect(returned).toBe(0)
        else if (ended) expect(returned).toBeLessThanOrEqual(1)
        else expect(returned).toBe(1)
      }
      const length = heard.length
      // Those of the test itself are over then.
      await new Promise((resolve) => setTimeout(resolve, 10))
      expect(heard).toHaveLength(length)
      expect(heard.filter((what) => /Error/.test(what))).toEqual([])
    }),
    { numRuns: moments, seed },
  )
  expect(left).toBeGreaterThan(moments / 2)
  expect(await waiting()).toBeLessThanOrEqual(timers)
})
