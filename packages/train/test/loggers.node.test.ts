import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { l2, mae, mse, regularize } from '@tapeflow/nn'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FitOptions, fit, historyCsv, type RunInfo, result, type TrainEvent } from '../src/index.ts'
import { csvLogger, type FileLogger, jsonLinesLogger, tensorBoard } from '../src/node.ts'
import { eventsOf, framewise, goingBack, line, turn, twoPoints, virtually } from './small.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tapeflow-loggers-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (name: string): string => join(folder, name)
const read = (name: string): string => readFileSync(at(name), 'utf8')
const linesOf = (name: string): string[] => read(name).trimEnd().split('\n')
const objects = (name: string): Record<string, unknown>[] => linesOf(name).map((text) => JSON.parse(text))

/** y as predicted, on average: a metric whose values are different at every step. */
const height = {
  name: 'height',
  init: () => 0,
  update: (_: unknown, y: { item(): number }) => y.item(),
  result: Number,
}
const measured = { ...twoPoints, validation: twoPoints.data, metrics: [height] }

/** Trains `line` with a logger, and waits for the file. */
async function logged(logger: FileLogger, more: Partial<FitOptions> = {}) {
  const found = await result(
    fit(line, {
      ...twoPoints,
      ...(more.steps === undefined ? { epochs: 3 } : {}),
      monitors: [logger],
      ...more,
    }),
  )
  await logger.flushed()
  return found
}

const info: RunInfo = {
  seed: 0,
  epochs: 4,
  steps: 8,
  stepsPerEpoch: 2,
  parameters: {},
  parameterCount: 2,
  losses: [],
  metrics: [],
  hasPenalty: false,
  evaluatesTraining: false,
  hasValidation: false,
}
/** What a run is told to have emitted that goes on at epoch 2, step 4. */
const start = (step: number): TrainEvent => ({ type: 'start', step, epoch: step / 2, info })
const epoch = (number: number, loss: number): TrainEvent => ({
  ...({ type: 'epoch', step: 2 * number + 2, epoch: number, loss } as Extract<TrainEvent, { type: 'epoch' }>),
  metrics: {},
  learningRate: 0.5,
  seconds: number,
})
const finishing = { type: 'finishing', step: 8, epoch: 4, reason: 'completed' } as TrainEvent

const loggers = [
  ['csvLogger', csvLogger],
  ['jsonLinesLogger', jsonLinesLogger],
  ['tensorBoard', tensorBoard],
] as const

