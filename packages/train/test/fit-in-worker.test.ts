import * as t from '@tapeflow/autodiff'
import { lastValueFrom, type Observable, Subject, tap, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  fit,
  gradients,
  losses,
  type RunSnapshot,
  result,
  StaleSnapshotError,
  type StepEvent,
  type TrainCommand,
  type TrainEvent,
  type TravelName,
  weights,
} from '../src/index.ts'
import { eventsOf, turn } from './small.ts'
import { told } from './told.ts'
import { workersHere } from './worker/here.ts'
import recipe, { type Asked } from './worker/recipe.ts'

const { inWorker: inWorkerWith, inModule, alive } = await workersHere()
const inWorker = inWorkerWith()
const module = new URL('./worker/recipe.ts', import.meta.url)
const everything: readonly TravelName[] = ['weights', 'gradients', 'gradientNorm', 'activations']

function here(asked: Asked, watched = false): Observable<TrainEvent> {
  const { model, ...rest } = recipe(asked)
  return fit(model, watched ? { ...rest, watch: ['gradients', 'gradientNorm', 'activations'] } : rest)
}

/** Waits until all workers are gone. */
async function untilGone(): Promise<void> {
  while ((await alive()) > 0) await turn()
}

function stepsOf(events: readonly TrainEvent[]): readonly StepEvent[] {
  return events.filter((event) => event.type === 'step')
}

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
    const wanted = await told(here(asked, true), true)
    expect(wanted.filter(({ type }) => type === 'step')).toHaveLength(24)
    expect(await told(inWorker(asked, { watch: everything }), true)).toEqual(wanted)
    expect(await told(inModule(module)(asked, { watch: everything }), true)).toEqual(wanted)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test.each([undefined, 'several', 'own'] as const)(
    'has the same fields in each of its events, losses %s',
    async (losses) => {
      const asked: Asked = { epochs: 2, callbacks: ['checkpoints'], ...(losses && { losses }) }
      const [wanted, found] = await Promise.all([
        eventsOf(here(asked)),
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
    const [wanted, found] = await Promise.all([result(here(asked)), result(inWorker(asked))])
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
    await untilGone()
  })
})

