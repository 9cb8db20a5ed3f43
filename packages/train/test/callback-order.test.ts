import { mse } from '@tapeflow/nn'
import { adam, chain, descend, ewma } from '@tapeflow/optim'
import fc from 'fast-check'
import { concat, EMPTY, map, mergeMap, of, tap, timer } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  checkpointEvery,
  earlyStopping,
  type FitOptions,
  fit,
  keepBest,
  lrFinder,
  lrWarmup,
  reduceLROnPlateau,
  stochasticWeightAveraging,
  swapEma,
  type TrainCommand,
  type TrainEvent,
  targetReached,
  terminateOnNaN,
  timeLimit,
  unfreezeAt,
} from '../src/index.ts'
import { eventsOf, goingBack, scripted, surface, surfaceModel } from './small.ts'
import { told } from './told.ts'

const monitor = 'epoch.loss'

/** All that there are, each with options under which it has something to ask. */
const callbacks = {
  checkpointEvery: () => checkpointEvery({ epochs: 2 }),
  earlyStopping: () => earlyStopping({ monitor, patience: 2 }),
  keepBest: () => keepBest({ monitor }),
  lrFinder: () => lrFinder({ from: 0.1, to: 1, steps: 5 }),
  lrWarmup: () => lrWarmup({ steps: 3 }),
  reduceLROnPlateau: () => reduceLROnPlateau({ monitor, patience: 1, factor: 0.5 }),
  stochasticWeightAveraging: () => stochasticWeightAveraging({ startFrom: 1 }),
  swapEma: () => swapEma(),
  targetReached: () => targetReached({ monitor, target: 0.5 }),
  terminateOnNaN: () => terminateOnNaN(),
  timeLimit: () => timeLimit({ seconds: 1e6 }),
  unfreezeAt: () => unfreezeAt({ path: 'weight', epoch: 2 }),
} satisfies Readonly<Record<string, () => Callback>>
type Name = keyof typeof callbacks

const independent = ['checkpointEvery', 'targetReached', 'terminateOnNaN', 'timeLimit', 'unfreezeAt'] as const
/**
 * Sets of which no two give commands of one kind at one boundary, of which the last would win: one that restores when the run
 * finishes, and one that moves the rate. Those that stop do so for other reasons each.
 */
const families: readonly (readonly Name[])[] = [
  [...independent, 'keepBest', 'reduceLROnPlateau'],
  [...independent, 'keepBest', 'lrWarmup'],
  [...independent, 'stochasticWeightAveraging', 'reduceLROnPlateau'],
  [...independent, 'swapEma', 'lrWarmup'],
  ['checkpointEvery', 'timeLimit', 'unfreezeAt', 'earlyStopping', 'reduceLROnPlateau'],
  ['checkpointEvery', 'timeLimit', 'unfreezeAt', 'lrFinder', 'swapEma'],
]

/** What was asked for after each step, whatever came first, and what the run came to. */
function decided(events: Awaited<ReturnType<typeof eventsOf>>) {
  const commands = events.flatMap((event) =>
    event.type === 'command' ? [{ step: event.step, source: event.source, command: event.command }] : [],
  )
  const sorted = commands.toSorted(
    (a, b) => a.step - b.step || (a.source < b.source ? -1 : a.source > b.source ? 1 : 0),
  )
  const end = events.at(-1)!
  if (end.type !== 'end') throw new Error('the run has not come to its end')
  const { params, slots, control, step } = end.result
  return { sorted, reason: end.reason, params, slots, control, step }
}

const shuffledOf = <N>(names: readonly N[]) =>
  fc
    .subarray([...names])
    .chain((some) => fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })))
// Above the target, at it, and none.
const loss = fc.constantFrom(4, 2, 1, 1, 0.5, Number.NaN)

const losses = fc.array(loss, { minLength: 1, maxLength: 8 })
const optimizer = chain(ewma({ decay: 0.9 }), descend({ learningRate: 1 }))
const scriptedWith = (values: readonly number[], some: readonly Callback[]) =>
  scripted(values, { callbacks: some, optimizer })

describe('independent callbacks', () => {
  test.each(families.map((family) => [family.join(', '), family] as const))(
    'decide the same in any order: %s',
    async (_, family) => {
      await fc.assert(
        fc.asyncProperty(shuffledOf(family), losses, async ([names, shuffled], values) => {
          const run = async (order: readonly Name[]) =>
            decided(
              await eventsOf(
                scriptedWith(
                  values,
                  order.map((name) => callbacks[name]()),
                ),
              ),
            )
          expect(await run(shuffled)).toEqual(await run(names))
        }),
        { numRuns: 40, seed: 1 },
      )
    },
  )

  test('decide the same in any order in a run of a network', async () => {
    const options: FitOptions = {
      data: surface(40).batch(20),
      loss: mse(),
      optimizer: adam({ learningRate: 0.3 }),
      epochs: 8,
    }
    const names = families[0]!.filter((name) => name !== 'unfreezeAt')
    const run = async (order: readonly Name[]) =>
      decided(
        await eventsOf(fit(surfaceModel, { ...options, callbacks: order.map((name) => callbacks[name]()) })),
      )
    const wanted = await run(names)
    expect(wanted.sorted.length).toBeGreaterThan(4)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(names, { minLength: names.length }), async (shuffled) => {
        expect(await run(shuffled)).toEqual(wanted)
      }),
      { numRuns: 10, seed: 1 },
    )
  })
})

