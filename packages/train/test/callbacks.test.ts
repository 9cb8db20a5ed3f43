import * as t from '@tapeflow/autodiff'
import { adam, cosineDecay, sgd } from '@tapeflow/optim'
import { concatMap, filter, map, type Observable, of, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  earlyStopping,
  type FitOptions,
  fit,
  lrWarmup,
  type Model,
  type RunSnapshot,
  result,
  type TrainCommand,
  type TrainEvent,
} from '../src/index.ts'
import { eventsOf, framewise, line, points, twoPoints, virtually } from './small.ts'

type Counter = { readonly count: t.Tensor }

/** A model whose one weight counts the steps made: its output, whatever goes in. */
const counter: Model<Counter, null> = {
  init: () => ({ params: { count: t.zeros([1, 1]) }, state: null, outputShape: [1] }),
  apply: ({ count }, state) => ({ y: count, state }),
}

/** A run of one step an epoch, of which `values` says what loss and metric `score` are measured after each. */
function measuring(
  values: readonly number[],
  callbacks: readonly Callback[],
  more: Partial<FitOptions> = {},
): Observable<TrainEvent<Counter, null>> {
  const measured = (count: t.Tensor): number => values[count.item() - 1] ?? Number.NaN
  return fit(counter, {
    data: points([0, 0]).batch(1),
    validation: points([0, 1]).batch(1),
    // In training the gradient is -1, and the rate 1.
    loss: (count, target) => (target.item() === 0 ? t.neg(t.sum(count)) : t.tensor(measured(count))),
    optimizer: sgd({ learningRate: 1 }),
    metrics: [{ name: 'score', init: () => 0, update: (_, count) => measured(count), result: Number }],
    epochs: values.length,
    callbacks,
    // Loss and metric read the count.
    compile: false,
    ...more,
  })
}

const commandsOf = concatMap((event: TrainEvent): TrainCommand[] =>
  event.type === 'command' ? [event.command] : [],
)
const counted = async (run$: Observable<TrainEvent<Counter, null>>): Promise<unknown> => {
  const { params, reason, history } = await result(run$)
  return { count: params.count.values[0], reason, epochs: history.length }
}

