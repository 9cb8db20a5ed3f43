import { mae, mse } from '@tapeflow/nn'
import { chain, descend, ewma } from '@tapeflow/optim'
import { concatMap, of, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  type EpochRecord,
  earlyStopping,
  type FitOptions,
  fit,
  keepBest,
  lrWarmup,
  type MonitorName,
  type RunSnapshot,
  reduceLROnPlateau,
  result,
  swapEma,
  type TrainCommand,
  type TrainEvent,
  targetReached,
} from '../src/index.ts'
import { eventsOf, framewise, line, scripted, twoPoints, virtually } from './small.ts'

const commands = concatMap((event: TrainEvent): TrainCommand[] =>
  event.type === 'command' ? [event.command] : [],
)
const rates = concatMap((event: TrainEvent): number[] =>
  event.type === 'step' ? [Number(event.learningRate.toPrecision(6))] : [],
)
const ratesOf = (events: readonly TrainEvent<unknown, unknown>[]): number[] =>
  events.flatMap((event) => (event.type === 'step' ? [Number(event.learningRate.toPrecision(6))] : []))

/** Commands at the end of some epochs. */
function atEpoch(epoch: number, ...given: readonly TrainCommand[]): Callback {
  return {
    name: 'atEpoch',
    run: (events$) =>
      events$.pipe(concatMap((event) => (event.type === 'epoch' && event.epoch === epoch ? given : []))),
  }
}

describe('earlyStopping', () => {
  const monitor = 'epoch.loss'

  test('with startFrom takes nothing of earlier epochs for the best', async () => {
    const callbacks = [earlyStopping({ monitor, patience: 2, startFrom: 2 })]
    const run = await result(scripted([0.5, 1, 4, 3, 3.5, 3.25, 0], { callbacks }))
    expect(run).toMatchObject({
      reason: 'epoch.loss has not improved 2 times, best 3',
      params: { weight: { values: Float32Array.of(4) } },
    })
    expect(run.history).toHaveLength(6)
  })

  test('with baseline waits for one that beats that too, and keeps the best all the same', async () => {
    const callbacks = [earlyStopping({ monitor, patience: 3, baseline: 1 })]
    const never = await result(scripted([4, 3, 2, 0], { callbacks }))
    expect(never).toMatchObject({
      reason: 'epoch.loss has not improved beyond 1 3 times, best 2',
      params: { weight: { values: Float32Array.of(3) } },
    })
    const once = await result(scripted([4, 3, 0.5, 0.75, 0.75, 0.25], { callbacks }))
    expect(once).toMatchObject({ reason: 'completed', params: { weight: { values: Float32Array.of(6) } } })
  })

  test.each<[string, object]>([
    [
      'earlyStopping: baseline must be a finite number, got NaN; leave it out for none',
      { baseline: Number.NaN },
    ],
    ['earlyStopping: startFrom must be an integer from 0 on, got -1', { startFrom: -1 }],
    ["earlyStopping: mode must be 'min' or 'max', got 'less'", { mode: 'less' }],
    [
      "earlyStopping: cannot monitor 'loss'; use 'validation.loss', 'epoch.loss' or a metric in place of loss",
      { monitor: 'loss' },
    ],
    [
      "earlyStopping: cannot monitor a number; use 'validation.loss', 'epoch.loss' or a metric in place of loss",
      { monitor: 3 },
    ],
  ])('%s', (message, more) => {
    expect(() => Reflect.apply(earlyStopping, undefined, [{ patience: 1, ...more }])).toThrow(
      expect.objectContaining({ message }),
    )
  })
})

describe('what is monitored', () => {
  const several = {
    ...twoPoints,
    loss: { error: mse(), size: mae() },
    validation: twoPoints.data,
    evaluateTraining: true,
    epochs: 3,
  }
  const places = {
    validation: ({ validation }: EpochRecord) => validation,
    epoch: (record: EpochRecord) => record,
    training: ({ training }: EpochRecord) => training,
  }

  // Neither several losses nor evaluateTraining had a name.
  test.each(['validation', 'epoch', 'training'] as const)(
    'may be one of several losses of %s',
    async (place) => {
      const monitor = `${place}.losses.size` as const
      const { history, reason } = await result(
        fit(line, { ...several, callbacks: [targetReached({ monitor, target: 1.5 })] }),
      )
      const found = history.map((record) => places[place](record)!.losses!['size']!)
      expect(found.findIndex((value) => value <= 1.5)).toBe(found.length - 1)
      expect(reason).toContain(`${monitor} has reached 1.5`)
      const end = (await eventsOf(fit(line, several))).at(-1)
      if (end?.type !== 'end') throw new Error('no end')
      expect(end.result.measured[monitor]).toBe(places[place](end.history.at(-1)!)!.losses!['size'])
    },
  )

  test.each<[string, Partial<FitOptions>, MonitorName]>([
    [
      "no metric 'losses.other' is measured; monitor loss, losses.error, losses.size, or pass it to fit",
      {},
      'epoch.losses.other',
    ],
    [
      "'training.loss' needs another look at the training data; pass evaluateTraining: true to fit, or monitor 'epoch.loss'",
      { evaluateTraining: false },
      'training.loss',
    ],
  ])('%s', async (words, more, monitor) => {
    const run$ = fit(line, { ...several, ...more, callbacks: [keepBest({ monitor })] })
    await expect(result(run$)).rejects.toThrow(`keepBest: ${words}`)
  })
})