/** Pauses the run after an epoch, and lets it go on in a later turn: a lost command would be the end of it. */
const napping: Callback = {
  name: 'napping',
  run: (events$) =>
    events$.pipe(
      mergeMap((event) =>
        event.type === 'epoch' && event.epoch === 1
          ? concat(
              of<TrainCommand>({ type: 'pause' }),
              timer(0).pipe(map((): TrainCommand => ({ type: 'resume' }))),
            )
          : EMPTY,
      ),
    ),
}
/** Answers each rate with another one, once, and asks for several things at once. */
const answering: Callback = {
  name: 'answering',
  run: (events$) =>
    events$.pipe(
      mergeMap((event): TrainCommand[] => {
        if (
          event.type === 'command' &&
          event.command.type === 'setLearningRate' &&
          event.source !== 'answering'
        ) {
          return [{ type: 'setLearningRate', learningRate: 0.5 }, { type: 'checkpoint' }]
        }
        return event.type === 'epoch' ? [{ type: 'setLearningRate', learningRate: 0.25 }] : []
      }),
    ),
}
const all: Readonly<Record<string, () => Callback>> = {
  ...callbacks,
  goingBack: () => goingBack(3),
  napping: () => napping,
  answering: () => answering,
}

type Line = { readonly source: string; readonly command: TrainCommand } & (
  | { readonly emitted: true }
  | { readonly emitted: false }
)
/** What callbacks emitted and what was acted on, in order, between the events of the run's own course. */
async function record(
  values: readonly number[],
  names: readonly string[],
): Promise<(Line | TrainEvent['type'])[]> {
  const lines: (Line | TrainEvent['type'])[] = []
  const recorded = (callback: Callback): Callback => ({
    name: callback.name,
    run: (events$, info) =>
      callback
        .run(events$, info)
        .pipe(tap((command) => lines.push({ source: callback.name, command, emitted: true }))),
  })
  const run$ = scriptedWith(
    values,
    names.map((name) => recorded(all[name]!())),
  ).pipe(
    tap((event) => {
      if (event.type === 'command')
        lines.push({ source: event.source, command: event.command, emitted: false })
      else if (event.type !== 'checkpoint') lines.push(event.type)
    }),
  )
  await eventsOf(run$)
  return lines
}

/** Of one kind the last, but `stop` alone where there is one; `checkpoint` after the others. */
function wanted(emitted: readonly Line[]): readonly Line[] {
  const stop = emitted.findLast(({ command }) => command.type === 'stop')
  if (stop !== undefined) return [stop]
  const last = new Map<string, Line>()
  for (const line of emitted) {
    const { command } = line
    const kind = 'path' in command ? command.path : command.type === 'resume' ? 'pause' : command.type
    last.delete(kind)
    last.set(kind, line)
  }
  const some = [...last.values()]
  const isCheckpoint = ({ command }: Line): boolean => command.type === 'checkpoint'
  return [...some.filter((line) => !isCheckpoint(line)), ...some.filter(isCheckpoint)]
}

/** Reads a record from its beginning: each round of emitted commands is acted on, all of it, before the run goes on. */
function expectNothingLost(lines: readonly (Line | TrainEvent['type'])[]): void {
  let [emitted, due]: [Line[], Line[]] = [[], []]
  let finishing = false
  const begin = (): void => {
    if (due.length > 0 || emitted.length === 0) return
    const meant = wanted(emitted)
    due = finishing
      ? meant.filter(({ command: { type } }) => !['stop', 'pause', 'resume'].includes(type))
      : [...meant]
    emitted = []
  }
  for (const line of lines) {
    if (typeof line === 'object' && line.emitted) emitted.push(line)
    else if (typeof line === 'object') {
      begin()
      expect(line).toEqual({ ...due.shift(), emitted: false })
    } else {
      begin()
      expect({ line, due, emitted }).toEqual({ line, due: [], emitted: [] })
      if (line === 'finishing') finishing = true
    }
  }
}

describe('any callbacks in any order', () => {
  const some = fc.shuffledSubarray(Object.keys(all))

  test('lose no command: each is acted on before the next step, or gave way to a later one of its kind', async () => {
    let acted = 0
    await fc.assert(
      fc.asyncProperty(some, losses, async (names, values) => {
        const lines = await record(values, names)
        expectNothingLost(lines)
        acted += lines.filter((line) => typeof line === 'object' && !line.emitted).length
      }),
      { numRuns: 150, seed: 1 },
    )
    expect(acted).toBeGreaterThan(500)
  })

  test('do the same in each run', async () => {
    await fc.assert(
      fc.asyncProperty(some, losses, async (names, values) => {
        const run = () =>
          scriptedWith(
            values,
            names.map((name) => all[name]!()),
          )
        const [one, two] = [await told(run()), await told(run())]
        expect(one).toEqual(two)
        expect(await record(values, names)).toEqual(await record(values, names))
        expect(one.at(-1)).toMatchObject({ type: 'end' })
      }),
      { numRuns: 60, seed: 2 },
    )
  })
})

test('all callbacks are here', () => {
  const others = ['best', 'callback', 'monitored', 'neverreached', 'restored', 'progressbar']
  const files = Object.keys(import.meta.glob('../src/callbacks/*.ts'))
  const names = files
    .map((file) => file.replaceAll(/^.*\/|\.ts$|-/g, ''))
    .filter((name) => !others.includes(name))
  expect(names.toSorted()).toEqual(
    Object.keys(callbacks)
      .map((name) => name.toLowerCase())
      .toSorted(),
  )
})
