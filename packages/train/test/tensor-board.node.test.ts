import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { l2, mae, mse, regularize } from '@tapeflow/nn'
import protobuf from 'protobufjs'
import { tap } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fit, type RunSnapshot, result, type TrainEvent } from '../src/index.ts'
import { histogram } from '../src/node/tensor-board-records.ts'
import { type TensorBoardOptions, tensorBoard } from '../src/node.ts'
import { eventsOf, goingBack, line, twoPoints } from './small.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeflow-board-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

// The reader is protobufjs, which has no line in common with the writer; names, numbers and types of the fields are those of
// TensorBoard's event.proto, summary.proto and histogram.proto. Python's tensorboard is not to be had on this machine.
const Event = protobuf
  .parse(
    `syntax = "proto3";
     message HistogramProto {
       double min = 1; double max = 2; double num = 3; double sum = 4; double sum_squares = 5;
       repeated double bucket_limit = 6 [packed = true]; repeated double bucket = 7 [packed = true];
     }
     message Value { string tag = 1; oneof value { float simple_value = 2; HistogramProto histo = 5; } }
     message Summary { repeated Value value = 1; }
     message SessionLog { enum Status { NONE = 0; START = 1; STOP = 2; CHECKPOINT = 3; } Status status = 1; }
     message Event {
       double wall_time = 1; int64 step = 2;
       oneof what { string file_version = 3; Summary summary = 5; SessionLog session_log = 7; }
     }`,
    { keepCase: true },
  )
  .root.lookupType('Event')

interface Histo {
  readonly min: number
  readonly max: number
  readonly num: number
  readonly sum: number
  readonly sum_squares: number
  readonly bucket_limit: readonly number[]
  readonly bucket: readonly number[]
}
interface Read {
  readonly wall_time: number
  readonly step: number
  readonly file_version?: string
  readonly summary?: {
    readonly value: readonly {
      readonly tag: string
      readonly simple_value?: number
      readonly histo?: Histo
    }[]
  }
  readonly session_log?: { readonly status: string }
}

/** CRC-32C bit by bit, from its polynomial. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0)
  }
  return ~crc >>> 0
}
const unmasked = (masked: number): number => {
  const turned = (masked - 0xa282ead8) >>> 0
  return ((turned << 15) | (turned >>> 17)) >>> 0
}

function eventsIn(name: string): Read[] {
  const bytes = readFileSync(join(folder, name))
  const events: Read[] = []
  let at = 0
  while (at < bytes.length) {
    const length = Number(bytes.readBigUInt64LE(at))
    expect(unmasked(bytes.readUInt32LE(at + 8))).toBe(checksum(bytes.subarray(at, at + 8)))
    const data = bytes.subarray(at + 12, at + 12 + length)
    expect(unmasked(bytes.readUInt32LE(at + 12 + length))).toBe(checksum(data))
    // In proto3 a 0 is the same as nothing.
    const read = Event.toObject(Event.decode(data), { longs: Number, enums: String })
    events.push({ step: 0, ...read } as Read)
    at += 16 + length
  }
  expect(at).toBe(bytes.length)
  return events
}

/** The points of each tag, `[step, value]`, of a file. */
function seriesOf(
  events: readonly Read[],
): Record<string, [step: number, value: number | Histo | undefined][]> {
  const series: ReturnType<typeof seriesOf> = {}
  for (const { step, summary } of events) {
    for (const { tag, simple_value, histo } of summary?.value ?? []) {
      const points = series[tag] ?? []
      series[tag] = points
      points.push([step, histo ?? simple_value])
    }
  }
  return series
}

/** What TensorBoard shows of a folder: a point that was written twice is one. */
function pointsOf(name: string): readonly string[] {
  let points: { readonly step: number; readonly text: string }[] = []
  for (const file of readdirSync(join(folder, name)).sort()) {
    for (const event of eventsIn(join(name, file))) {
      if (event.session_log?.status === 'START') points = points.filter(({ step }) => step < event.step)
      for (const [tag, series] of Object.entries(seriesOf([event]))) {
        for (const [step, value] of series)
          points.push({ step, text: `${tag} ${step} ${JSON.stringify(value)}` })
      }
    }
  }
  return [...new Set(points.map(({ text }) => text))].sort()
}

const height = {
  name: 'height',
  init: () => 0,
  update: (_: unknown, y: { item(): number }) => y.item(),
  result: Number,
}
const options = { ...twoPoints, validation: twoPoints.data, metrics: [height], epochs: 2 }

async function written(more: TensorBoardOptions = {}, fitOptions: object = {}) {
  const board = tensorBoard(folder, more)
  const events: TrainEvent[] = await eventsOf(fit(line, { ...options, ...fitOptions, monitors: [board] }))
  await board.flushed()
  const [name, ...others] = readdirSync(folder)
  expect(others).toEqual([])
  return { events, read: eventsIn(name!), name: name! }
}

test('the test knows the checksum of its standard', () => {
  expect(checksum(Buffer.from('123456789'))).toBe(0xe3069283)
})