describe.each(loggers)('%s', (name, logger) => {
  test('returns before anything is written', async () => {
    const monitor = logger(at('run'))
    virtually((scheduler, { flush }) => {
      fit(line, { ...twoPoints, epochs: 1, monitors: [monitor], ...framewise(scheduler) }).subscribe()
      flush()
      expect(readdirSync(folder)).toEqual([])
    })
    await monitor.flushed()
    expect(readdirSync(folder)).toEqual(['run'])
  })

  test('writes as one would who watches from outside, in a run that goes on', async () => {
    const monitor = logger(at('run'))
    const events = await eventsOf(fit(line, { ...twoPoints, epochs: 2, monitors: [monitor.next] }))
    await monitor.flushed()
    expect(events.map(({ type }) => type)).toEqual(
      'start step step epoch step step epoch finishing end'.split(' '),
    )
    expect(readdirSync(folder)).toEqual(['run'])
  })

  test('that cannot write is logged once by its run, which goes on; flushed() rejects', async () => {
    writeFileSync(at('file'), '')
    const logs: string[] = []
    const monitor = logger(at('file/run'))
    const { reason } = await result(
      fit(line, {
        ...twoPoints,
        epochs: 500,
        monitors: [monitor],
        log: (message, error) => logs.push(`${message}: ${error}`),
        pace: { budget: 0 },
      }),
    )
    expect(reason).toBe('completed')
    const words = `${name}: writing ${at('file/run')}`
    await expect(monitor.flushed()).rejects.toThrow(words)
    await expect(monitor.flushed()).rejects.toThrow(/ failed: E(EXIST|NOTDIR)/)
    expect(logs).toHaveLength(1)
    expect(logs[0]).toContain(`fit: monitor 0 failed and was detached; the run goes on: Error: ${words}`)
  })

  test('is complete after a run that was unsubscribed', async () => {
    const monitor = logger(at('run'))
    await new Promise<void>((resolve) => {
      const run = fit(line, { ...twoPoints, epochs: 9, monitors: [monitor], pace: { budget: 0 } }).subscribe(
        ({ type, step }) => {
          if (type !== 'step' || step !== 5) return
          run.unsubscribe()
          resolve()
        },
      )
    })
    await monitor.flushed()
    const epochs = {
      csvLogger: () => linesOf('run').slice(1),
      jsonLinesLogger: () => objects('run').filter(({ type }) => type === 'epoch'),
      tensorBoard: () => read(join('run', readdirSync(at('run'))[0]!)).match(/epoch\/loss/g),
    }[name]()
    expect(epochs).toHaveLength(2)
  })

  test('refuses a path and numbers of steps that are none, at once', () => {
    expect(() => logger(5 as unknown as string)).toThrow(
      `${name}: the path must be a string that is not empty, got a number; pass ${name}('runs/first')`,
    )
    expect(() => logger('')).toThrow(TypeError)
    expect(() => logger('run', { every: 0.5 })).toThrow(
      `${name}: every must be an integer from 1 on, got 0.5; pass every: 100`,
    )
    expect(() => logger('run', { every: 0 })).toThrow(RangeError)
  })
})

