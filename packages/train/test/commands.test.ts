import * as t from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { concatMap, filter, from, map, mergeMap, Observable, of, Subject, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { decide } from '../src/commands.ts'
import {
  type Callback,
  fit,
  type ParametersSnapshot,
  type RunSnapshot,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import {
  eventsOf,
  framewise,
  line,
  points,
  surface,
  surfaceModel,
  timeless,
  turn,
  twoPoints,
  virtually,
} from './small.ts'

const letters = {
  start: 's',
  step: 't',
  epoch: 'e',
  validation: 'v',
  finishing: 'f',
  end: 'E',
  command: 'c',
  checkpoint: 'k',
}
const letter = map((event: TrainEvent) => letters[event.type])

/** A callback that answers with what `answers` says, by event type and step. */
function answering(name: string, answers: Readonly<Record<string, readonly TrainCommand[]>>): Callback {
  return {
    name,
    run: (events$) => events$.pipe(concatMap((event) => answers[`${event.type} ${event.step}`] ?? [])),
  }
}

const stepsOf = (events: readonly TrainEvent<unknown, unknown>[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event] : []))
const kindsOf = (events: readonly TrainEvent<unknown, unknown>[]): string[] =>
  events.map((event) =>
    event.type === 'command' ? `${event.source}: ${event.command.type}` : `${event.type} ${event.step}`,
  )

describe('order at a boundary', () => {
  test('the event: owner, callbacks in their order; then commands; then monitors', async () => {
    const heard: string[] = []
    const hears = (who: string) => (event: TrainEvent<unknown, unknown>) => {
      if (event.type === 'step' || event.type === 'command') heard.push(`${who} ${event.type}`)
    }
    const callback = (name: string, commands: readonly TrainCommand[]): Callback => ({
      name,
      run: (events$) =>
        events$.pipe(
          tap(hears(name)),
          concatMap((event) => (event.type === 'step' ? commands : [])),
        ),
    })
    await new Promise<void>((resolve, reject) => {
      fit(line, {
        ...twoPoints,
        steps: 1,
        callbacks: [callback('a', [{ type: 'setLearningRate', learningRate: 1 }]), callback('b', [])],
        monitors: [hears('monitor')],
      }).subscribe({ next: hears('owner'), error: reject, complete: resolve })
    })
    expect(heard).toEqual([
      'owner step',
      'a step',
      'b step',
      'owner command',
      'a command',
      'b command',
      'monitor step',
      'monitor command',
    ])
  })

  test('a command emitted on an event acts before the next step', async () => {
    const callbacks = [
      answering('rate', {
        'start 0': [{ type: 'setLearningRate', learningRate: 0.5 }],
        'step 1': [{ type: 'setLearningRate', learningRate: 0.25 }],
      }),
    ]
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 4, callbacks }))
    expect(stepsOf(events).map(({ learningRate }) => learningRate)).toEqual([0.5, 0.5, 0.25, 0.25])
    expect(kindsOf(events).slice(0, 5)).toEqual([
      'start 0',
      'rate: setLearningRate',
      'step 0',
      'step 1',
      'rate: setLearningRate',
    ])
  })

  test('of one kind the last wins, in the order of the last ones; what all have made is in a checkpoint', async () => {
    const rate = (learningRate: number): TrainCommand => ({ type: 'setLearningRate', learningRate })
    const callbacks = [
      answering('a', { 'step 0': [rate(1), { type: 'checkpoint' }] }),
      answering('b', { 'step 0': [rate(2)] }),
    ]
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 2, callbacks }))
    expect(kindsOf(events).slice(1, 6)).toEqual([
      'step 0',
      'b: setLearningRate',
      'a: checkpoint',
      'checkpoint 1',
      'step 1',
    ])
    const checkpoint = events.find((event) => event.type === 'checkpoint')!
    expect(checkpoint.snapshot.control.overrides).toEqual({ learningRate: 2 })
    expect(stepsOf(events)[1]!.learningRate).toBe(2)
  })

  test('what is answered to commands is in a checkpoint of their boundary', async () => {
    const answer: Callback = {
      name: 'answer',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'command' || event.command.type !== 'setLearningRate') return []
            return [{ type: 'scaleLearningRate', scale: 0.5 }]
          }),
        ),
    }
    const asking = answering('a', {
      'step 0': [{ type: 'checkpoint' }, { type: 'setLearningRate', learningRate: 3 }],
    })
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 2, callbacks: [answer, asking] }))
    const checkpoint = events.find((event) => event.type === 'checkpoint')!
    expect(checkpoint.snapshot.control).toMatchObject({ rateScale: 0.5, overrides: { learningRate: 3 } })
    expect(events.filter((event) => event.type === 'checkpoint')).toHaveLength(1)
  })

  test('stop beats all', async () => {
    const callbacks = [
      answering('a', { 'step 0': [{ type: 'stop', reason: 'enough' }] }),
      answering('b', { 'step 0': [{ type: 'setLearningRate', learningRate: 2 }, { type: 'pause' }] }),
    ]
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 9, callbacks }))
    expect(kindsOf(events)).toEqual(['start 0', 'step 0', 'a: stop', 'finishing 1', 'end 1'])
    expect(events.at(-1)).toMatchObject({ reason: 'enough' })
  })

  test('pause and resume are one kind, each hyperparameter is its own', () => {
    const commands: TrainCommand[] = [
      { type: 'setHyperparameter', name: 'beta1', value: 0.5 },
      { type: 'pause' },
      { type: 'setHyperparameter', name: 'beta2', value: 0.5 },
      { type: 'resume' },
      { type: 'setHyperparameter', name: 'beta1', value: 0.6 },
    ]
    const decided = decide(commands.map((command) => ({ command, source: 'x', lenient: false })))
    expect(decided.map((kind) => kind.map(({ command }) => command))).toEqual([
      [commands[2]],
      [commands[3], commands[1]],
      [commands[4], commands[0]],
    ])
  })

  // Each was compared with all others, which took minutes.
  test('a flood of commands at one boundary is no matter', async () => {
    const flood = Array.from(
      { length: 200_000 },
      (_, i): TrainCommand => ({ type: 'setLearningRate', learningRate: i }),
    )
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 1, commands: from(flood) }))
    expect(stepsOf(events)[0]!.learningRate).toBe(199_999)
    expect(kindsOf(events).filter((kind) => kind.startsWith('commands'))).toHaveLength(1)
  })

  test('asynchronous callbacks act before the next step that starts after they emit', () => {
    virtually((scheduler, { cold, expectObservable }) => {
      const late: Callback = {
        name: 'late',
        run: () => cold<TrainCommand>('---a', { a: { type: 'setLearningRate', learningRate: 0 } }),
      }
      // It joins in frame 1 and emits in frame 4, as the slice of that frame begins.
      const run$ = fit(line, { ...twoPoints, steps: 4, callbacks: [late], ...framewise(scheduler) })
      const shown$ = run$.pipe(filter(({ type }) => type !== 'epoch'))
      expectObservable(shown$.pipe(letter)).toBe('-sttctt-f(E|)')
    })
  })

  test('commands that are answered with commands for ever are an error', async () => {
    const echo: Callback = {
      name: 'echo',
      run: (events$) =>
        events$.pipe(
          filter(({ type }) => type === 'start' || type === 'command'),
          map(() => ({ type: 'resume' })),
        ),
    }
    await expect(eventsOf(fit(line, { ...twoPoints, steps: 4, callbacks: [echo] }))).rejects.toThrow(
      "fit: commands were answered with commands 1000 times, by 'echo'; do not answer every command event",
    )
  })

  test('two who answer each other for ever are both named', async () => {
    const answers = (name: string, to: string): Callback => ({
      name,
      run: (events$) =>
        events$.pipe(
          filter((event) => event.type === 'start' || (event.type === 'command' && event.source === to)),
          map(() => ({ type: 'setHyperparameter', name: 'learningRate', value: 1 })),
        ),
    })
    const callbacks = [answers('ping', 'pong'), answers('pong', 'ping')]
    await expect(eventsOf(fit(line, { ...twoPoints, steps: 4, callbacks }))).rejects.toThrow(
      "1000 times, by 'ping', 'pong'; do not",
    )
  })

  test('who answers every event with stop ends the run: a stopped run is stopped once', async () => {
    const stopping: Callback = { name: 'stopping', run: map(() => ({ type: 'stop', reason: 'done' })) }
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 4, callbacks: [stopping] }))
    expect(kindsOf(events)).toEqual(['start 0', 'stopping: stop', 'finishing 0', 'end 0'])
    expect(events.at(-1)).toMatchObject({ reason: 'done' })
  })

  test.each(['stop', 'pause', 'resume'] as const)(
    '%s in answer to finishing cancels nothing',
    async (type) => {
      const callbacks = [
        answering('restoring', {
          'step 0': [{ type: 'checkpoint' }],
          'finishing 2': [{ type: 'restore', from: 1, what: 'parameters' }],
        }),
        answering('late', { 'finishing 2': [{ type }] }),
      ]
      const events = await eventsOf(fit(line, { ...twoPoints, steps: 2, callbacks }))
      expect(kindsOf(events).slice(-3)).toEqual(['finishing 2', 'restoring: restore', 'end 2'])
      const [first] = events.flatMap((event) => (event.type === 'checkpoint' ? [event.snapshot] : []))
      expect(events.at(-1)).toMatchObject({ reason: 'completed', result: { params: first!.params } })
    },
  )
})

