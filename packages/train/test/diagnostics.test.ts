import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { from, map, type OperatorFunction, of, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { OrderedWindow } from '../src/diagnostics/ordered-window.ts'
import {
  activationMean,
  covariateShift,
  type DiagnosticEvent,
  datasetSize,
  deadReLU,
  diagnostics,
  type EpochEvent,
  explodingGradient,
  internalCovariateShift,
  lossSpike,
  overfitting,
  plateau,
  type StepEvent,
  saturation,
  type TrainCommand,
  type TrainEvent,
  updateRatio,
  type ValidationEvent,
  vanishingGradient,
} from '../src/index.ts'
import { virtually } from './small.ts'

/** A step that was not made, which shows what is needed. */
function step(at: number, fields: Readonly<Record<string, unknown>>): TrainEvent {
  return { type: 'step', step: at, epoch: 0, ...fields } as unknown as StepEvent
}

const epoch = (at: number, loss: number): TrainEvent =>
  ({ type: 'epoch', step: at + 1, epoch: at, loss, rows: 40, batches: 4 }) as unknown as EpochEvent
const validation = (at: number, loss: number): TrainEvent =>
  ({ type: 'validation', step: at + 1, epoch: at, loss }) as unknown as ValidationEvent
const start = { type: 'start', step: 0, epoch: 0 } as unknown as TrainEvent
const startOf = (info: object): TrainEvent => ({ ...start, info }) as unknown as TrainEvent
const command = (at: number, one: TrainCommand, more: object = {}): TrainEvent =>
  ({ type: 'command', step: at, epoch: 0, command: one, source: 'commands', ...more }) as TrainEvent

/** Steps with layers whose gradients, from input to output, are in this ratio. */
const ofRatio = (ratio: number, at: number): TrainEvent =>
  step(at, { gradients: { tree: { layers: [weights(ratio), weights(1)] } } })
const weights = (value: number): unknown => ({ weight: t.tensor([[value]]), bias: t.tensor([7]) })
const ofActivations = (values: readonly (readonly number[])[], at: number): TrainEvent =>
  step(at, { activations: { tree: { 'layers.1': t.tensor(values) } } })

/** Asserts that the diagnostic, of one event a frame, emits in the frames that `marbles` marks with d. */
function expectMarbles(
  diagnostic: OperatorFunction<TrainEvent, DiagnosticEvent>,
  events: readonly TrainEvent[],
  marbles: string,
): void {
  virtually((_, { cold, expectObservable, expectSubscriptions }) => {
    const letters = events.map((_, i) => String.fromCharCode(97 + i))
    const events$ = cold(
      `${letters.join('')}|`,
      Object.fromEntries(letters.map((letter, i) => [letter, events[i]!])),
    )
    const marked = events$.pipe(
      diagnostic,
      map(() => 'd'),
    )
    expectObservable(marked).toBe(marbles, { d: 'd' })
    expectSubscriptions(events$.subscriptions).toBe(`^${'-'.repeat(events.length - 1)}!`)
  })
}

/** All that a diagnostic finds in events. */
function foundIn(
  diagnostic: OperatorFunction<TrainEvent, DiagnosticEvent>,
  events: readonly TrainEvent[],
): readonly DiagnosticEvent[] {
  let all: readonly DiagnosticEvent[] = []
  from(events)
    .pipe(diagnostic, toArray())
    .subscribe((found) => {
      all = found
    })
  return all
}

const often = { every: 1, window: 3 } as const

describe('one event begins an episode, another only follows a recovery:', () => {
  test('vanishingGradient', () => {
    const ratios = [0.1, 0.1, 1e-5, 1e-5, 1e-5, 0.1, 0.1, 0.1, 0.1, 1e-5, 1e-5]
    expectMarbles(vanishingGradient(often), ratios.map(ofRatio), '---d------d|')
  })

  test('vanishingGradient without a recovery of as many looks as the window', () => {
    const ratios = [1e-5, 1e-5, 1e-5, 0.1, 0.1, 1e-5, 1e-5, 1e-5]
    expectMarbles(vanishingGradient(often), ratios.map(ofRatio), '--d-----|')
  })

  test('explodingGradient', () => {
    expectMarbles(explodingGradient(often), [1, 1, 1e4, 1e4, 1e4, Number.NaN, 1].map(ofRatio), '---d---|')
    expectMarbles(explodingGradient(often), [1, Number.NaN, 1].map(ofRatio), '-d-|')
  })

  test('deadReLU', () => {
    const look = deadReLU({ every: 1, window: 2 })
    const [dead, alive] = [[[0, 0, 1]], [[0, 1, 1]]]
    const outputs = [alive, alive, dead, dead, dead, dead, alive, dead, alive, alive, dead, dead]
    expectMarbles(look, outputs.map(ofActivations), '---d-------d|')
    // One healthy window is no recovery.
    expectMarbles(look, [dead, dead, alive, alive, dead, dead].map(ofActivations), '-d----|')
  })

  test('saturation', () => {
    const look = saturation({ of: 'tanh', every: 1, window: 2 })
    const [ill, well] = [[[1, -1, 0.99]], [[0.5, -0.9, 1]]]
    expectMarbles(look, [well, well, ill, ill, ill, ill].map(ofActivations), '---d--|')
  })

  test('activationMean', () => {
    const look = activationMean({ every: 1, window: 2 })
    const [ill, well] = [
      [[0.5], [0.7]],
      [[0.5], [-0.7]],
    ]
    expectMarbles(look, [well, well, ill, ill, ill, ill].map(ofActivations), '---d--|')
    const zero = [[0], [0]]
    expectMarbles(look, [ill, ill, zero, zero, zero, zero, ill, ill].map(ofActivations), '-d------|')
  })

  test('internalCovariateShift', () => {
    const look = internalCovariateShift({ every: 1, window: 2 })
    const around = (mean: number) => [[mean - 1], [mean + 1]]
    expectMarbles(look, [0, 0, 3, 3, 3, 3].map(around).map(ofActivations), '---d--|')
  })

  test('lossSpike', () => {
    const losses = [1, 1.1, 0.9, 1, 90, 80, 1, 1, 1, 0.9, 90]
    expectMarbles(
      lossSpike({ window: 4 }),
      losses.map((loss, at) => step(at, { loss })),
      '----d-----d|',
    )
  })

  test('lossSpike without a recovery of as many steps as the window', () => {
    const losses = [1, 1.1, 0.9, 1, 1.1, 0.9, 90, 1, 90, 1]
    expectMarbles(
      lossSpike({ window: 6 }),
      losses.map((loss, at) => step(at, { loss })),
      '------d---|',
    )
  })

  test('lossSpike where nothing moved before', () => {
    const losses = [1, 1, 1, 1.05, 1, 1.2]
    expectMarbles(
      lossSpike({ window: 3 }),
      losses.map((loss, at) => step(at, { loss })),
      '-----d|',
    )
  })

  test('lossSpike of a loss that grows steadily, long before the window is full', () => {
    const growing = (by: number, from: (at: number) => number = () => 1) =>
      Array.from({ length: 60 }, (_, at) => step(at, { loss: from(at) * by ** at }))
    for (const by of [1.1, 1.3, 2]) {
      const [found, ...more] = foundIn(lossSpike(), growing(by))
      expect([found?.step, more.length]).toEqual([19, 0])
      // The median of the latest five over that of the first five: fifteen steps apart.
      expect(found).toMatchObject({ value: expect.closeTo(by ** 15), threshold: 2 })
    }
    const [slow] = foundIn(lossSpike(), growing(1.02))
    expect(slow!.step).toBeLessThan(50)
    // Up and down by a factor of 4, around a level that stays.
    expect(
      foundIn(
        lossSpike(),
        growing(1, (at) => 2 ** (at % 3)),
      ),
    ).toEqual([])
    // Steadily, but below where it began.
    expect(
      foundIn(
        lossSpike(),
        growing(1.1, (at) => (at < 5 ? 1e4 : 1)),
      ),
    ).toEqual([])
  })

  test('lossSpike where losses lie decades apart, and one far above them', () => {
    const decades = (at: number) => 10 ** -((7 * at) % 5)
    const losses = (last: number) =>
      [...Array.from({ length: 50 }, (_, at) => decades(at)), last].map((loss, at) => step(at, { loss }))
    expect(foundIn(lossSpike(), losses(3))).toEqual([])
    expect(foundIn(lossSpike(), losses(1e8))).toMatchObject([{ step: 50 }])
  })

  test('lossSpike of a loss that is no number, at once', () => {
    const losses = [1, Number.NaN, Number.NaN]
    expectMarbles(
      lossSpike(),
      losses.map((loss, at) => step(at, { loss })),
      '-d-|',
    )
  })

  test('plateau', () => {
    const losses = [1, 0.8, 0.6, 0.6, 0.6, 0.4, 0.2]
    expectMarbles(
      plateau({ window: 3 }),
      losses.map((loss, at) => epoch(at, loss)),
      '----d--|',
    )
    const halved = [1, 1, 1, 0.5, 0.5, 0.5]
    expectMarbles(
      plateau({ window: 3 }),
      halved.map((loss, at) => epoch(at, loss)),
      '--d---|',
    )
    const zeros = [0, 0, 0, 0].map((loss, at) => validation(at, loss))
    expectMarbles(plateau({ monitor: 'validation', window: 3 }), zeros, '----|')
  })

  test('plateau of a loss that stands or swings, and not of one that rises or that falls below 0', () => {
    const none = '------|'
    const of = (...losses: readonly number[]) => losses.map((loss, at) => epoch(at, loss))
    expectMarbles(plateau(), of(1, 2, 4, 8, 16, 32), none)
    expectMarbles(plateau(), of(1, 1.03, 1.06, 1.09, 1.12, 1.15), none)
    expectMarbles(plateau(), of(2, 1, 0.5, 0, -0.5, -1), none)
    // Upwards by a tenth along the median slope, but up and down.
    expectMarbles(plateau(), of(1, 1.3, 1.1, 1.25, 1.15, 1.2), '----d-|')
  })

  test('overfitting', () => {
    const losses = [
      [1, 1.2],
      [0.8, 1.1],
      [0.6, 1.2],
      [0.4, 1.3],
      [0.2, 1.4],
    ] as const
    const trained = (at: number, loss: number): TrainEvent => step(at, { loss, rows: 8 })
    const events = losses.flatMap(([training, other], at) => [trained(at, training), validation(at, other)])
    expectMarbles(overfitting({ window: 3 }), events, '-------d--|')
    // Levels say nothing: the same trends where the training loss is the higher one.
    const raised = losses.flatMap(([training, other], at) => [
      trained(at, training + 5),
      validation(at, other),
    ])
    expectMarbles(overfitting({ window: 3 }), raised, '-------d--|')
    const rising = losses.flatMap(([training, other], at) => [trained(at, -training), validation(at, other)])
    expectMarbles(overfitting({ window: 3 }), rising, '----------|')
  })

  test('overfitting of a steady rise alone, until the loss was back near its best', () => {
    const trained = (losses: readonly number[]) =>
      losses.flatMap((loss, at) => [step(at, { loss: 10 - at, rows: 8 }), validation(at, loss)])
    // By more than a tenth along the median slope, but up and down.
    expectMarbles(overfitting({ window: 5 }), trained([1, 1.3, 0.9, 1.2, 1.1, 1.3]), '------------|')
    // It rests above the best, then at the best.
    const rest = [1.2, 1.1, 1.2, 1.3, 1.3, 1.3, 1.3, 1.4, 1.5]
    expectMarbles(overfitting({ window: 3 }), trained(rest), '-------d----------|')
    const back = [1.2, 1.1, 1.2, 1.3, 1.2, 1.1, 1.1, 1.3, 1.5]
    expectMarbles(overfitting({ window: 3 }), trained(back), '-------d-------d--|')
  })

  test('overfitting compares what was trained between the validations, however many steps that was', () => {
    const falls = (from: number, steps: number, at: number): TrainEvent[] =>
      Array.from({ length: steps }, (_, i) => step(at * steps + i, { loss: from - i, rows: 8 }))
    const every = (steps: number, fall: number) =>
      [1, 1.2, 1.4].flatMap((loss, at) => [
        ...falls(20 - fall * at, steps, at),
        { ...validation(at, loss), step: (at + 1) * steps } as TrainEvent,
      ])
    expectMarbles(overfitting({ window: 3 }), every(3, 1), '-----------d|')
    // The loss falls from step to step, and from one validation to the next it is the same.
    expectMarbles(overfitting({ window: 3 }), every(3, 0), '------------|')
    const [found] = foundIn(overfitting({ window: 3 }), every(1, 1))
    expect(found?.advice).toContain('over 3 validations while the training loss fell')
  })

  test('updateRatio', () => {
    const look = updateRatio({ every: 1, window: 3 })
    let value = 1
    const ofUpdates = (update: number, at: number): TrainEvent => {
      value *= 1 + update
      return step(at, { weights: { tree: { layers: [weights(value)] } } })
    }
    expectMarbles(look, [0, 1e-3, 1e-3, 0.5, 0.5, 1e-3, 1e-3].map(ofUpdates), '----d--|')
    expectMarbles(look, [0, 1e-6, 1e-6, 1e-6, 1e-6].map(ofUpdates), '---d-|')
    // Between the steps that are compared weights go where they want.
    const rare = updateRatio({ every: 10, window: 1 })
    expectMarbles(
      rare,
      [0, 1e-3, 5, 1e-3].map((update, i) => ofUpdates(update, [0, 1, 10, 11][i]!)),
      '----|',
    )
    // Frozen: nothing was changed.
    expectMarbles(look, [0, 0, 0, 0, 0].map(ofUpdates), '-----|')
  })

  test('datasetSize', () => {
    expectMarbles(datasetSize({ classes: 10 }), [start, epoch(0, 1), epoch(1, 1)], '-d-|')
    expectMarbles(datasetSize({ classes: [6000, 120] }), [start, epoch(0, 1)], 'd-|')
    expectMarbles(datasetSize({ classes: [6000, 5000] }), [start, epoch(0, 1)], '--|')
  })

  test('datasetSize of a part of an epoch', () => {
    const look = datasetSize({ classes: 10, threshold: 20 })
    // 40 of 100 rows, 40 of 400, and 40 of nobody knows how many.
    const after = (stepsPerEpoch: number | undefined) => [startOf({ stepsPerEpoch, steps: 1 }), epoch(0, 1)]
    expect(foundIn(look, after(10))).toMatchObject([{ value: 10 }])
    expect(foundIn(look, after(40))).toEqual([])
    expect(foundIn(look, after(undefined))).toEqual([])
    const whole = [startOf({ steps: 3 }), epoch(0, 1), epoch(2, 1)]
    expect(foundIn(look, whole)).toMatchObject([{ epoch: 0, value: 4 }])
  })
})

describe('what is told', () => {
  test('names the layer, what was measured, its limit, and what to try', () => {
    expect(foundIn(vanishingGradient({ every: 1, window: 1 }), [ofRatio(2 ** -20, 0)])).toEqual([
      {
        type: 'diagnostic',
        name: 'vanishingGradient',
        step: 0,
        epoch: 0,
        path: 'layers.0',
        value: 2 ** -20,
        threshold: 1e-3,
        advice:
          'the gradient of layers.0 is 9.54e-7 of that of layers.1: try relu with heNormal in place of sigmoid or tanh, batchNorm, or residual connections.',
      },
    ])
  })

  test('compares the layers that are named, in the order in which they are', () => {
    const look = vanishingGradient({ every: 1, window: 1, layers: ['layers.1', 'layers.0'] })
    expect(foundIn(look, [ofRatio(1e6, 0)])).toMatchObject([{ path: 'layers.1' }])
    const wrong = vanishingGradient({ every: 1, layers: ['layers.0', 'head'] })
    expect(() => foundIn(wrong, [])).not.toThrow()
    let error: unknown
    of(ofRatio(1, 0))
      .pipe(wrong)
      .subscribe({ error: (one) => (error = one) })
    expect(String(error)).toContain(
      "vanishingGradient: no weights are in layer 'head'; use layers of layers.0, layers.1",
    )
  })

  test('compares layers in the order in which the model made them, where the start was heard', () => {
    const look = vanishingGradient({ every: 1, window: 1 })
    const parts = step(0, {
      gradients: { tree: { body: weights(1e-5), head: weights(1), stem: weights(2 ** -20) } },
    })
    expect(foundIn(look, [parts])).toEqual([])
    const parameters = Object.fromEntries(['stem', 'body', 'head'].map((name) => [`${name}.weight`, [1, 1]]))
    const [found] = foundIn(look, [startOf({ parameters }), parts])
    expect(found).toMatchObject({ path: 'stem', value: 2 ** -20 })
    expect(found!.advice).toContain('the gradient of stem is 9.54e-7 of that of head')
  })

  test('compares biases where weights hide the ratio, but none that a norm keeps without a gradient', () => {
    const layer = (weight: number, bias: number) => ({ weight: t.tensor([[weight]]), bias: t.tensor([bias]) })
    const of = (...layers: readonly unknown[]) => [step(0, { gradients: { tree: { layers } } })]
    const [vanishing, exploding] = [vanishingGradient, explodingGradient].map((look) =>
      look({ every: 1, window: 1 }),
    ) as [ReturnType<typeof vanishingGradient>, ReturnType<typeof explodingGradient>]
    const steep = of(layer(64, 2 ** 9), layer(64, 1), layer(64, 2))
    expect(foundIn(exploding, steep)).toMatchObject([{ path: 'layers.0', value: 256 }])
    expect(foundIn(vanishing, steep)).toEqual([])
    const flat = of(layer(1, 2 ** -9), layer(1, 1), layer(1, 8))
    expect(foundIn(vanishing, flat)).toMatchObject([{ value: 2 ** -12 }])
    expect(foundIn(exploding, flat)).toEqual([])
    const normed = of(layer(1, 1e-7), layer(1, 1e-7), layer(1, 1))
    expect(foundIn(vanishing, normed)).toEqual([])
    // Rows of zeros reach no weight, and a norm divides by next to nothing.
    expect(foundIn(exploding, of(layer(1, 2 ** 9), layer(1, 1), layer(1, 2)))).toEqual([])
    const lastNormed = of(layer(1, 1), layer(1, 1), layer(1, 1e-7))
    expect(foundIn(exploding, lastNormed)).toEqual([])
  })

  test('leaves out what commands have frozen, also after going back and in a run that goes on', () => {
    const look = vanishingGradient({ every: 1, window: 1 })
    const at = (n: number): TrainEvent =>
      step(n, { gradients: { tree: { layers: [weights(0), weights(1), weights(1)] } } })
    const steps = (events: readonly TrainEvent[]) => foundIn(look, events).map((event) => event.step)
    const freeze = command(0, { type: 'freeze', path: 'layers.0.**' })
    const unfreeze = command(2, { type: 'unfreeze', path: 'layers.*.weight' })
    expect(steps([start, at(0)])).toEqual([0])
    expect(steps([start, freeze, at(0), at(1)])).toEqual([])
    expect(steps([start, freeze, at(0), at(1), unfreeze, at(2)])).toEqual([2])
    expect(steps([start, { ...freeze, refused: 'no' } as TrainEvent, at(0)])).toEqual([0])
    const back = command(1, { type: 'restore', from: 1, what: 'all' })
    expect(steps([start, freeze, at(0), at(1), unfreeze, at(2), back, at(1), at(2)])).toEqual([2])
    const frozen = ['layers.0.bias', 'layers.0.weight']
    const goingOn = startOf({ parameters: { 'layers.0.weight': [1, 1] }, resumed: { frozen } })
    expect(steps([goingOn, at(4)])).toEqual([])
    const other = command(0, { type: 'restore', from: { frozen } as never, what: 'all' })
    expect(steps([start, at(4), other, at(0)])).toEqual([4])
  })

  test('that the gradient of a single layer is no finite number', () => {
    const look = explodingGradient({ every: 1 })
    const single = (weight: number, bias: number) =>
      step(0, { gradients: { tree: [{ weight: t.tensor([[weight]]), bias: t.tensor([bias]) }] } })
    expect(foundIn(look, [single(Number.NaN, 0)])).toMatchObject([
      { path: '0', value: Number.POSITIVE_INFINITY },
    ])
    expect(foundIn(look, [single(1, Number.NEGATIVE_INFINITY)])).toHaveLength(1)
    expect(foundIn(look, [single(1, 1)])).toEqual([])
  })

  test('nothing of gradients that are all 0, nor of a single layer', () => {
    const look = vanishingGradient({ every: 1, window: 1 })
    const flat = step(0, { gradients: { tree: [weights(0), weights(0)] } })
    const single = step(1, { gradients: { tree: weights(1e-9) } })
    expect(foundIn(look, [flat, single])).toEqual([])
    const lastIsFlat = step(2, { gradients: { tree: [weights(1), weights(0)] } })
    expect(foundIn(explodingGradient({ every: 1, window: 1 }), [lastIsFlat])).toEqual([])
  })

  test('nothing of the saturation of a layer whose outputs go beyond the limits', () => {
    const look = saturation({ of: 'sigmoid', every: 1, window: 1 })
    expect(foundIn(look, [ofActivations([[0, 0, 0, 3]], 0)])).toEqual([])
    expect(foundIn(look, [ofActivations([[0, 0, 0, 1]], 0)])).toMatchObject([{ value: 1 }])
  })

  test('nothing of the model’s own outputs, which no layer with parameters reads', () => {
    const parameters = Object.fromEntries(['layers.2', 'layers.10'].map((path) => [`${path}.weight`, [1, 1]]))
    const all = ['head', 'layers.9', 'layers.9.layers.3', 'layers.10', 'layers.11']
    const at = (n: number, mean: number): TrainEvent => {
      const outputs = () => t.tensor([[mean - 1], [mean + 1]])
      return step(n, { activations: { tree: Object.fromEntries(all.map((path) => [path, outputs()])) } })
    }
    const look = internalCovariateShift({ every: 1, window: 1 })
    const drift = [at(0, 0), at(1, 9)]
    expect(foundIn(look, drift).map(({ path }) => path)).toEqual(all)
    const read = ['head', 'layers.9', 'layers.9.layers.3']
    expect(foundIn(look, [startOf({ parameters }), ...drift]).map(({ path }) => path)).toEqual(read)
    const means = activationMean({ every: 1, window: 1 })
    expect(foundIn(means, [startOf({ parameters }), at(0, 9)]).map(({ path }) => path)).toEqual(read)
  })

  test('what to try where means are far from 0, by whether outputs are ever negative', () => {
    const look = activationMean({ every: 1, window: 1 })
    const advice = (...values: readonly number[]) =>
      foundIn(look, [
        ofActivations(
          values.map((value) => [value]),
          0,
        ),
      ]).map((found) => found.advice)
    expect(advice(0.5, 0.6)).toEqual([
      expect.stringContaining('try tanh in place of sigmoid, or batchNorm before it.'),
    ])
    const [mixed] = advice(...Array.from({ length: 20 }, () => 9), -1)
    expect(mixed).toContain('try batchNorm after it, or inputs of mean 0.')
  })

  test('that a deviation changed, where the means stay', () => {
    const look = internalCovariateShift({ every: 1, window: 1 })
    const spread = (by: number, at: number): TrainEvent => ofActivations([[-by], [by]], at)
    expect(foundIn(look, [spread(1, 0), spread(16, 1)])).toMatchObject([
      { value: expect.closeTo(Math.log(16)), advice: expect.stringContaining('by a factor of 16') },
    ])
  })
})

describe('what is read', () => {
  test('tensors of steps that are due, and of no others', () => {
    const read: number[] = []
    const watched = (at: number): TrainEvent => {
      const tree = { tree: { layers: [weights(1), weights(1)] } }
      const activations = { tree: { 'layers.1': t.tensor([[1]]) } }
      const noted = <T>(value: T): T => {
        read.push(at)
        return value
      }
      return {
        type: 'step',
        step: at,
        epoch: 0,
        get gradients() {
          return noted(tree)
        },
        get weights() {
          return noted(tree)
        },
        get activations() {
          return noted(activations)
        },
      } as unknown as StepEvent
    }
    const steps = Array.from({ length: 25 }, (_, at) => watched(at))
    const readBy = (diagnostic: OperatorFunction<TrainEvent, DiagnosticEvent>): number[] => {
      read.length = 0
      foundIn(diagnostic, steps)
      return [...read]
    }
    expect(readBy(vanishingGradient())).toEqual([0, 10, 20])
    expect(readBy(explodingGradient({ every: 7 }))).toEqual([0, 7, 14, 21])
    expect(readBy(deadReLU())).toEqual([0, 10, 20])
    expect(readBy(updateRatio({ every: 10 }))).toEqual([0, 1, 10, 11, 20, 21])
    expect(readBy(lossSpike())).toEqual([])
  })
})

describe('memory', () => {
  test('of each subscription is its own', () => {
    const look = vanishingGradient(often)
    const events = [1e-5, 1e-5].map(ofRatio)
    expect(foundIn(look, events)).toEqual([])
    expect(foundIn(look, events)).toEqual([])
  })

  test('begins anew with another run', () => {
    const look = lossSpike({ window: 3 })
    const run = (...losses: readonly number[]) => losses.map((loss, at) => step(at, { loss }))
    const spiked = run(1, 1, 1, 90)
    expect(foundIn(look, [start, ...spiked, start, ...spiked]).map((event) => event.step)).toEqual([3, 3])
    // A run that was resumed starts further on.
    const further = [ofRatio(1e-5, 4), { ...start, step: 9 }, ofRatio(1e-5, 9), ofRatio(1e-5, 10)]
    const ill = foundIn(vanishingGradient({ every: 1, window: 1 }), further)
    expect(ill.map((event) => event.step)).toEqual([4, 9])
  })

  test('begins anew where steps are made again, as after the command restore', () => {
    const look = vanishingGradient({ every: 1, window: 1 })
    const again = [4, 5, 4, 5].map((at) => ofRatio(1e-5, at))
    expect(foundIn(look, again).map((event) => event.step)).toEqual([4, 4])
  })
})

describe('diagnostics', () => {
  test('shares one run among all, and emits what each finds', () => {
    const look = diagnostics(plateau({ window: 3 }), lossSpike({ window: 3 }), datasetSize({ classes: 2 }))
    virtually((_, { cold, expectObservable, expectSubscriptions }) => {
      const events$ = cold<TrainEvent>('ae-f--gh-i-b--|', {
        a: start,
        b: step(4, { loss: 90 }),
        e: epoch(0, 1),
        f: epoch(1, 1),
        g: epoch(2, 1),
        h: step(1, { loss: 1 }),
        i: step(2, { loss: 1 }),
      })
      const found$ = events$.pipe(
        look,
        map(({ name }) => name),
      )
      expectObservable(found$).toBe('-d----p-------|', { d: 'datasetSize', p: 'plateau' })
      expectSubscriptions(events$.subscriptions).toBe('^-------------!')
    })
    const losses = [1, 1, 1, 90]
    const spiked = losses.map((loss, at) => step(at, { loss }))
    const both = diagnostics(lossSpike({ window: 3 }), lossSpike({ window: 3, threshold: 20 }))
    expect(foundIn(both, spiked).map(({ threshold }) => threshold)).toEqual([10, 20])
  })

  test('refuses nothing at all, and what is no operator', () => {
    expect(() => diagnostics()).toThrow(
      'diagnostics: nothing to look for; pass vanishingGradient() or others',
    )
    let failure: unknown
    of(step(0, {}))
      .pipe(diagnostics(plateau as never))
      .subscribe({ error: (error) => (failure = error) })
    expect(failure).toMatchObject({
      message: 'plateau: options must be an object, got an Observable; write { monitor: … } or plateau()',
    })
    expect(() => diagnostics('plateau' as never)).toThrow(
      'diagnostics: a diagnostic must be an operator, got a string; pass lossSpike()',
    )
  })

  test('passes errors on', () => {
    virtually((_, { cold, expectObservable }) => {
      expectObservable(cold<TrainEvent>('--#').pipe(diagnostics(plateau(), lossSpike()))).toBe('--#')
    })
  })
})

describe('options are checked at once:', () => {
  test.each([
    [
      'vanishingGradient: threshold must be a finite number above 0, got 0',
      () => vanishingGradient({ threshold: 0 }),
    ],
    ['explodingGradient: every must be an integer from 1 on, got 0', () => explodingGradient({ every: 0 })],
    [
      'vanishingGradient: the number of layers must be an integer from 2 on, got 1',
      () => vanishingGradient({ layers: ['layers.0'] }),
    ],
    ['deadReLU: threshold must be between 0 and 1, got 1', () => deadReLU({ threshold: 1 })],
    ['deadReLU: window must be an integer from 1 on, got 1.5', () => deadReLU({ window: 1.5 })],
    ["saturation: of must be 'tanh' or 'sigmoid', got 'relu'", () => saturation({ of: 'relu' as never })],
    ['saturation: margin must be between 0 and 0.5, got 0.5', () => saturation({ of: 'tanh', margin: 0.5 })],
    ['activationMean: threshold must be between 0 and 1, got 2', () => activationMean({ threshold: 2 })],
    [
      'internalCovariateShift: threshold must be a finite number above 0, got NaN',
      () => internalCovariateShift({ threshold: Number.NaN }),
    ],
    ['lossSpike: window must be an integer from 3 on, got 2', () => lossSpike({ window: 2 })],
    [
      "plateau: monitor must be 'epoch' or 'validation', got 'step'",
      () => plateau({ monitor: 'step' as never }),
    ],
    ['overfitting: window must be an integer from 3 on, got 2', () => overfitting({ window: 2 })],
    ['updateRatio: lowest must be between 0 and 0.01, got 0.1', () => updateRatio({ lowest: 0.1 })],
    [
      'datasetSize: the number of classes must be an integer from 1 on, got 0',
      () => datasetSize({ classes: [] }),
    ],
    [
      'datasetSize: classes.1 must be an integer from 1 on, got 0.5',
      () => datasetSize({ classes: [10, 0.5] }),
    ],
  ] as const)('%s', (words, make) => {
    expect(make).toThrow(words)
    expect(make).toThrow(RangeError)
  })
})

describe('covariateShift', () => {
  const column = (...values: readonly number[]) =>
    dataset({
      x: { shape: [values.length, 1], values: Float32Array.from(values) },
      y: { shape: [values.length, 1], values: new Float32Array(values.length) },
    }).batch(7)
  const run = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

  test('measures the distance of distributions and of means', async () => {
    const { features, diagnostics } = await covariateShift(column(...run(0, 100)), column(...run(50, 150)))
    expect(features).toEqual([
      { path: 'x.0', distance: 0.5, meanDifference: expect.closeTo(50 / Math.sqrt(9999 / 12)) },
    ])
    expect(diagnostics).toMatchObject([
      { type: 'diagnostic', name: 'covariateShift', path: 'x.0', value: 0.5, step: 0, epoch: 0 },
    ])
  })

  test('sees values that are no numbers, and says how many', async () => {
    const rows = run(0, 100)
    const training = column(...rows)
    const against = async (change: (value: number) => number) => {
      const { features, diagnostics } = await covariateShift(training, column(...rows.map(change)))
      return { ...features[0]!, advice: diagnostics.map(({ advice }) => advice) }
    }
    const all = await against(() => Number.NaN)
    expect(all).toMatchObject({ distance: 1, meanDifference: Number.NaN })
    expect(all.advice).toEqual([
      'x.0 is no finite number in 100 % of the validation rows and 0 % of those for training: try to fill such values, or to leave such rows out, in both alike.',
    ])
    const half = await against((value) => (value % 2 === 0 ? value : Number.NaN))
    expect(half).toMatchObject({
      distance: 0.5,
      advice: [expect.stringContaining('in 50 % of the validation')],
    })
    const infinite = await against(() => Number.POSITIVE_INFINITY)
    expect(infinite).toMatchObject({ distance: 1, advice: [expect.stringContaining('in 100 %')] })
    const both = await covariateShift(
      column(...rows.map(() => Number.NaN)),
      column(...rows.map(() => Number.NaN)),
    )
    expect([both.features[0]!.distance, both.diagnostics]).toEqual([0, []])
  })

  test('says of two constants that they are', async () => {
    const rows = run(0, 100)
    const { diagnostics } = await covariateShift(column(...rows.map(() => 5)), column(...rows.map(() => 6)))
    expect(diagnostics).toMatchObject([
      { value: 1, advice: expect.stringContaining(', a constant in both: try') },
    ])
  })

  test('passes what few rows differ by through chance', async () => {
    const { features, diagnostics } = await covariateShift(column(...run(0, 8)), column(...run(4, 12)))
    expect([features[0]!.distance, diagnostics.length]).toEqual([0.5, 0])
  })

  test('is 0 of equal data, of constants too, and reads no more rows than asked', async () => {
    expect((await covariateShift(column(5, 5, 5), column(5, 5, 5))).features).toEqual([
      { path: 'x.0', distance: 0, meanDifference: 0 },
    ])
    const longer = column(...run(0, 10), ...run(90, 100))
    const { features } = await covariateShift(column(...run(0, 10)), longer, { rows: 10 })
    expect(features[0]!.distance).toBe(0)
  })

  test('refuses options out of range, no data, and rows of different sizes', async () => {
    const data = column(1, 2, 3)
    await expect(covariateShift(data, data, { rows: 1 })).rejects.toThrow(
      'covariateShift: rows must be an integer from 2 on, got 1',
    )
    await expect(covariateShift(data, data, { threshold: 1 })).rejects.toThrow(
      'covariateShift: threshold must be between 0 and 1, got 1',
    )
    await expect(covariateShift(column(1).skip(1), data)).rejects.toThrow(
      'covariateShift: the training data gave no batch',
    )
    await expect(covariateShift(data, null as never)).rejects.toThrow(
      'covariateShift: validation must be a dataset, got null',
    )
    const pairs = dataset({
      x: { shape: [2, 2], values: new Float32Array(4) },
      y: { shape: [2, 1], values: new Float32Array(2) },
    })
    await expect(covariateShift(data, pairs.batch(2))).rejects.toThrow(
      'covariateShift: rows must be of one size, got 1 features in training and 2 in validation',
    )
  })
})

test('a window in order has the median, and the distance around it, of sorting anew', () => {
  const values = t.uniformValues(t.key(5), 200, -1, 1).map((value) => Math.round(8 * value) + 0)
  for (const size of [1, 3, 8, 25]) {
    const window = new OrderedWindow(size)
    values.forEach((value, i) => {
      window.push(value)
      const latest = values.slice(Math.max(0, i + 1 - size), i + 1)
      const middle = (latest.length - 1) >> 1
      const median = latest.toSorted()[middle]!
      expect(window.median).toBe(median)
      expect(window.distance).toBe(latest.map((one) => Math.abs(one - median)).toSorted()[middle])
      expect(window.isFull).toBe(i + 1 >= size)
    })
  }
})