describe('csvLogger', () => {
  test('writes what historyCsv gives, also where a run goes back', async () => {
    const { history } = await logged(csvLogger(at('deep/er/run.csv')), measured)
    expect(history).toHaveLength(3)
    expect(read('deep/er/run.csv')).toBe(historyCsv(history))
    const again = await logged(csvLogger(at('run.csv')), { ...measured, epochs: 4, callbacks: [goingBack()] })
    expect(again.history.map((record) => record.epoch)).toEqual([0, 1, 2, 3])
    expect(read('run.csv')).toBe(historyCsv(again.history))
  })

  test('writes a row every so many steps', async () => {
    const steps: TrainEvent[] = []
    const logger = csvLogger(at('run.csv'), { every: 2 })
    const run$ = fit(line, { ...measured, steps: 5, monitors: [logger] })
    steps.push(...(await eventsOf(run$)).filter(({ type }) => type === 'step'))
    await logger.flushed()
    const [header, ...rows] = linesOf('run.csv')
    expect(header).toBe('step,epoch,loss,runningLoss,height,learningRate,seconds')
    expect(rows.map((row) => row.split(',').map(Number))).toEqual(
      [0, 2, 4].map((i) => {
        const event = steps[i] as Extract<TrainEvent, { type: 'step' }>
        const { step, epoch, loss, runningLoss, metrics, learningRate, seconds } = event
        return [step, epoch, loss, runningLoss, metrics['height'], learningRate, seconds]
      }),
    )
  })

  // Several losses, evaluateTraining and the penalty were in no column.
  test('writes each of several losses, what evaluateTraining found, and the penalty', async () => {
    const more = {
      ...measured,
      loss: { error: mse(), size: { loss: mae(), weight: 0.5 } },
      regularizers: regularize([{ at: (path) => path === 'weight', penalty: l2(0.5) }]),
      evaluateTraining: true,
      validation: twoPoints.data,
    }
    const { history } = await logged(csvLogger(at('run.csv')), more)
    expect(read('run.csv')).toBe(historyCsv(history))
    const steps = csvLogger(at('steps.csv'), { every: 1 })
    const events = await eventsOf(fit(line, { ...more, steps: 4, monitors: [steps] }))
    await steps.flushed()
    const [header, ...rows] = linesOf('steps.csv')
    expect(header).toBe(
      'step,epoch,loss,runningLoss,losses.error,losses.size,height,penalty,learningRate,seconds',
    )
    const wanted = events.flatMap((event) => {
      if (event.type !== 'step') return []
      const { step, epoch, loss, runningLoss, losses, metrics, penalty, learningRate, seconds } = event
      const numbers = [losses['error'], losses['size'], metrics['height'], penalty]
      return [[step, epoch, loss, runningLoss, ...numbers, learningRate, seconds].join(',')]
    })
    expect(rows).toEqual(wanted)
  })

  test('takes rows of steps back where a run goes back', async () => {
    await logged(csvLogger(at('run.csv'), { every: 1 }), { epochs: 4, callbacks: [goingBack()] })
    expect(linesOf('run.csv').map((row) => row.split(',')[0])).toEqual('step 0 1 2 3 4 5 6 7'.split(' '))
  })

  test('goes on in the file of a run that is resumed, without torn rows and rows from later', async () => {
    const kept = 'epoch,loss,learningRate,seconds\n0,4,0.5,0\n1,3,0.5,1\n'
    for (const tail of ['', '2,9,0.5', '2,9,0.5,2\n3,9']) {
      writeFileSync(at('run.csv'), kept + tail)
      const logger = csvLogger(at('run.csv'))
      for (const event of [start(4), epoch(2, 2), epoch(3, 1), finishing]) void logger.next(event)
      await logger.flushed()
      expect(read('run.csv')).toBe(`${kept}2,2,0.5,2\n3,1,0.5,3\n`)
    }
  })

  test('begins a file that is not there with its header, also in a run that is resumed', async () => {
    const logger = csvLogger(at('run.csv'))
    for (const event of [start(4), epoch(2, 2), finishing]) void logger.next(event)
    await logger.flushed()
    expect(read('run.csv')).toBe('epoch,loss,learningRate,seconds\n2,2,0.5,2\n')
  })

  test('refuses to go on in a file with other columns, and leaves it', async () => {
    writeFileSync(at('run.csv'), 'epoch,loss\n0,4\n')
    const logger = csvLogger(at('run.csv'))
    await expect(logger.next(start(4))).rejects.toThrow(
      `csvLogger: ${at('run.csv')} has other columns than this run; resume with the same metrics and the same kind of rows, or pass another path`,
    )
    expect(read('run.csv')).toBe('epoch,loss\n0,4\n')
  })

  test('writes one file after the other where it watches several runs', async () => {
    const logger = csvLogger(at('run.csv'))
    for (const event of [start(0), epoch(0, 2), epoch(1, 1), finishing, start(0), epoch(0, 7), finishing]) {
      void logger.next(event)
    }
    await logger.flushed()
    expect(read('run.csv')).toBe('epoch,loss,learningRate,seconds\n0,7,0.5,0\n')
  })

  test('takes no epoch of a run that was given up into the next', async () => {
    const logger = csvLogger(at('run.csv'))
    const validated = { ...start(0), info: { ...info, hasValidation: true } } as TrainEvent
    const due = (number: number, loss: number) => ({ ...epoch(number, loss), validates: true }) as TrainEvent
    for (const event of [validated, due(0, 5), validated, due(0, 7), finishing]) void logger.next(event)
    await logger.flushed()
    expect(read('run.csv')).toBe('epoch,loss,learningRate,seconds,validation.loss\n0,7,0.5,0,\n')
  })

  test('tries again with the next run after a failure', async () => {
    writeFileSync(at('a'), '')
    const logger = csvLogger(at('a/run.csv'))
    await expect(logger.next(start(0))).rejects.toThrow()
    // Nothing is kept for a file that failed.
    const big = { type: 'epoch', step: 2, metrics: {}, seconds: 'x'.repeat(2 ** 24) } as unknown as TrainEvent
    for (let i = 0; i < 6; i++) void logger.next(big)
    rmSync(at('a'))
    for (const event of [start(0), epoch(0, 7), finishing]) void logger.next(event)
    await logger.flushed()
    expect(linesOf('a/run.csv')).toHaveLength(2)
  })
})