describe('commands from outside', () => {
  test('pause holds the run between two steps, resume lets it go on', () => {
    virtually((scheduler, { hot, expectObservable }) => {
      const commands = hot<TrainCommand>('---p-----r', { p: { type: 'pause' }, r: { type: 'resume' } })
      const run$ = fit(line, { ...twoPoints, steps: 4, commands, ...framewise(scheduler) })
      const shown$ = run$.pipe(filter(({ type }) => type !== 'command'))
      expectObservable(shown$.pipe(letter)).toBe('-st-------tettef(E|)')
    })
  })

  test('a paused run makes no slice, and does not count the time', () => {
    virtually((scheduler, { hot, expectObservable }) => {
      const commands = hot<TrainCommand>('---p 97ms r', { p: { type: 'pause' }, r: { type: 'resume' } })
      const pace = framewise(scheduler)
      let slices = 0
      const counted = {
        ...pace,
        scheduler: {
          now: () => scheduler.now(),
          schedule: (...call: Parameters<typeof scheduler.schedule>) => {
            slices++
            return scheduler.schedule(...call)
          },
        },
      }
      const run$ = fit(line, { ...twoPoints, steps: 3, commands, ...counted })
      const seconds$ = run$.pipe(
        concatMap((event) => (event.type === 'step' ? [Math.round(1000 * event.seconds)] : [])),
      )
      expectObservable(seconds$).toBe('--a 99ms b-c--|', { a: 1, b: 2, c: 4 })
      scheduler.flush()
      // start, step, hold | step, epoch, step, epoch, finishing, end
      expect(slices).toBe(9)
    })
  })

  test('one given right after subscribe acts before the first step', async () => {
    const commands = new Subject<TrainCommand>()
    const events = eventsOf(fit(line, { ...twoPoints, steps: 2, commands }))
    commands.next({ type: 'stop', reason: 'changed my mind' })
    expect(kindsOf(await events)).toEqual(['start 0', 'commands: stop', 'finishing 0', 'end 0'])
  })

  test('one given by the owner inside next acts before the next step', async () => {
    const commands = new Subject<TrainCommand>()
    const kinds: string[] = []
    await new Promise<void>((resolve, reject) => {
      fit(line, { ...twoPoints, steps: 9, commands }).subscribe({
        next: (event) => {
          kinds.push(event.type)
          if (event.type === 'step') commands.next({ type: 'stop' })
        },
        error: reject,
        complete: resolve,
      })
    })
    expect(kinds).toEqual(['start', 'step', 'command', 'finishing', 'end'])
  })

  test('stop ends a paused run', async () => {
    const commands = new Subject<TrainCommand>()
    const events = eventsOf(fit(line, { ...twoPoints, steps: 1e9, commands }))
    commands.next({ type: 'pause' })
    await turn()
    commands.next({ type: 'stop', reason: 'waited enough' })
    expect(kindsOf(await events)).toEqual([
      'start 0',
      'commands: pause',
      'commands: stop',
      'finishing 0',
      'end 0',
    ])
  })

  test('one with a wrong number is refused and changes nothing', async () => {
    const commands = of<[TrainCommand, TrainCommand]>(
      { type: 'setLearningRate', learningRate: -1 },
      { type: 'setHyperparameter', name: 'beta', value: 0.5 },
    )
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 1, commands }))
    const refused = events.flatMap((event) => (event.type === 'command' ? [event.refused] : []))
    expect(refused).toEqual([expect.stringContaining('learningRate'), expect.stringContaining('beta')])
    expect(stepsOf(events)[0]!.learningRate).toBe(0.1)
  })

  test('one that the optimizer refuses is taken back', async () => {
    const commands = of<TrainCommand>({ type: 'setHyperparameter', name: 'beta1', value: 2 })
    const events = await eventsOf(fit(line, { ...twoPoints, optimizer: adam(), steps: 1, commands }))
    expect(events.flatMap((event) => (event.type === 'command' ? [event.refused] : []))).toEqual([
      expect.stringContaining('beta1'),
    ])
    expect(events.at(-1)).toMatchObject({ result: { control: { overrides: {} } } })
  })

  test.each<readonly [string, unknown, string]>([
    ['of an unknown type', { type: 'halt' }, "fit: unknown command 'halt'; use one of stop, pause, resume"],
    ['without a type', {}, 'fit: a command must be an object with a type, got an object'],
    ['undefined', undefined, 'fit: a command must be an object with a type, got undefined'],
    [
      'a stop whose reason is a number',
      { type: 'stop', reason: 7 },
      'the reason of stop must be a string, got a number',
    ],
    [
      'a stop whose reason is an error',
      { type: 'stop', reason: new Error('x') },
      'must be a string, got an Error',
    ],
  ])('one that is none, %s, is refused, and the run goes on', async (_, wrong, problem) => {
    const right: TrainCommand = { type: 'setLearningRate', learningRate: 0.5 }
    const events = await eventsOf(
      fit(line, { ...twoPoints, steps: 1, commands: of(right, wrong as TrainCommand) }),
    )
    const command = { type: 'malformed', problem: expect.stringContaining(problem) }
    expect(events.filter((event) => event.type === 'command')).toEqual([
      { type: 'command', step: 0, epoch: 0, source: 'commands', command: right },
      { type: 'command', step: 0, epoch: 0, source: 'commands', command, refused: command.problem },
    ])
    expect(stepsOf(events).map(({ learningRate }) => learningRate)).toEqual([0.5])
  })

  test('one that is refused does not replace one that came before', async () => {
    const rate = (learningRate: number): TrainCommand => ({ type: 'setLearningRate', learningRate })
    const commands = of(rate(0.5), rate(0.05), rate(Number.NaN), rate(-1))
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 1, commands }))
    expect(stepsOf(events)[0]!.learningRate).toBe(0.05)
    const told = events.flatMap((event) => (event.type === 'command' ? [event] : []))
    expect(told.map(({ command, refused }) => [command, refused !== undefined])).toEqual([
      [rate(-1), true],
      [rate(Number.NaN), true],
      [rate(0.05), false],
    ])
  })

  test('the learning rate is scaled, set, and given back to the schedule', async () => {
    const callbacks = [
      answering('a', {
        'start 0': [{ type: 'scaleLearningRate', scale: 0.5 }],
        'step 0': [{ type: 'setLearningRate', learningRate: 3 }],
        'step 1': [{ type: 'setLearningRate', learningRate: null }],
      }),
    ]
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 3, callbacks }))
    expect(stepsOf(events).map(({ learningRate }) => learningRate)).toEqual([0.05, 3, 0.05])
  })
})

