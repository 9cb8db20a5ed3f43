import * as t from '@tapeflow/autodiff'
import { concatMap, config, EMPTY, finalize, NEVER, type Observable, Subject, tap, timer } from 'rxjs'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type Callback,
  fit,
  type Log,
  type Monitor,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { line, points, turn, twoPoints } from './small.ts'
import { type Telling, told } from './told.ts'

type Type = TrainEvent['type']

const types: readonly Type[] = [
  'start',
  'command',
  'checkpoint',
  'step',
  'epoch',
  'validation',
  'finishing',
  'end',
]
/** Gives a run every type of event. */
const steering: Callback = {
  name: 'steering',
  run: (events$) =>
    events$.pipe(concatMap(({ type }): TrainCommand[] => (type === 'start' ? [{ type: 'checkpoint' }] : []))),
}
const options = { ...twoPoints, validation: points([3, 6]).batch(1), epochs: 2, callbacks: [steering] }
const oh = new Error('oh')
const fail = (): never => {
  throw oh
}
const failOn =
  (type: Type) =>
  (event: TrainEvent): void => {
    if (event.type === type) fail()
  }
const detached = (i: number): string => `fit: monitor ${i} failed and was detached; the run goes on`
/** Asserts that the heap is as before in the end. */
async function leavingNothing(test: () => Promise<void>): Promise<void> {
  const before = t.memory()
  await test()
  await turn()
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
}

describe('a monitor', () => {
  let alone: Telling[]
  beforeAll(async () => {
    alone = await told(fit(line, options))
  })
  const rejected = (): unknown => Promise.reject(oh)
  const closed = new Subject<TrainEvent>()
  closed.unsubscribe()
  // A promise of another library.
  const thenable = {}
  Reflect.set(thenable, 'then', (_: unknown, reject: (error: unknown) => void) => reject(oh))
  const monitors: readonly [name: string, monitor: Monitor, error?: unknown][] = [
    ...types.map((type): [string, Monitor] => [`throws on ${type}`, failOn(type)]),
    ['throws on every event', fail],
    ['throws on every event, as an observer', { next: fail }],
    ['throws on completion', { complete: fail }],
    ['throws on every event and on completion', { next: fail, complete: fail }],
    ['rejects with undefined', () => Promise.reject(undefined), undefined],
    ['rejects on every event', rejected],
    ['rejects on completion', { complete: rejected }],
    ['returns what rejects and is no promise', () => thenable],
    ['is a Subject that was closed', closed, expect.objectContaining({ name: 'ObjectUnsubscribedError' })],
    [
      'has a getter that throws',
      {
        get next() {
          return fail()
        },
      },
    ],
  ]
  test.each(monitors)('that %s changes nothing but one logged error', async (...[, monitor, ...wanted]) => {
    const [error] = wanted.length === 0 ? [oh] : wanted
    await leavingNothing(async () => {
      const logged: unknown[] = []
      const log: Log = (...line) => logged.push(line)
      const [early, late]: [Type[], Type[]] = [[], []]
      const run$ = fit(line, {
        ...options,
        log,
        monitors: [({ type }) => early.push(type), monitor, ({ type }) => late.push(type)],
      })
      expect(await told(run$)).toEqual(alone)
      await turn()
      expect(logged).toEqual([[detached(1), error]])
      expect(early).toEqual(alone.map(({ type }) => type))
      expect(late).toEqual(early)
    })
  })

  const broken = { ...options, loss: (): never => fail() }
  test.each<[string, Monitor]>([
    ['throws', { error: fail }],
    ['rejects', { error: rejected }],
  ])('that %s when it is told of an error changes nothing but one logged error', async (_, monitor) => {
    await leavingNothing(async () => {
      const logged: unknown[] = []
      const heard: unknown[] = []
      const run$ = fit(line, {
        ...broken,
        log: (...line) => logged.push(line),
        monitors: [monitor, { error: (error) => heard.push(error) }],
      })
      const failure = await told(run$).catch((error: unknown) => error)
      await turn()
      expect(failure).toMatchObject({ message: 'fit: step 0 of epoch 0 failed: oh', cause: oh })
      expect(heard).toEqual([failure])
      expect(logged).toEqual([[detached(0), oh]])
    })
  })

  test.each<[string, Log]>([
    ['throws', () => fail()],
    ['rejects', rejected],
  ])('that throws, with a log that %s, is told to the console', async (_, log) => {
    const console$ = vi.spyOn(console, 'error').mockImplementation(() => {})
    await leavingNothing(async () => {
      const run$ = fit(line, { ...options, log, monitors: [fail, rejected] })
      expect(await told(run$)).toEqual(alone)
    })
    const lines = console$.mock.calls
    console$.mockRestore()
    const failed = ['fit: the log failed', oh]
    expect(lines).toEqual([[detached(0), oh], failed, [detached(1), oh], failed])
  })
})