describe('earlyStopping', () => {
  test('stops when nothing got better for `patience` measurements, then restores the best', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = measuring(
        [0.9, 0.5, 0.4, 0.6, 0.7, 0.1],
        [earlyStopping({ patience: 2 })],
        framewise(scheduler),
      )
      // Validations come in frames 5, 9, 13, 17, 21.
      expectObservable(run$.pipe(commandsOf)).toBe('21ms sr|', {
        s: { type: 'stop', reason: 'validation.loss has not improved 2 times, best 0.4' },
        r: {
          type: 'restore',
          from: { params: { count: { shape: [1, 1], values: Float32Array.of(3) } }, state: null },
          what: 'parameters',
        },
      })
    })
  })

  test('ends with the weights of the best measurement, also if it was not what ended the run', async () => {
    const stopping = earlyStopping({ patience: 2 })
    expect(await counted(measuring([0.9, 0.5, 0.4, 0.6, 0.7, 0.1], [stopping]))).toEqual({
      count: 3,
      reason: 'validation.loss has not improved 2 times, best 0.4',
      epochs: 5,
    })
    expect(await counted(measuring([0.9, 0.5, 0.6], [stopping]))).toEqual({
      count: 2,
      reason: 'completed',
      epochs: 3,
    })
    expect(await counted(measuring([0.9, 0.5], [stopping]))).toEqual({
      count: 2,
      reason: 'completed',
      epochs: 2,
    })
    const other: Callback = {
      name: 'other',
      run: (events$) =>
        events$.pipe(
          filter(({ step, type }) => type === 'epoch' && step === 4),
          map(() => ({ type: 'stop', reason: 'other' })),
        ),
    }
    expect(await counted(measuring([0.9, 0.5, 0.6, 0.7], [other, stopping]))).toEqual({
      count: 2,
      reason: 'other',
      epochs: 4,
    })
  })

  test('leaves the last weights where restoreBest is false', async () => {
    const stopping = earlyStopping({ patience: 1, restoreBest: false })
    expect(await counted(measuring([0.5, 0.6, 0.1], [stopping]))).toMatchObject({ count: 2, epochs: 2 })
  })

  test('takes more for better with mode max, and a metric by its name', async () => {
    const stopping = earlyStopping({ monitor: 'validation.score', mode: 'max', patience: 1 })
    expect(await counted(measuring([0.1, 0.3, 0.2, 0.9], [stopping]))).toMatchObject({ count: 2, epochs: 3 })
  })

  test('wants an improvement of more than minDelta', async () => {
    const stopping = earlyStopping({ patience: 2, minDelta: 0.25 })
    expect(await counted(measuring([1, 0.75, 0.5, 0.25], [stopping]))).toMatchObject({ count: 3, epochs: 4 })
  })

  test('never takes NaN for better', async () => {
    const stopping = earlyStopping({ patience: 2 })
    expect(
      await counted(measuring([Number.NaN, 0.5, Number.NaN, Number.NaN, 0.1], [stopping])),
    ).toMatchObject({ count: 2, epochs: 4 })
  })

  test('watches the training loss where there is no validation', async () => {
    const callbacks = [earlyStopping({ monitor: 'epoch.loss', patience: 1 })]
    const { reason } = await result(
      fit(line, { ...twoPoints, optimizer: sgd({ learningRate: 1 }), epochs: 50, callbacks }),
    )
    expect(reason).toMatch('epoch.loss has not improved once, best ')
  })

  test('starts anew with each subscription', async () => {
    const run$ = measuring([0.5, 0.6, 0.1], [earlyStopping({ patience: 1 })])
    expect(await counted(run$)).toEqual(await counted(run$))
  })

  test.each<[string, object]>([
    ['earlyStopping: patience must be an integer from 1 on, got 0', { patience: 0 }],
    ['earlyStopping: minDelta must be a number from 0 on, got -1', { patience: 1, minDelta: -1 }],
    ['earlyStopping: patience must be an integer from 1 on, got a string', { patience: '3' }],
    ['earlyStopping: minDelta must be a number from 0 on, got a string', { patience: 1, minDelta: '0.1' }],
    ['earlyStopping: restoreBest must be true or false, got a string', { patience: 1, restoreBest: 'no' }],
  ])('%s', (words, options) => {
    expect(() => Reflect.apply(earlyStopping, undefined, [options])).toThrow(
      expect.objectContaining({ message: words, operation: 'earlyStopping' }),
    )
  })

  test('fails before the first step where its measure is not there', async () => {
    const withoutValidation = fit(line, {
      ...twoPoints,
      epochs: 1,
      callbacks: [earlyStopping({ patience: 1 })],
    })
    await expect(eventsOf(withoutValidation)).rejects.toThrow(
      "fit: callback 'earlyStopping' failed: earlyStopping: 'validation.loss' needs validation data; pass validation to fit, or monitor 'epoch.loss'",
    )
    const unknown = measuring([1], [earlyStopping({ monitor: 'validation.accuracy', patience: 1 })])
    await expect(eventsOf(unknown)).rejects.toThrow(
      "earlyStopping: no metric 'accuracy' is measured; monitor loss, score, or pass it to fit",
    )
  })
})