describe('keepBest', () => {
  const best = keepBest({ monitor: 'epoch.loss' })

  test('stops nothing, and restores the best at the end', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = scripted([4, 2, 3, 3, 3], { callbacks: [best], ...framewise(scheduler) })
      expectObservable(run$.pipe(commands)).toBe('12ms r|', {
        r: {
          type: 'restore',
          from: { params: { weight: { shape: [1, 1], values: Float32Array.of(2) } }, state: null },
          what: 'parameters',
        },
      })
    })
  })

  test('restores nothing where nothing was measured', async () => {
    const events = await eventsOf(scripted([Number.NaN], { callbacks: [best] }))
    expect(events.filter(({ type }) => type === 'command')).toEqual([])
  })

  // It asked for nothing where the last was the best, and the average stood.
  test.each([
    ['the last', [4, 2, 1], 3],
    ['one before', [4, 1, 2], 2],
  ])(
    'of those who restore at the end the last in the list wins, where the best is %s',
    async (_, values, at) => {
      const optimizer = chain(ewma({ decay: 0.5, biasCorrection: false }), descend({ learningRate: 1 }))
      const weightOf = async (...callbacks: readonly Callback[]): Promise<number | undefined> =>
        (await result(scripted(values, { optimizer, callbacks }))).params.weight.values[0]
      expect(await weightOf(swapEma(), best)).toBe(at)
      // Of the weights 0, 1, 2, 3.
      expect(await weightOf(best, swapEma())).toBe(1 / 8 + 2 / 4 + 3 / 2)
    },
  )

  test('keeps the best through a resume', async () => {
    let from: RunSnapshot | undefined
    const values = [4, 2, 3, 3, 2.5]
    const options = { callbacks: [best] }
    await result(
      scripted(values, options).pipe(
        tap((event) => {
          if (event.type === 'step' && event.step === 3) from = event.snapshot()
        }),
      ),
    )
    const resumed = await result(
      scripted(values, { ...options, commands: of({ type: 'restore', from: from! }) }),
    )
    expect(resumed.params.weight.values).toEqual(Float32Array.of(2))
  })

  test('fails where its measure is not there', async () => {
    await expect(result(scripted([1], { callbacks: [keepBest()] }))).rejects.toThrow(
      "fit: callback 'keepBest' failed: keepBest: 'validation.loss' needs validation data; pass validation to fit, or monitor 'epoch.loss'",
    )
  })
})