describe('a callback', () => {
  type Run = Callback['run']
  const commandsOf =
    (command: unknown): Run =>
    (events$) =>
      events$.pipe(concatMap(({ type }) => (type === 'step' ? [command as TrainCommand] : [])))
  const failing: readonly [name: string, run: Run, words?: string][] = [
    ['that throws when it is called', fail],
    ...types.map((type): [string, Run] => [
      `that throws on ${type}`,
      (events$) =>
        events$.pipe(
          tap(failOn(type)),
          concatMap(() => []),
        ),
    ]),
    [
      'that throws on completion',
      (events$) =>
        events$.pipe(
          tap({ complete: fail }),
          concatMap(() => []),
        ),
    ],
    ...types.map((type): [string, Run] => [
      `that subscribes by itself, and throws on ${type}`,
      (events$) => {
        events$.subscribe(failOn(type))
        return NEVER
      },
    ]),
    [
      'that subscribes by itself behind operators, and throws',
      (events$) => {
        events$.pipe(tap(() => {})).subscribe({ next: failOn('step') })
        return EMPTY
      },
    ],
    [
      'that subscribes by itself, and throws on completion',
      (events$) => {
        events$.subscribe({ complete: fail })
        return EMPTY
      },
    ],
    [
      'that fails in a later turn',
      () =>
        timer(0).pipe(
          tap(fail),
          concatMap(() => []),
        ),
    ],
    ['that throws when it is subscribed to', () => NEVER.pipe(tap({ subscribe: fail }))],
    [
      'that emits an unknown command',
      commandsOf({ type: 'halt' }),
      "unknown command 'halt'; use one of stop, pause, resume",
    ],
    ['that emits null', commandsOf(null), 'a command must be an object with a type, got null'],
    ['that emits a string', commandsOf('stop'), 'a command must be an object with a type, got a string'],
    [
      'that emits a command with a wrong number',
      commandsOf({ type: 'setLearningRate', learningRate: -1 }),
      'machine: learningRate must be',
    ],
    [
      'that emits a command with no number',
      commandsOf({ type: 'scaleLearningRate' }),
      'machine: rateScale must be',
    ],
    [
      'that sets what the optimizer has not',
      commandsOf({ type: 'setHyperparameter', name: 'beta1', value: 0.5 }),
      'machine: ',
    ],
    [
      'that restores what is not there',
      commandsOf({ type: 'restore', from: 17 }),
      "no checkpoint '17' to restore: there are 0",
    ],
  ]
  const long = { ...options, epochs: 2, pace: { budget: 0 } }
  test.each(failing)('%s ends the run, named', async (name, run, words = 'oh') => {
    await leavingNothing(async () => {
      const reported = vi.fn()
      config.onUnhandledError = reported
      let joined = 0
      const other: Callback = {
        name: 'other',
        run: () => {
          joined++
          return NEVER.pipe(finalize(() => joined--))
        },
      }
      const heard: unknown[] = []
      const failing: Callback = { name: 'plotter', run }
      // What fails later needs time.
      const epochs = name.includes('later') ? 1e6 : 2
      const run$ = fit(line, {
        ...long,
        epochs,
        callbacks: [steering, other, failing],
        monitors: [{ error: (error) => heard.push(error), complete: () => heard.push('complete') }],
      })
      const failure = await told(run$).catch((error: unknown) => error)
      await turn()
      config.onUnhandledError = null
      expect(failure).toBeInstanceOf(Error)
      expect(failure).toMatchObject({ operation: 'fit' })
      expect((failure as Error).message).toContain(`fit: callback 'plotter' failed: ${words}`)
      expect(heard).toEqual([failure])
      expect(joined).toBe(0)
      expect(reported).not.toHaveBeenCalled()
    })
  })
})

describe('the owner', () => {
  const reported: unknown[] = []
  afterEach(() => {
    config.onUnhandledError = null
    reported.length = 0
  })
  const subscribed = async (run$: Observable<TrainEvent>, observer: object): Promise<void> => {
    config.onUnhandledError = (error) => reported.push(error)
    run$.subscribe(observer)
    await vi.waitFor(() => expect(reported.length).toBeGreaterThan(0))
  }

  test.each(types)('that throws on %s ends the run; the error is reported once', async (type) => {
    await leavingNothing(async () => {
      const [heard, monitored]: [Type[], string[]] = [[], []]
      const next = (event: TrainEvent): void => {
        heard.push(event.type)
        failOn(type)(event)
      }
      const monitor = {
        next: (event: TrainEvent) => monitored.push(event.type),
        error: () => monitored.push('an error'),
        complete: () => monitored.push('the end'),
      }
      await subscribed(fit(line, { ...options, monitors: [monitor] }), { next, error: fail, complete: fail })
      await turn()
      expect(reported).toEqual([oh])
      expect(heard.indexOf(type)).toBe(heard.length - 1)
      for (const untold of [type, 'an error', 'the end']) expect(monitored).not.toContain(untold)
    })
  })

  test('that throws on completion', async () => {
    await leavingNothing(async () => {
      await subscribed(fit(line, options), { complete: fail })
      expect(reported).toEqual([oh])
    })
  })

  test.each([
    ['that throws when it is told of an error', { error: fail }, oh],
    [
      'that does not look at errors',
      {},
      expect.objectContaining({ message: expect.stringContaining('step 0') }),
    ],
  ])('%s', async (_, observer, error) => {
    await leavingNothing(async () => {
      await subscribed(fit(line, { ...options, loss: () => fail() }), observer)
      await turn()
      expect(reported).toEqual([error])
    })
  })
})