describe('lrWarmup', () => {
  const rates = concatMap((event: TrainEvent): number[] =>
    event.type === 'step' ? [Number(event.learningRate.toFixed(6))] : [],
  )

  test('raises the rate in a straight line, and has reached it in step `steps` - 1', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = fit(line, {
        ...twoPoints,
        epochs: 2,
        callbacks: [lrWarmup({ steps: 3 })],
        ...framewise(scheduler),
      })
      expectObservable(run$.pipe(rates)).toBe('--ab-cd--|', { a: 0.033333, b: 0.066667, c: 0.1, d: 0.1 })
    })
  })

  test('gives one command before each of its steps, none after', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = fit(line, {
        ...twoPoints,
        epochs: 2,
        callbacks: [lrWarmup({ steps: 3 })],
        ...framewise(scheduler),
      })
      const scales$ = run$.pipe(
        commandsOf,
        concatMap((command) => (command.type === 'scaleLearningRate' ? [command.scale] : [])),
      )
      expectObservable(scales$).toBe('-abc-----|', { a: 1 / 3, b: 2 / 3, c: 1 })
    })
  })

  // Its commands ended with the warm-up: a run that came back to it kept the scale of the snapshot for good.
  test('goes on where a restored run stands in the warm-up', async () => {
    let first: RunSnapshot | undefined
    let restored = false
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step' || restored) return []
            if (event.step === 1) first = event.snapshot()
            restored = event.step === 5
            return restored ? [{ type: 'restore', from: first! }] : []
          }),
        ),
    }
    const events = await eventsOf(
      fit(line, { ...twoPoints, steps: 8, callbacks: [lrWarmup({ steps: 4 }), back] }),
    )
    const made = events.flatMap((event) => (event.type === 'step' ? [event] : []))
    const rates = made.map(({ step, learningRate }) => `${step}: ${learningRate.toFixed(3)}`)
    expect(rates.slice(0, 6)).toEqual([
      '0: 0.025',
      '1: 0.050',
      '2: 0.075',
      '3: 0.100',
      '4: 0.100',
      '5: 0.100',
    ])
    expect(rates.slice(6)).toEqual(['2: 0.075', '3: 0.100', '4: 0.100', '5: 0.100', '6: 0.100', '7: 0.100'])
  })

  test.each([2, 6])(
    "leaves a new run that is restored to step %i at its start with that step's rate",
    async (at) => {
      const options = { ...twoPoints, steps: 8, callbacks: [lrWarmup({ steps: 4 })] }
      const rate = (event: TrainEvent<unknown, unknown>): number[] =>
        event.type === 'step' && event.step >= at ? [event.learningRate] : []
      let from: RunSnapshot | undefined
      const straight = await eventsOf(
        fit(line, options).pipe(
          tap((event) => {
            if (event.type === 'step' && event.step === at - 1) from = event.snapshot()
          }),
        ),
      )
      const resumed = await eventsOf(
        fit(line, { ...options, commands: of({ type: 'restore', from: from! }) }),
      )
      expect(resumed.flatMap(rate)).toEqual(straight.flatMap(rate))
    },
  )

  test('counts epochs in steps, and scales what the schedule says', async () => {
    const optimizer = adam({ learningRate: cosineDecay({ from: 1, steps: 4 }) })
    const events = await eventsOf(
      fit(line, { ...twoPoints, optimizer, epochs: 2, callbacks: [lrWarmup({ epochs: 1 })] }),
    )
    const schedule = cosineDecay({ from: 1, steps: 4 })
    expect(events.flatMap((event) => (event.type === 'step' ? [event.learningRate] : []))).toEqual([
      0.5 * schedule(0),
      schedule(1),
      schedule(2),
      schedule(3),
    ])
  })

  test.each<[string, object]>([
    ['lrWarmup: steps or epochs must be given, got neither; pass steps: 100', {}],
    ['lrWarmup: steps or epochs must be given, got both; pass steps: 100', { steps: 1, epochs: 1 }],
    ['lrWarmup: steps must be an integer from 1 on, got 0.5', { steps: 0.5 }],
    ['lrWarmup: epochs must be a finite number above 0, got 0', { epochs: 0 }],
  ])('%s', (words, options) => {
    expect(() => Reflect.apply(lrWarmup, undefined, [options])).toThrow(
      expect.objectContaining({ message: words }),
    )
  })

  // A warm-up over the epoch of endless data was endless itself: no step had a rate above 0.
  test.each([undefined, Number.POSITIVE_INFINITY])(
    'cannot count epochs of data of length %s',
    async (length) => {
      const data = { length, iterate: twoPoints.data.iterate }
      await expect(
        eventsOf(fit(line, { ...twoPoints, data, steps: 2, callbacks: [lrWarmup({ epochs: 1 })] })),
      ).rejects.toThrow(
        "fit: callback 'lrWarmup' failed: lrWarmup: epochs need data that knows its length, and has an end; pass steps",
      )
    },
  )
})