describe('checkpoints', () => {
  const options = {
    data: surface(100)
      .shuffle({ key: t.key(3) })
      .batch(16),
    loss: mse(),
    optimizer: adam({ learningRate: 0.01 }),
    steps: 20,
    seed: 4,
  }
  const lossesOf = (events: readonly TrainEvent<unknown, unknown>[]) =>
    stepsOf(events).map(({ loss }) => loss)

  // Seven batches an epoch: inside one, at an end, and after a step into the next.
  test.each([3, 6, 7, 8])('a run restored to step %i goes on bit for bit as it did', async (at) => {
    let restored = false
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step') return []
            if (event.step === at - 1 && !restored) return [{ type: 'checkpoint' }]
            if (event.step !== 12 || restored) return []
            restored = true
            return [{ type: 'restore', from: 'latest', what: 'all' }]
          }),
        ),
    }
    const straight = await eventsOf(fit(surfaceModel, options))
    const events = await eventsOf(fit(surfaceModel, { ...options, callbacks: [back] }))
    const losses = lossesOf(straight)
    expect(lossesOf(events)).toEqual([...losses.slice(0, 13), ...losses.slice(at)])
    const running = (all: typeof events): number[] =>
      stepsOf(all)
        .slice(-4)
        .map(({ runningLoss }) => runningLoss)
    expect(running(events)).toEqual(running(straight))
    const [end, wanted] = [events.at(-1), straight.at(-1)]
    if (end?.type !== 'end' || wanted?.type !== 'end') throw new Error('no end')
    expect(timeless(end.result)).toEqual({ ...timeless(wanted.result), kept: {} })
    expect(end.history.map(({ loss }) => loss)).toEqual(wanted.history.map(({ loss }) => loss))
  })

  test('parameters alone come back without the optimizer and the step', async () => {
    let first: RunSnapshot | undefined
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type === 'step' && event.step === 0) first = event.snapshot()
            return event.type === 'finishing' ? [{ type: 'restore', from: first!, what: 'parameters' }] : []
          }),
        ),
    }
    const end = (await eventsOf(fit(surfaceModel, { ...options, callbacks: [back] }))).at(-1)
    if (end?.type !== 'end') throw new Error('no end')
    expect(end.result.params).toEqual(first!.params)
    expect(end.result.step).toBe(20)
    expect(end.result.slots).not.toEqual(first!.slots)
  })

  test('an event shows its own weights to monitors, even if a command has restored others since', async () => {
    const seen: number[] = []
    let first: RunSnapshot | undefined
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step') return []
            if (event.step === 0) first = event.snapshot()
            return event.step === 1 ? [{ type: 'restore', from: first!, what: 'parameters' }] : []
          }),
        ),
    }
    const owner: number[] = []
    const weightOf = (event: TrainEvent<unknown, unknown>, into: number[]): void => {
      if (event.type === 'step') into.push(t.leaves(event.weights.tree)[1]!.item())
    }
    await new Promise<void>((resolve, reject) => {
      const monitors = [(event: TrainEvent) => weightOf(event, seen)]
      const run$ = fit(line, {
        ...twoPoints,
        optimizer: sgd({ learningRate: 0.1 }),
        steps: 2,
        callbacks: [back],
        monitors,
      })
      run$.subscribe({ next: (event) => weightOf(event, owner), error: reject, complete: resolve })
    })
    expect(seen).toEqual(owner)
  })

  test('a snapshot of all is of the run as it stands, even if a command has restored another since', async () => {
    let first: RunSnapshot | undefined
    let second: RunSnapshot | undefined
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step' || second !== undefined) return []
            if (event.step === 0) first = event.snapshot()
            return event.step === 2 ? [{ type: 'restore', from: first! }] : []
          }),
        ),
    }
    const monitors = [
      (event: TrainEvent): void => {
        if (event.type === 'step' && event.step === 2) second ??= event.snapshot()
      },
    ]
    await eventsOf(fit(surfaceModel, { ...options, callbacks: [back], monitors }))
    expect(timeless(second!)).toEqual(timeless(first!))
  })

  test.each<[words: string, what: 'all' | 'parameters', change: (snapshot: RunSnapshot) => unknown]>([
    ['the snapshot to restore must be plain data, got null; pass event.snapshot()', 'all', () => null],
    ['the snapshot to restore must be plain data, got null; pass event.snapshot()', 'parameters', () => null],
    [
      'the snapshot to restore has no params; pass event.snapshot()',
      'parameters',
      ({ state }) => ({ state }),
    ],
    [
      "the snapshot to restore has no slots, control, kept, sums, learningRate, measured, history, seconds, lastBatch, awaitsValidation, lastValidation, frozen, programs, ended, step, epoch, batch; restore it with what: 'parameters', or take it of the whole run",
      'all',
      ({ params, state }) => ({ params, state }),
    ],
    [
      'the step of the snapshot to restore must be an integer from 0 on, got -1',
      'all',
      (snapshot) => ({ ...snapshot, step: -1 }),
    ],
    [
      "the snapshot to restore was taken within an epoch with the metrics other, the run has (none); pass the same metrics to fit, restore parameters alone, or a snapshot of an epoch's start",
      'all',
      (snapshot) => ({ ...snapshot, sums: { ...snapshot.sums, metrics: { other: 0 } } }),
    ],
    [
      'machine: rateScale must be a finite number from 0 on, got -1',
      'all',
      (snapshot) => ({ ...snapshot, control: { ...snapshot.control, rateScale: -1 } }),
    ],
  ])('a snapshot is refused before anything has changed: %s', async (words, what, change) => {
    const commands = new Subject<TrainCommand>()
    let first: RunSnapshot | undefined
    const run$ = fit(surfaceModel, { ...options, commands }).pipe(
      tap((event) => {
        if (event.type === 'step' && event.step === 0) first = event.snapshot()
        if (event.type !== 'step' || event.step !== 3) return
        commands.next(
          Object.assign({ type: 'restore', what } as const, { from: change(first!) }) as TrainCommand,
        )
      }),
    )
    const [events, straight] = [await eventsOf(run$), await eventsOf(fit(surfaceModel, options))]
    const refused = events.flatMap((event) => (event.type === 'command' ? [event.refused] : []))
    expect(refused).toEqual([words.startsWith('machine') ? words : `fit: ${words}`])
    expect(stepsOf(events).map(({ loss }) => loss)).toEqual(stepsOf(straight).map(({ loss }) => loss))
  })

  test('what is not there cannot be restored', async () => {
    const none = [answering('back', { 'step 1': [{ type: 'restore', from: 'latest', what: 'all' }] })]
    await expect(eventsOf(fit(line, { ...twoPoints, steps: 3, callbacks: none }))).rejects.toThrow(
      "fit: callback 'back' failed: no checkpoint 'latest' to restore: there is none; send { type: 'checkpoint' } first, or restore a snapshot",
    )
    const other = (await eventsOf(fit(surfaceModel, options))).at(-1)
    if (other?.type !== 'end') throw new Error('no end')
    const wrong = [
      answering('back', { 'step 1': [{ type: 'restore', from: other.result, what: 'parameters' }] }),
    ]
    const before = t.memory().bytes
    await expect(
      eventsOf(fit(line, { ...twoPoints, data: points([1, 2]).batch(1), steps: 3, callbacks: wrong })),
    ).rejects.toThrow(
      "fit: callback 'back' failed: the snapshot to restore has nothing at 'params.bias', the run has [1]; restore what was taken of the same model and optimizer",
    )
    expect(t.memory().bytes).toBe(before)
  })
})