describe('reduceLROnPlateau', () => {
  const plateau = (more: Parameters<typeof reduceLROnPlateau>[0] = {}): Callback =>
    reduceLROnPlateau({ monitor: 'epoch.loss', patience: 2, ...more })

  test('reduces the rate once nothing got better for `patience` measurements', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = scripted([4, 2, 3, 3, 3, 2, 2], { callbacks: [plateau()], ...framewise(scheduler) })
      // Steps come in frames 2, 4, 6, …
      expectObservable(run$.pipe(rates)).toBe('--a-a-a-a-b-b-c--|', { a: 1, b: 0.1, c: 0.01 })
    })
  })

  test('counts anew when one is better by more than minDelta, and with mode max more is', async () => {
    const less = await eventsOf(scripted([4, 4, 3, 3, 2.9, 2], { callbacks: [plateau({ minDelta: 0.5 })] }))
    expect(ratesOf(less)).toEqual([1, 1, 1, 1, 1, 0.1])
    const more = await eventsOf(scripted([1, 2, 1, 1, 3], { callbacks: [plateau({ mode: 'max' })] }))
    expect(ratesOf(more)).toEqual([1, 1, 1, 1, 0.1])
  })

  test('leaves as many measurements as cooldown says out of the count', async () => {
    const events = await eventsOf(
      scripted([1, 1, 1, 1, 1, 1, 1, 1], { callbacks: [plateau({ patience: 1, cooldown: 2 })] }),
    )
    // Reduced at the ends of epochs 1, 4 and 7.
    expect(ratesOf(events)).toEqual([1, 1, 0.1, 0.1, 0.1, 0.01, 0.01, 0.01])
    const better = await eventsOf(
      scripted([1, 1, 0.5, 1, 1, 1], { callbacks: [plateau({ patience: 1, cooldown: 2 })] }),
    )
    expect(ratesOf(better)).toEqual([1, 1, 0.1, 0.1, 0.1, 0.01])
  })

  test('brings no rate below the least, and then asks no more', async () => {
    const callbacks = [plateau({ patience: 1, factor: 0.5, minLearningRate: 0.375 })]
    const events = await eventsOf(scripted([1, 1, 1, 1, 1], { callbacks }))
    expect(ratesOf(events)).toEqual([1, 1, 0.5, 0.375, 0.375])
    expect(events.filter(({ type }) => type === 'command')).toHaveLength(2)
  })

  test('multiplies what a schedule says, and goes on from where a warm-up ends', async () => {
    const learningRate = (step: number): number => 1 / (step + 1)
    const scheduled = await eventsOf(
      scripted([1, 1, 1, 1], { callbacks: [plateau({ factor: 0.5 })] }, learningRate),
    )
    expect(ratesOf(scheduled)).toEqual([1, 0.5, 0.333333, 0.125])
    const warmed = await eventsOf(
      scripted([1, 1, 1, 1, 1], { callbacks: [plateau({ factor: 0.5 }), lrWarmup({ steps: 2 })] }),
    )
    expect(ratesOf(warmed)).toEqual([0.5, 1, 1, 0.5, 0.5])
    const scaled = [atEpoch(0, { type: 'scaleLearningRate', scale: 0.5 }), plateau()]
    expect(ratesOf(await eventsOf(scripted([1, 1, 1, 1], { callbacks: scaled })))).toEqual([
      1, 0.5, 0.5, 0.05,
    ])
  })

  test.each([1, 2, 3, 4, 5, 6, 7])(
    'goes on from a snapshot of step %i as if nothing had been',
    async (at) => {
      const values = [4, 2, 3, 3, 3, 2, 2, 2]
      for (const callbacks of [
        [plateau()],
        [plateau({ minLearningRate: 0.5 })],
        // Scaled by another after a reduction that has been acted on.
        [plateau(), atEpoch(4, { type: 'scaleLearningRate', scale: 0.5 })],
      ]) {
        let from: RunSnapshot | undefined
        const straight = await eventsOf(
          scripted(values, { callbacks }).pipe(
            tap((event) => {
              if (event.type === 'step' && event.step === at - 1) from = event.snapshot()
            }),
          ),
        )
        const commands = of<TrainCommand>({ type: 'restore', from: from! })
        const resumed = await eventsOf(scripted(values, { callbacks, commands }))
        expect(ratesOf(resumed)).toEqual(ratesOf(straight).slice(at))
      }
    },
  )

  // The checkpoint has the decision to reduce, not yet the reduction.
  test('loses no reduction to a checkpoint of the same boundary', async () => {
    const values = [1, 1, 1, 1, 1]
    const first = await eventsOf(
      scripted(values, { callbacks: [atEpoch(1, { type: 'checkpoint' }), plateau({ patience: 1 })] }),
    )
    expect(ratesOf(first)).toEqual([1, 1, 0.1, 0.01, 0.001])
    const from = first.flatMap((event) => (event.type === 'checkpoint' ? [event.snapshot] : []))[0]!
    const commands = of<TrainCommand>({ type: 'restore', from })
    const second = await eventsOf(
      scripted(values, { callbacks: [atEpoch(9), plateau({ patience: 1 })], commands }),
    )
    expect(ratesOf(second)).toEqual([0.1, 0.01, 0.001])
  })

  test('starts from the scale of a snapshot that knows nothing of it', async () => {
    let from: RunSnapshot | undefined
    const scaling = [atEpoch(0, { type: 'scaleLearningRate', scale: 0.5 })]
    await result(
      scripted([1, 1, 1], { callbacks: scaling }).pipe(
        tap((event) => {
          if (event.type === 'step' && event.step === 1) from = event.snapshot()
        }),
      ),
    )
    const commands = of<TrainCommand>({ type: 'restore', from: from! })
    const events = await eventsOf(
      scripted([1, 1, 1, 1, 1], { callbacks: [plateau({ patience: 1 })], commands }),
    )
    expect(ratesOf(events)).toEqual([0.5, 0.05, 0.005])
  })

  test('brings a real run down where a high rate cannot', async () => {
    const monitor = 'epoch.loss'
    const callbacks = [reduceLROnPlateau({ monitor, patience: 2, factor: 0.5 })]
    const { history } = await result(fit(line, { ...twoPoints, epochs: 40, callbacks }))
    expect(history.at(-1)!.learningRate).toBeLessThanOrEqual(0.1)
    expect(history.at(-1)!.loss).toBeLessThan(0.01)
  })

  test.each<[string, object]>([
    ['reduceLROnPlateau: factor must be between 0 and 1, got 1', { factor: 1 }],
    ['reduceLROnPlateau: patience must be an integer from 1 on, got 0.5', { patience: 0.5 }],
    ['reduceLROnPlateau: cooldown must be an integer from 0 on, got -1', { cooldown: -1 }],
    ['reduceLROnPlateau: minDelta must be a number from 0 on, got NaN', { minDelta: Number.NaN }],
    ['reduceLROnPlateau: minLearningRate must be a number from 0 on, got -1', { minLearningRate: -1 }],
  ])('%s', (message, options) => {
    expect(() => reduceLROnPlateau(options)).toThrow(expect.objectContaining({ message }))
  })
})