describe('tensorBoard', () => {
  test('names and begins files as TensorFlow does, with the time that it is told', async () => {
    const { name, read } = await written({ now: () => 1_700_000_000_250 })
    expect(name).toMatch(/^events\.out\.tfevents\.1700000000\..+\.v2$/)
    expect(name).toContain(`.${hostname()}.${process.pid}.`)
    expect(read[0]).toEqual({ wall_time: 1_700_000_000.25, step: 0, file_version: 'brain.Event:2' })
    expect(new Set(read.map(({ wall_time }) => wall_time))).toEqual(new Set([1_700_000_000.25]))
  })

  test('writes the scalars of steps, epochs and validations', async () => {
    const { events, read } = await written()
    const of = <T extends TrainEvent['type']>(type: T) =>
      events.filter((event: TrainEvent): event is Extract<TrainEvent, { type: T }> => event.type === type)
    const f = Math.fround
    const [steps, epochs, validations] = [of('step'), of('epoch'), of('validation')]
    expect(seriesOf(read)).toEqual({
      'step/loss': steps.map(({ step, loss }) => [step, f(loss)]),
      'step/runningLoss': steps.map(({ step, runningLoss }) => [step, f(runningLoss)]),
      'step/learningRate': steps.map(({ step, learningRate }) => [step, f(learningRate)]),
      'step/height': steps.map(({ step, metrics }) => [step, f(metrics['height']!)]),
      'epoch/loss': epochs.map(({ loss }, i) => [2 * i + 1, f(loss)]),
      'epoch/height': epochs.map(({ metrics }, i) => [2 * i + 1, f(metrics['height']!)]),
      'validation/loss': validations.map(({ loss }, i) => [2 * i + 1, f(loss)]),
      'validation/height': validations.map(({ metrics }, i) => [2 * i + 1, f(metrics['height']!)]),
    })
    expect(steps).toHaveLength(4)
  })

  test('writes each of several losses, what evaluateTraining found, and the penalty', async () => {
    const board = tensorBoard(folder)
    const loss = { error: mse(), size: mae() }
    const more = {
      ...options,
      loss,
      regularizers: regularize([{ at: (path) => path === 'weight', penalty: l2(0.5) }]),
      evaluateTraining: true,
    }
    const events = await eventsOf(fit(line, { ...more, monitors: [board] }))
    await board.flushed()
    const series = seriesOf(eventsIn(readdirSync(folder)[0]!))
    const f = Math.fround
    const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []))
    const epochs = events.flatMap((event) => (event.type === 'epoch' ? [event] : []))
    expect(series).toMatchObject({
      'step/losses.error': steps.map(({ step, losses }) => [step, f(losses['error']!)]),
      'step/penalty': steps.map(({ step, penalty }) => [step, f(penalty)]),
      'epoch/losses.size': epochs.map(({ step, losses }) => [step - 1, f(losses!['size']!)]),
      'training/loss': epochs.map(({ step, training }) => [step - 1, f(training!.loss)]),
      'training/losses.size': epochs.map(({ step, training }) => [step - 1, f(training!.losses!['size']!)]),
    })
    expect(steps).not.toEqual([])
  })

  test('leaves steps out with every', async () => {
    const series = seriesOf((await written({ every: 3 })).read)
    expect(series['step/loss']!.map(([step]) => step)).toEqual([0, 3])
    expect(series['epoch/loss']).toHaveLength(2)
  })

  test('writes histograms of weights, and of gradients where they are watched', async () => {
    const board = tensorBoard(folder, { histograms: 2 })
    await result(fit(line, { ...options, watch: ['gradients'], monitors: [board] }))
    await board.flushed()
    const series = seriesOf(eventsIn(readdirSync(folder)[0]!))
    expect(Object.keys(series).filter((tag) => !/^(step|epoch|validation)/.test(tag))).toEqual([
      'weights/bias',
      'weights/weight',
      'gradients/bias',
      'gradients/weight',
    ])
    // By hand: y = 2 at x = 1 from w = b = 0 has the gradient -4, and a step of 0.4.
    const one = (value: number) => ({
      min: value,
      max: value,
      num: 1,
      sum: value,
      sum_squares: value * value,
      bucket_limit: [value],
      bucket: [1],
    })
    expect(series['gradients/weight']![0]).toEqual([0, one(-4)])
    expect(series['weights/bias']![0]).toEqual([0, one(Math.fround(0.4))])
    expect(series['weights/weight']!.map(([step]) => step)).toEqual([0, 2])
  })

  test("writes histograms once an epoch with 'epoch', of weights alone where nothing is watched", async () => {
    const series = seriesOf((await written({ histograms: 'epoch' })).read)
    expect(series['weights/weight']!.map(([step]) => step)).toEqual([0, 2])
    expect(series['gradients/weight']).toBeUndefined()
  })

  test('makes TensorBoard forget what is made again, after a resume and after a restore', async () => {
    const { read } = await written({}, { callbacks: [goingBack(1)], epochs: 3, validation: undefined })
    const restarts = read.filter(({ session_log }) => session_log !== undefined)
    expect(restarts.map(({ step, session_log }) => [step, session_log])).toEqual([[2, { status: 'START' }]])
    // What was written before with a step from 2 on is what is made again.
    expect(seriesOf(read)['step/loss']!.map(([step]) => step)).toEqual([0, 1, 2, 3, 2, 3, 4, 5])
    expect(seriesOf(read)['epoch/loss']!.map(([step]) => step)).toEqual([1, 3, 3, 5])

    const board = tensorBoard(join(folder, 'resumed'))
    const info = { metrics: [], hasValidation: false } as unknown as Extract<
      TrainEvent,
      { type: 'start' }
    >['info']
    void board.next({ type: 'start', step: 7, epoch: 1, info })
    await board.flushed()
    const [, second] = eventsIn(join('resumed', readdirSync(join(folder, 'resumed'))[0]!))
    expect(second).toMatchObject({ step: 7, session_log: { status: 'START' } })
  })

  test('shows each point of a run that goes on from a snapshot, and no other', async () => {
    const taken: RunSnapshot[] = []
    const first = tensorBoard(join(folder, 'straight'))
    await result(
      fit(line, { ...options, monitors: [first] }).pipe(
        tap((event) => {
          if ('snapshot' in event && typeof event.snapshot === 'function') taken.push(event.snapshot())
        }),
      ),
    )
    await first.flushed()
    const wanted = pointsOf('straight')
    expect(taken.length).toBeGreaterThan(6)
    for (const [i, from] of taken.entries()) {
      const board = tensorBoard(join(folder, `${i}`))
      for (const more of [{}, { from }]) await result(fit(line, { ...options, ...more, monitors: [board] }))
      await board.flushed()
      expect({ i, points: pointsOf(`${i}`) }).toEqual({ i, points: wanted })
    }
  })

  test('and the other loggers have written whole lines and records when their process is killed', async () => {
    const program = fileURLToPath(new URL('killed-loggers.program.ts', import.meta.url))
    const flags = ['--conditions=@tapeflow/source', '--import', 'tsx', program, folder]
    const [, signal] = await once(spawn(process.execPath, flags, { stdio: 'inherit' }), 'exit')
    expect(signal).toBe('SIGKILL')
    const rows = readFileSync(join(folder, 'rows.csv'), 'utf8')
    expect(rows).toMatch(/^step,epoch[^\n]*\n(\d+(,[^,\n]+){5}\n)+$/)
    const lines = readFileSync(join(folder, 'lines.ndjson'), 'utf8').split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map((text) => JSON.parse(text).type)).toContain('step')
    const [name] = readdirSync(join(folder, 'board'))
    const steps = seriesOf(eventsIn(join('board', name!)))['step/loss']!
    expect(steps.map(([step]) => step)).toEqual(steps.map((_, i) => i))
    expect(steps.length).toBeGreaterThan(1000)
  })

  test('gives each run a file of its own', async () => {
    const board = tensorBoard(folder)
    for (let i = 0; i < 2; i++) await result(fit(line, { ...options, monitors: [board] }))
    await board.flushed()
    expect(readdirSync(folder).map((name) => eventsIn(name).length)).toEqual([9, 9])
  })

  test('writes numbers that are not finite', async () => {
    const board = tensorBoard(folder)
    const info = { metrics: [], hasValidation: true } as unknown as Extract<
      TrainEvent,
      { type: 'start' }
    >['info']
    void board.next({ type: 'start', step: 0, epoch: 0, info })
    for (const loss of [Number.NaN, Number.NEGATIVE_INFINITY, 1e300]) {
      void board.next({ type: 'validation', step: 1, epoch: 0, loss, metrics: {} } as TrainEvent)
    }
    await board.flushed()
    const [name] = readdirSync(folder)
    expect(seriesOf(eventsIn(name!))['validation/loss']!.map(([, value]) => value)).toEqual([
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ])
  })

  test('refuses histograms that are no number of steps', () => {
    expect(() => tensorBoard(folder, { histograms: 0 })).toThrow(
      'tensorBoard: histograms must be an integer from 1 on, got 0; pass histograms: 100',
    )
    expect(() => tensorBoard(folder, { now: 5 as never })).toThrow(
      'tensorBoard: now must be a function, got a number; pass Date.now',
    )
  })
})

describe('histogram', () => {
  test('has 30 buckets of equal width, in which every number is once', () => {
    const values = Float32Array.from({ length: 301 }, (_, i) => i)
    const { min, max, num, sum, sumOfSquares, limits, counts } = histogram(values)
    expect({ min, max, num, sum, sumOfSquares }).toEqual({
      min: 0,
      max: 300,
      num: 301,
      sum: 45150,
      sumOfSquares: 9045050,
    })
    expect(limits).toEqual(Array.from({ length: 30 }, (_, i) => 10 * (i + 1)))
    expect(counts).toEqual([...new Array<number>(29).fill(10), 11])
  })

  test('leaves out what is not finite, and has one empty bucket where nothing is', () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number
    expect(histogram(Float32Array.of(nan, 1, infinity, 3))).toMatchObject({ min: 1, max: 3, num: 2, sum: 4 })
    expect(histogram(Float32Array.of(nan))).toMatchObject({ num: 0, limits: [0], counts: [0] })
  })
})
