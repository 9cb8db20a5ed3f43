import * as t from '@tapeflow/autodiff'
import { concatMap, finalize, ignoreElements, NEVER, type Observable, Subject, share, tap } from 'rxjs'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type BatchSource,
  type Callback,
  type FitOptions,
  fit,
  losses,
  type RunSnapshot,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { eventsOf, line, modes, points, turn, twoPoints } from './small.ts'
import { type Telling, told } from './told.ts'

type Type = TrainEvent['type']
type Actor = 'the owner' | 'a callback' | 'a monitor'

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
const actors: readonly Actor[] = ['the owner', 'a callback', 'a monitor']
const places = types.flatMap((type) => actors.map((actor) => [actor, type] as const))

/** Gives a run every type of event. */
const steering: Callback = {
  name: 'steering',
  run: (events$) =>
    events$.pipe(
      concatMap(({ type }): TrainCommand[] =>
        type === 'start' ? [{ type: 'checkpoint' }, { type: 'scaleLearningRate', scale: 0.5 }] : [],
      ),
    ),
}
const options = { ...twoPoints, validation: points([3, 6]).batch(1), epochs: 2, callbacks: [steering] }

/** A run in which one of those who hear does something inside `next`, once. */
interface Scene {
  readonly run$: Observable<TrainEvent>
  /** The same, with nobody for its owner. */
  readonly source$: Observable<TrainEvent>
  readonly owner: (event: TrainEvent) => void
  /** Who heard what, in order: `the owner: step`. */
  readonly heard: string[]
  readonly commands: Subject<TrainCommand>
}

function scene(actor: Actor, type: Type, act: () => void, more: Partial<FitOptions> = {}): Scene {
  const heard: string[] = []
  const commands = new Subject<TrainCommand>()
  let acted = false
  const hears =
    (who: Actor) =>
    (event: TrainEvent): void => {
      heard.push(`${who}: ${event.type}`)
      if (who !== actor || event.type !== type || acted) return
      acted = true
      act()
    }
  const callback: Callback = {
    name: 'actor',
    run: (events$) => events$.pipe(tap(hears('a callback')), ignoreElements()),
  }
  const monitor = {
    next: hears('a monitor'),
    error: () => heard.push('a monitor: error'),
    complete: () => heard.push('a monitor: complete'),
  }
  const source$: Observable<TrainEvent> = fit(line, {
    ...options,
    commands,
    ...more,
    callbacks: [steering, callback, ...(more.callbacks ?? [])],
    monitors: [monitor, ...(more.monitors ?? [])],
  })
  const owner = hears('the owner')
  return { run$: source$.pipe(tap(owner)), source$, owner, heard, commands }
}

/** Data that notes which of its passes were opened, and which came to their end or were returned. */
function counted(data: BatchSource, opened: number[], closed: number[]): BatchSource {
  return {
    length: data.length,
    iterate: (epoch) => {
      const pull = data.iterate(epoch)
      const number = opened.push(opened.length) - 1
      const end = (): void => {
        closed.push(number)
      }
      return {
        next: () => {
          const arrived = pull.next()
          if (!(arrived instanceof Promise) && arrived.done) end()
          return arrived
        },
        return: () => {
          end()
          return pull.return?.()
        },
      }
    },
  }
}