describe('jsonLinesLogger', () => {
  test('writes every event as an object, without tensors', async () => {
    const logger = jsonLinesLogger(at('run.ndjson'))
    await logged(logger, { ...measured, epochs: 2, callbacks: [goingBack()] })
    const found = objects('run.ndjson')
    expect(found.map(({ type }) => type)).toEqual(
      'start step step epoch command checkpoint validation step step epoch validation finishing end'.split(
        ' ',
      ),
    )
    expect(found[0]).toMatchObject({ step: 0, epoch: 0, info: { metrics: ['height'], parameterCount: 2 } })
    expect(found[1]).toEqual({
      type: 'step',
      step: 0,
      epoch: 0,
      batch: 0,
      rows: 1,
      loss: 4,
      losses: {},
      penalty: 0,
      runningLoss: 4,
      learningRate: 0.1,
      metrics: { height: 0 },
      seconds: expect.any(Number),
      samplesPerSecond: expect.any(Number),
    })
    expect(read('run.ndjson')).not.toMatch(/values|params|weights/)
  })

  test('writes no snapshot of a restore either', async () => {
    await logged(jsonLinesLogger(at('run.ndjson')), { epochs: 4, callbacks: [goingBack()] })
    const restores = objects('run.ndjson').filter(({ command }) => command !== undefined)
    expect(restores.map(({ command }) => command)).toEqual([
      { type: 'checkpoint' },
      { type: 'restore', from: 'latest' },
    ])
    expect(read('run.ndjson')).not.toMatch(/values|params/)
  })

  test('leaves steps out with every, and numbers that JSON has not are strings', async () => {
    const logger = jsonLinesLogger(at('run.ndjson'), { every: 2 })
    for (const step of [0, 1, 2]) {
      void logger.next({ type: 'step', step, epoch: 0, loss: step === 0 ? Number.NaN : -1 / 0 } as TrainEvent)
    }
    await logger.flushed()
    expect(linesOf('run.ndjson')).toEqual([
      '{"type":"step","step":0,"epoch":0,"loss":"NaN"}',
      '{"type":"step","step":2,"epoch":0,"loss":"-Infinity"}',
    ])
  })

  test('appends to the whole lines of a run that is resumed', async () => {
    writeFileSync(at('run.ndjson'), '{"type":"start"}\n{"type":"st')
    const logger = jsonLinesLogger(at('run.ndjson'))
    for (const event of [start(4), epoch(2, 2)]) void logger.next(event)
    await logger.flushed()
    expect(objects('run.ndjson').map(({ type, step }) => [type, step])).toEqual([
      ['start', undefined],
      ['start', 4],
      ['epoch', 6],
    ])
  })

  test('does not let what waits for a slow disk grow without end', () => {
    const logger = jsonLinesLogger(at('run.ndjson'))
    const big = { type: 'finishing', step: 0, epoch: 0, reason: 'x'.repeat(2 ** 24) } as TrainEvent
    for (let i = 0; i < 3; i++) void logger.next(big)
    expect(() => logger.next(big)).toThrow(
      /^jsonLinesLogger: the disk is 503\d+ bytes behind; log less often, with every$/,
    )
    return logger.flushed()
  })

  test('writes 100,000 steps in few pieces, all of them', async () => {
    const logger = jsonLinesLogger(at('run.ndjson'))
    for (let step = 0; step < 100_000; step++) {
      void logger.next({ type: 'step', step, epoch: 0, loss: 0.5 } as TrainEvent)
      if (step % 10_000 === 0) await turn()
    }
    await logger.flushed()
    expect(linesOf('run.ndjson')).toHaveLength(100_000)
  })
})