describe('what travels', () => {
  test('numbers alone, where nothing was asked for: another read names the option', async () => {
    const words = await lastValueFrom(
      inWorker({ epochs: 1, callbacks: ['checkpoints'] }).pipe(
        tap((event) => {
          if (event.type === 'step') expect(event.metrics).toEqual({ meanAbsoluteError: expect.any(Number) })
        }),
        toArray(),
      ),
    )
    const step = words.find((event) => event.type === 'step')!
    const epoch = words.find((event) => event.type === 'epoch')!
    const checkpoint = words.find((event) => event.type === 'checkpoint')!
    const reads: readonly (readonly [() => unknown, string])[] = [
      [() => step.weights, "fitInWorker: weights are not watched; pass watch: ['weights'] to fitInWorker"],
      [() => epoch.weights, "fitInWorker: weights are not watched; pass watch: ['weights'] to fitInWorker"],
      [() => step.gradients, "gradients are not watched; pass watch: ['gradients'] to fitInWorker"],
      [() => step.gradientNorm, "gradientNorm is not watched; pass watch: ['gradientNorm'] to fitInWorker"],
      [() => step.activations, "activations are not watched; pass watch: ['activations'] to fitInWorker"],
      [() => checkpoint.snapshot, "checkpoints are not watched; pass watch: ['checkpoints'] to fitInWorker"],
      [() => step.snapshot(), "send the command { type: 'checkpoint' }"],
    ]
    for (const [read, said] of reads) expect(read).toThrow(said)
  })

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
      here({ steps: 3 }, true).pipe(
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
    expect(first!.weights.snapshot()).toBe(first!.weights.snapshot())
    expect(() => first!.weights.tree).toThrow(StaleSnapshotError)
    expect(first!.weights.paths).toEqual([
      'layers.0.bias',
      'layers.0.weight',
      'layers.3.bias',
      'layers.3.weight',
    ])
  })

  test('with every so many steps, and of the paths that a pattern names', async () => {
    const watch: readonly TravelName[] = ['weights:layers.3.*', 'gradients:**.bias', 'activations:layers.1']
    const run$ = inWorker({ epochs: 1 }, { watch, every: 3 })
    const events = await eventsOf(run$)
    for (const event of stepsOf(events)) {
      if (event.step % 3 === 0) {
        expect(event.weights.paths).toEqual(['layers.3.bias', 'layers.3.weight'])
        expect(event.gradients.paths).toEqual(['layers.0.bias', 'layers.3.bias'])
        expect(event.activations.paths).toEqual(['layers.1'])
      } else {
        expect(() => event.weights).toThrow(
          `weights of step ${event.step} did not travel: they do with every 3th step`,
        )
      }
    }
    const epoch = events.find((event) => event.type === 'epoch')!
    expect(epoch.weights.paths).toEqual(['layers.3.bias', 'layers.3.weight'])
  })

  test('operators copy what came, and pass over the steps that came without', async () => {
    const options: Asked = { steps: 7 }
    const there$ = inWorker(options, { watch: ['weights', 'gradients'], every: 2 })
    const [lost, came, went, wanted] = await Promise.all([
      lastValueFrom(there$.pipe(losses(), toArray())),
      lastValueFrom(there$.pipe(weights('layers.3.bias'), toArray())),
      lastValueFrom(there$.pipe(gradients('layers.0'), toArray())),
      lastValueFrom(here(options, true).pipe(weights('layers.3.bias'), toArray())),
    ])
    expect(lost.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(came).toEqual(wanted.filter(({ step }) => step % 2 === 0))
    expect(went.map(({ value }) => value)).toMatchObject(
      [0, 2, 4, 6].map(() => ({ bias: { shape: [8] }, weight: { shape: [2, 8] } })),
    )
  })

  test('a path that does not travel is an error that lists what does', async () => {
    const run$ = inWorker({ steps: 2 }, { watch: ['weights:layers.0.*'] }).pipe(weights('layers.3.bias'))
    await expect(lastValueFrom(run$)).rejects.toThrow(
      "weights: nothing is at 'layers.3.bias'; use one of layers.0.bias, layers.0.weight",
    )
    await untilGone()
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

  test('no step is made between pause and resume', async () => {
    const commands = new Subject<TrainCommand>()
    let paused = 0
    let whilePaused = 0
    const events = await eventsOf(
      inWorker({ steps: 100_000, budget: 0 }, { commands }).pipe(
        tap((event) => {
          if (event.type === 'start') commands.next({ type: 'pause' })
          if (event.type === 'step' && paused === 1) whilePaused++
          if (event.type !== 'command') return
          if (event.command.type === 'pause') {
            paused++
            setTimeout(() => {
              paused++
              commands.next({ type: 'resume' })
            }, 50)
          }
          if (event.command.type === 'resume') commands.next({ type: 'stop' })
        }),
      ),
    )
    expect(whilePaused).toBe(0)
    expect(events.filter((event) => event.type === 'command')).toHaveLength(3)
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

  test.each([
    ['an unknown one', { type: 'faster' }, "fit: commands failed: unknown command 'faster'"],
    ['one that cannot be cloned', { type: 'stop', reason: () => {} }, 'fit: commands failed: '],
  ])('%s ends the run', async (_, command, words) => {
    const commands = new Subject<TrainCommand>()
    // No command, which is the point.
    const wrong = command as unknown as TrainCommand
    const run$ = inWorker({ steps: 100_000, budget: 0 }, { commands }).pipe(
      tap((event) => event.type === 'start' && commands.next(wrong)),
    )
    await expect(lastValueFrom(run$)).rejects.toThrow(words)
    await untilGone()
  })
})

test('callbacks of the module run inside', async () => {
  const events = await eventsOf(inWorker({ epochs: 9, callbacks: ['earlyStopping'] }))
  expect(events.at(-1)).toMatchObject({
    type: 'end',
    epoch: 2,
    reason: expect.stringContaining('validation.loss has not improved once'),
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
    await untilGone()
  })

  test.each([
    [
      'a module that is not there',
      new URL('./worker/nowhere.mjs', import.meta.url),
      /nowhere\.mjs could not be loaded: /,
    ],
    [
      'a module without a default export',
      new URL('./worker/bare.ts', import.meta.url),
      /the default export of .*bare\.ts must be a function, got undefined; write export default \(options\) =>/,
    ],
    [
      'a module that throws while it is loaded',
      'data:text/javascript,throw new RangeError("at once")',
      /could not be loaded: at once/,
    ],
    [
      'a recipe that returns no model',
      'data:text/javascript,export default () => 3',
      /the module must return an object with a model, got a number/,
    ],
    [
      'a recipe whose options fit refuses',
      'data:text/javascript,export default () => ({ model: {} })',
      /fit: the model must be a layer/,
    ],
  ])('%s says so', async (_, url, words) => {
    await expect(result(inModule(url)({}))).rejects.toThrow(words)
  })

  test('a worker that dies says so', async () => {
    await expect(result(inWorker({ steps: 9, callbacks: ['exiting'] }))).rejects.toThrow(
      /fitInWorker: the worker ended (with exit code 7 )?before the run did; it c/,
    )
    await untilGone()
  })

  test('and one that somebody ends', async () => {
    let ending: { terminate(): unknown } | undefined
    const run$ = inWorkerWith((worker) => {
      ending = worker
    })({ steps: 1_000_000 })
    await expect(
      lastValueFrom(run$.pipe(tap((event) => event.type === 'epoch' && ending?.terminate()))),
    ).rejects.toThrow('before the run did')
    await untilGone()
  })

  test.each([
    [
      'a function',
      { model: { activation: () => 1 } },
      'got a function at options.model.activation; make it in the module',
    ],
    [
      'a tensor',
      { list: [t.scope(() => t.ones([1]))] },
      'got a Tensor at options.list.0; its memory is of this thread',
    ],
    ['a key', new Map([['key', t.key(1)]]), 'got a Key at a value of options; send the seed'],
    ['a promise', { at: Promise.resolve() }, 'got a Promise at options.at; send plain data'],
    ['a symbol', { at: [Symbol('x')] }, 'got a symbol at options.at.0; send a string'],
  ])('%s in options is refused before a worker starts', (_, options, words) => {
    expect(() => inWorker(options as unknown as Asked)).toThrow(
      `fitInWorker: options must be data that can be cloned, ${words}`,
    )
  })

  test.each([
    [{ watch: ['weight'] }, "fitInWorker: cannot watch 'weight'; use 'weights'"],
    [
      { watch: 'weights' },
      "fitInWorker: watch must be an array of names, got a string; pass watch: ['weights']",
    ],
    [{ watch: ['gradientNorm:x'] }, "fitInWorker: cannot watch 'gradientNorm:x'"],
    [{ every: 0 }, 'fitInWorker: every must be an integer from 1 on, got 0'],
    [{ commands: [] }, 'fitInWorker: commands must be an Observable, got an array'],
    [{ epochs: 3 }, "fitInWorker: unknown option 'epochs'; use watch, every, commands"],
  ])('%j is refused', (given, words) => {
    expect(() => inWorker({}, given as object)).toThrow(words)
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
    await untilGone()
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
    await untilGone()
    expect(seen).toEqual([0, 1, 2, 3, 4, 5])
  })
})

test('a run waits while two batches are on their way; once they are handled it goes on, and no event is lost', async () => {
  const held: (() => void)[] = []
  let isHeld = true
  const run$ = inWorkerWith((worker) => {
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