describe.each(modes)('inside next, %s:', (_, mode) => {
  let alone: Telling[]
  beforeAll(async () => {
    alone = await told(fit(line, { ...options, ...mode }))
  })

  test.each(places)('%s subscribes to the same run on %s: both are as one alone', async (actor, type) => {
    const before = t.memory()
    let inner: Promise<Telling[]> | undefined
    const { run$, heard } = scene(
      actor,
      type,
      () => {
        const length = heard.length
        inner = told(run$)
        expect(heard).toHaveLength(length)
      },
      mode,
    )
    expect(await told(run$)).toEqual(alone)
    expect(await inner).toEqual(alone)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test.each(places)('%s subscribes to another run on %s, which lasts longer', async (actor, type) => {
    const other$ = fit(line, { ...options, ...mode, seed: 5, epochs: 4 })
    let inner: Promise<Telling[]> | undefined
    const { run$ } = scene(
      actor,
      type,
      () => {
        inner = told(other$)
      },
      mode,
    )
    expect(await told(run$)).toEqual(alone)
    expect(await inner).toEqual(await told(other$))
  })

  test.each(places)('%s unsubscribes on %s: nobody hears more, nothing is left', async (actor, type) => {
    const before = t.memory()
    const [opened, closed] = [[] as number[], [] as number[]]
    let joined = 0
    const listening: Callback = {
      name: 'listening',
      run: (events$) => {
        joined++
        events$.subscribe((event) => heard.push(`by itself: ${event.type}`))
        return NEVER.pipe(finalize(() => joined--))
      },
    }
    let after: readonly string[] | undefined
    const { run$, heard, commands } = scene(
      actor,
      type,
      () => {
        subscription.unsubscribe()
        after = [...heard]
      },
      { ...mode, data: counted(options.data, opened, closed), callbacks: [listening] },
    )
    const subscription = run$.subscribe()
    while (after === undefined) await turn()
    await turn()
    expect(heard).toEqual(after)
    expect(joined).toBe(0)
    expect(commands.observed).toBe(false)
    expect(closed).toEqual(opened)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})

/** A command, and what has to follow where it was acted on. */
interface Order {
  readonly name: string
  readonly command: (snapshot: RunSnapshot) => TrainCommand
  /** Whether it has a meaning when no step will follow. */
  readonly late: boolean
  readonly follows: (rest: readonly TrainEvent[], snapshot: RunSnapshot) => void
}
const kinds = (events: readonly TrainEvent[]): Type[] => events.map(({ type }) => type)
const stepsOf = (events: readonly TrainEvent[]) =>
  events.flatMap((event) => (event.type === 'step' ? [event] : []))
const orders: readonly Order[] = [
  {
    name: 'stop',
    command: () => ({ type: 'stop', reason: 'enough' }),
    late: false,
    follows: (rest) => {
      expect(kinds(rest)).toEqual(['finishing', 'end'])
      expect(rest.at(-1)).toMatchObject({ reason: 'enough' })
    },
  },
  {
    name: 'pause',
    command: () => ({ type: 'pause' }),
    late: false,
    follows: (rest) => {
      const held = rest.findIndex((event) => event.type === 'command' && event.command.type === 'resume')
      // Nothing but what other commands told at the same boundary.
      expect(
        kinds(rest.slice(0, held)).filter((type) => type !== 'command' && type !== 'checkpoint'),
      ).toEqual([])
      expect(rest.at(-1)).toMatchObject({ type: 'end', reason: 'completed', result: { step: 4 } })
    },
  },
  {
    name: 'resume',
    command: () => ({ type: 'resume' }),
    late: false,
    follows: (rest) => expect(rest.at(-1)).toMatchObject({ reason: 'completed', result: { step: 4 } }),
  },
  {
    name: 'setLearningRate',
    command: () => ({ type: 'setLearningRate', learningRate: 0.25 }),
    late: true,
    follows: (rest) => {
      for (const { learningRate } of stepsOf(rest)) expect(learningRate).toBe(0.25)
      expect(rest.at(-1)).toMatchObject({
        result: { step: 4, control: { overrides: { learningRate: 0.25 } } },
      })
    },
  },
  {
    name: 'restore',
    command: (from) => ({ type: 'restore', from }),
    late: true,
    follows: (rest, { params }) => {
      const steps = stepsOf(rest).map(({ step }) => step)
      expect(steps).toEqual(rest[0]?.type === 'end' ? [] : [0, 1, 2, 3])
      if (steps.length === 0) expect(rest.at(-1)).toMatchObject({ result: { step: 0, params } })
    },
  },
  {
    name: 'checkpoint',
    command: () => ({ type: 'checkpoint' }),
    late: true,
    follows: (rest) => expect(rest[0]).toMatchObject({ type: 'checkpoint' }),
  },
]

describe.each(orders)('the command $name, sent inside next', ({ command, late, follows }) => {
  let snapshot: RunSnapshot
  let alone: readonly TrainEvent[]
  beforeAll(async () => {
    alone = await eventsOf(fit(line, options))
    for (const event of alone) if (event.type === 'checkpoint') snapshot = event.snapshot
  })

  test.each(places)('by %s on %s', async (actor, type) => {
    const before = t.memory()
    const given = command(snapshot)
    const { run$, commands } = scene(actor, type, () => {
      commands.next(given)
      if (given.type === 'pause') setTimeout(() => commands.next({ type: 'resume' }), 5)
    })
    const events = await eventsOf(run$)
    if (type === 'end' || (type === 'finishing' && !late)) expect(kinds(events)).toEqual(kinds(alone))
    else {
      const asked = events.findIndex((event) => event.type === type)
      // Of two of a kind at one boundary the later one acts: that of `steering`, where the owner was before it.
      const isSame = (event: TrainEvent): boolean =>
        event.type === 'command' &&
        (actor === 'the owner' && type === 'start' && given.type === 'checkpoint'
          ? event.command.type === given.type
          : event.command === given)
      const place = events.findIndex(isSame)
      expect(place).toBeGreaterThan(asked)
      expect(events[place]).not.toHaveProperty('refused')
      // At that boundary: nothing of the run's own course lies between.
      for (const between of kinds(events.slice(asked + 1, place))) {
        expect(['command', 'checkpoint']).toContain(between)
      }
      follows(events.slice(place + 1), snapshot)
    }
    expect(commands.observed).toBe(false)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})

test.each(actors)('a command that %s sends on each command event for ever is an error', async (actor) => {
  const commands = new Subject<TrainCommand>()
  const answer = ({ type }: TrainEvent): void => {
    if (type === 'start' || type === 'command') commands.next({ type: 'resume' })
  }
  const callback: Callback = {
    name: 'echo',
    run: (events$) => events$.pipe(tap(actor === 'a callback' ? answer : () => {}), ignoreElements()),
  }
  const run$ = fit(line, {
    ...twoPoints,
    epochs: 1,
    commands,
    callbacks: [callback],
    monitors: [actor === 'a monitor' ? answer : () => {}],
  }).pipe(tap(actor === 'the owner' ? answer : () => {}))
  await expect(eventsOf(run$)).rejects.toThrow('fit: commands were answered with commands 1000 times')
})

describe('who comes inside next', () => {
  test.each(places)('brought by %s on %s, to a shared run: hears what comes after', async (actor, type) => {
    const late: TrainEvent[] = []
    let missed = Number.NaN
    const { source$, owner } = scene(actor, type, () => {
      missed = heard
      shared$.subscribe((event) => late.push(event))
    })
    const shared$ = source$.pipe(share())
    let heard = 0
    const events = await eventsOf(
      shared$.pipe(
        tap(() => heard++),
        tap(owner),
      ),
    )
    expect(late).toEqual(events.slice(missed))
  })

  // Monitors come last: who is there before their turn hears the event too.
  test.each(places)('brought by %s on %s, to a Subject that monitors', async (actor, type) => {
    const subject = new Subject<TrainEvent>()
    const [early, late]: [TrainEvent[], TrainEvent[]] = [[], []]
    const listen = (): void => {
      length = early.length
      subject.subscribe((event) => late.push(event))
    }
    let length = Number.NaN
    subject.subscribe((event) => early.push(event))
    const { run$ } = scene(actor, type, listen, { monitors: [subject] })
    const events = await eventsOf(run$)
    expect(early).toEqual(events)
    expect(late).toEqual(early.slice(length))
  })

  test('an observer of losses is as any other', async () => {
    const late: number[] = []
    const { source$, owner } = scene('the owner', 'step', () => {
      shared$.pipe(losses()).subscribe(({ step }) => late.push(step))
    })
    const shared$ = source$.pipe(share())
    await eventsOf(shared$.pipe(tap(owner)))
    expect(late).toEqual([1, 2, 3])
  })
})