describe('an answer to finishing out of a promise', () => {
  /** Restores the weights of the first step in answer to `finishing`, when `until` has come. */
  const late = (until: () => unknown): Callback => ({
    name: 'late',
    run: (events$) => {
      let first: ParametersSnapshot | null = null
      return events$.pipe(
        mergeMap(async (event): Promise<TrainCommand[]> => {
          if (event.type === 'step') first ??= event.snapshot('parameters')
          if (event.type !== 'finishing') return []
          await until()
          return [{ type: 'restore', from: first!, what: 'parameters' }]
        }),
        concatMap((commands) => commands),
      )
    },
  })

  test('is too late: the log is told whose it was', async () => {
    const told: string[] = []
    const log = (words: string): number => told.push(words)
    const events = await eventsOf(fit(line, { ...twoPoints, epochs: 1, callbacks: [late(() => null)], log }))
    await turn()
    expect(kindsOf(events).slice(-2)).toEqual(['finishing 2', 'end 2'])
    expect(told).toEqual(["fit: callback 'late' sent 'restore' when the run had ended: nothing was done"])
  })

  test('to the end is too late in any case', async () => {
    const told: string[] = []
    const log = (words: string): number => told.push(words)
    const tooLate = answering('late', { 'end 2': [{ type: 'checkpoint' }] })
    const events = await eventsOf(fit(line, { ...twoPoints, epochs: 1, callbacks: [tooLate], log }))
    expect(kindsOf(events).at(-1)).toBe('end 2')
    expect(told).toEqual(["fit: callback 'late' sent 'checkpoint' when the run had ended: nothing was done"])
  })

  test('acts where the event loop has had its turn before the end', async () => {
    const told: string[] = []
    const pace = { budget: 0 }
    const log = (words: string): number => told.push(words)
    const events = await eventsOf(
      fit(line, { ...twoPoints, epochs: 1, callbacks: [late(() => null)], log, pace }),
    )
    await turn()
    expect(kindsOf(events).slice(-3)).toEqual(['finishing 2', 'late: restore', 'end 2'])
    expect(told).toEqual([])
  })

  test('and one that nobody waits for any more is let go of', async () => {
    let letGo = 0
    const callback: Callback = { name: 'never', run: () => new Observable(() => () => letGo++) }
    await eventsOf(fit(line, { ...twoPoints, epochs: 1, callbacks: [callback] }))
    await turn()
    expect(letGo).toBe(1)
  })
})
