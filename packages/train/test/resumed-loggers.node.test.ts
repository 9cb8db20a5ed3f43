// A run that was given up at some moment, and goes on from some checkpoint before, leaves the files that it would have left.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { concatMap, VirtualTimeScheduler } from 'rxjs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type Callback,
  type FitOptions,
  fit,
  fromCheckpoint,
  lrWarmup,
  type TrainCommand,
  type TrainEvent,
  toCheckpoint,
} from '../src/index.ts'
import { csvLogger, type FileLogger, jsonLinesLogger, plot } from '../src/node.ts'
import { line, points, twoPoints } from './small.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeflow-resumed-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const checkpoints: Callback = {
  name: 'checkpoints',
  run: (events$) =>
    events$.pipe(
      concatMap(({ type }): TrainCommand[] =>
        type === 'step' || type === 'epoch' || type === 'validation' ? [{ type: 'checkpoint' }] : [],
      ),
    ),
}

const base = { ...twoPoints, data: points([1, 2], [2, 4], [0, 1]).batch(1), validation: twoPoints.data }
const runs: readonly (readonly [name: string, options: FitOptions])[] = [
  ['validated after each epoch', { ...base, epochs: 3 }],
  ['validated every 2 steps', { ...base, epochs: 3, validateEvery: { steps: 2 } }],
  ['of steps that end within an epoch', { ...base, steps: 8 }],
  ['without validation', { ...twoPoints, epochs: 4 }],
]

/** What a life of a run has told, and taken. */
interface Life {
  readonly events: TrainEvent[]
  readonly taken: { readonly at: number; readonly bytes: Uint8Array }[]
}

/** Trains in virtual time, up to some event; then what the loggers have heard is written. */
async function life(
  options: FitOptions,
  loggers: readonly FileLogger[],
  until = Number.POSITIVE_INFINITY,
): Promise<Life> {
  const made: Life = { events: [], taken: [] }
  const scheduler = new VirtualTimeScheduler()
  const run$ = fit(line, {
    ...options,
    // Quicker to begin.
    compile: false,
    callbacks: [lrWarmup({ steps: 4 }), checkpoints],
    monitors: loggers,
    scheduler,
    pace: { budget: 0, rest: 1 },
  })
  let failure: unknown = null
  const subscription = run$.subscribe({
    next: (event) => {
      made.events.push(event)
      if (event.type === 'checkpoint')
        made.taken.push({ at: made.events.length, bytes: toCheckpoint(event.snapshot) })
      if (made.events.length >= until) subscription.unsubscribe()
    },
    error: (error: unknown) => {
      failure = error
    },
  })
  scheduler.flush()
  if (failure !== null) throw failure
  for (const logger of loggers) await logger.flushed()
  return made
}

const files = ['epochs.csv', 'steps.csv', 'every-2.csv', 'lines.ndjson']
const loggersIn = (place: string): FileLogger[] => [
  csvLogger(join(folder, place, files[0]!)),
  csvLogger(join(folder, place, files[1]!), { every: 1 }),
  csvLogger(join(folder, place, files[2]!), { every: 2 }),
  jsonLinesLogger(join(folder, place, files[3]!)),
]

/** The file without what is another in each run: times; and without what tells that it was resumed. */
function told(place: string, file: string): readonly string[] {
  const lines = readFileSync(join(folder, place, file), 'utf8')
    .trimEnd()
    .split('\n')
  if (file.endsWith('.csv')) {
    const seconds = lines[0]!.split(',').indexOf('seconds')
    return lines.map((row) => row.split(',').toSpliced(seconds, 1).join())
  }
  return lines
    .map((text) =>
      JSON.parse(text, (key, value: unknown) => (/^(seconds|samplesPerSecond)$/.test(key) ? 0 : value)),
    )
    .filter(({ type, step, command }) => {
      if (type === 'start') return step === 0
      // The warm-up asks again for what the snapshot has.
      return command?.type !== 'scaleLearningRate'
    })
    .map((object) => JSON.stringify(object))
}

test.each(runs)('rows and lines are there once, of a run %s', async (_, options) => {
  const straight = await life(options, loggersIn('straight'))
  const count = straight.events.length
  let cases = 0
  for (const [i, { at, bytes }] of straight.taken.entries()) {
    // Nothing is on a disk before monitors have heard of it.
    const next = straight.events.findIndex(
      ({ type }, k) => k >= at && type !== 'command' && type !== 'checkpoint',
    )
    // Killed at once, soon after, and where it had nearly ended.
    for (const until of [next + 1, next + 3 + (i % 4), count - 1]) {
      const place = `${i}-${until}`
      await life(options, loggersIn(place), until)
      const resumed = { ...options, from: fromCheckpoint(bytes) }
      await life(resumed, loggersIn(place))
      for (const file of files) {
        expect({ place, file, lines: told(place, file) }).toEqual({
          place,
          file,
          lines: told('straight', file),
        })
      }
      rmSync(join(folder, place), { recursive: true })
      cases++
    }
  }
  expect(cases).toBeGreaterThan(20)
})

test('a plot shows the epochs before, too', async () => {
  const options = { ...base, epochs: 5 }
  const drawn = async (more: Partial<FitOptions>): Promise<{ picture: string; made: Life }> => {
    let picture = ''
    const monitor = plot({ stream: { write: (text: string) => (picture += text) } as never })
    const next = (event: TrainEvent): undefined => {
      monitor(event)
      return undefined
    }
    const logger: FileLogger = { next, flushed: async () => {} }
    return { made: await life({ ...options, ...more }, [logger]), picture }
  }
  const straight = await drawn({})
  for (const { bytes } of straight.made.taken.slice(-6)) {
    expect((await drawn({ from: fromCheckpoint(bytes) })).picture).toBe(straight.picture)
  }
})
