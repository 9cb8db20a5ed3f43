import * as t from '@tapeflow/autodiff'
import { type Dataset, dataset } from '@tapeflow/data'
import {
  dropout,
  heNormal,
  type Initializer,
  type Layer,
  type LinearParams,
  linear,
  mse,
  relu,
  type Sequential,
  type SizePreserving,
  sequential,
  sigmoid,
  tanh,
} from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { lastValueFrom, type OperatorFunction, Subject, toArray } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  activationMean,
  covariateShift,
  type DiagnosticEvent,
  datasetSize,
  deadReLU,
  diagnostics,
  explodingGradient,
  type FitOptions,
  fit,
  internalCovariateShift,
  lossSpike,
  type Model,
  overfitting,
  plateau,
  saturation,
  type TrainEvent,
  updateRatio,
  vanishingGradient,
} from '../src/index.ts'
import { eventsOf, modes, points, type Sample, surface, surfaceModel } from './small.ts'

type Bent = SizePreserving<null, null>
type Linear = Layer<LinearParams, null>
type Block = Sequential<[Bent, Linear, Bent, Linear, Bent, Linear]>
type Deep = Sequential<[Linear, Block, Block, Block, Block, Bent, Linear]>

/** Fourteen layers of weights, each behind an activation but the first. */
function deep(width: number, bent: () => Bent, weight: Initializer | undefined): Deep {
  const dense = (from: number, to: number): Linear =>
    weight === undefined ? linear(from, to) : linear(from, to, { weight })
  const inner = (): Linear => dense(width, width)
  const block = (): Block => sequential(bent(), inner(), bent(), inner(), bent(), inner())
  return sequential(dense(2, width), block(), block(), block(), block(), bent(), dense(width, 1))
}

/** Normal weights of `gain` times the deviation that keeps variances. */
function times(gain: number): Initializer {
  return (key, shape, fanIn) => t.mul(t.normal(key, shape), gain / Math.sqrt(fanIn))
}

const usual: FitOptions = {
  data: surface(64).batch(32),
  loss: mse(),
  optimizer: sgd({ learningRate: 0.1 }),
  steps: 60,
}

/** What a diagnostic finds in a run. */
async function found<P extends t.Tree, S extends t.Tree>(
  diagnostic: OperatorFunction<TrainEvent, DiagnosticEvent>,
  model: Model<P, S>,
  options: Partial<FitOptions> = {},
): Promise<readonly DiagnosticEvent[]> {
  const all = await lastValueFrom(fit(model, { ...usual, ...options }).pipe(diagnostic, toArray()))
  for (const { advice } of all) expect(advice).toMatch(/^\S.*: try .*\.$/)
  return all
}

describe.each(modes)('%s:', (_, mode) => {
  test('vanishingGradient sees sigmoids one after the other, and none of two tanh or of ReLUs', async () => {
    const options = { ...mode, watch: ['gradients'] } as const
    expect(await found(vanishingGradient(), deep(8, sigmoid, times(1)), options)).toEqual([
      {
        type: 'diagnostic',
        name: 'vanishingGradient',
        step: 40,
        epoch: 20,
        path: 'layers.0',
        value: expect.closeTo(0, 3),
        threshold: 1e-3,
        advice: expect.stringContaining('of that of layers.6: try relu'),
      },
    ])
    expect(await found(vanishingGradient(), deep(8, relu, heNormal), options)).toEqual([])
    expect(await found(vanishingGradient(), surfaceModel, options)).toEqual([])
  })

  test('deadReLU sees what a high rate or a low bias kills, and no live ones', async () => {
    const options = { ...mode, watch: ['activations:layers.1'], steps: 100 } as const
    const model = (bias: number) =>
      sequential(linear(2, 32, { bias: (_, shape) => t.full(shape, bias) }), relu(), linear(32, 1))
    const rough = sgd({ learningRate: 2 })
    const ofRate = await found(deadReLU({ every: 5 }), model(0), { ...options, optimizer: rough })
    expect(ofRate).toMatchObject([{ path: 'layers.1', value: 1, threshold: 0.4 }])
    expect(await found(deadReLU(), model(-10), options)).toMatchObject([{ step: 90, value: 1 }])
    expect(await found(deadReLU({ every: 5 }), model(0), options)).toEqual([])
  })
})

test('explodingGradient sees steep tanh, and gradients that are no numbers, and not two tanh', async () => {
  const watch = ['gradients'] as const
  const still = { watch, optimizer: sgd({ learningRate: 1e-6 }), steps: 10 }
  const look = explodingGradient({ every: 1 })
  expect(await found(look, deep(64, tanh, times(8)), still)).toMatchObject([
    { step: 4, path: 'layers.0', value: expect.any(Number), threshold: 100 },
  ])
  const wild = { watch, optimizer: sgd({ learningRate: 1e4 }) }
  expect(await found(explodingGradient(), surfaceModel, wild)).toMatchObject([
    { step: 10, value: Number.POSITIVE_INFINITY },
  ])
  expect(await found(explodingGradient(), surfaceModel, { watch })).toEqual([])
})

test('saturation sees tanh and sigmoid of large weights, and not of small ones', async () => {
  const options = { watch: ['activations'], steps: 100 } as const
  const far = await found(saturation({ of: 'tanh' }), deep(16, tanh, times(10)), options)
  expect(far.map(({ path }) => path)).toContain('layers.2.layers.0')
  expect(far.map(({ path }) => path)).not.toContain('layers.0')
  const sigmoids = await found(saturation({ of: 'sigmoid' }), deep(16, sigmoid, times(20)), options)
  expect(sigmoids.map(({ path }) => path)).toContain('layers.2.layers.0')
  expect(await found(saturation({ of: 'tanh' }), surfaceModel, options)).toEqual([])
  const well = saturation({ of: 'sigmoid' })
  expect(await found(well, deep(16, sigmoid, times(1)), options)).toEqual([])
})

test('activationMean sees sigmoids, and neither tanh nor a ReLU', async () => {
  const options = { watch: ['activations:layers.1'], steps: 100 } as const
  const hidden = (bent: () => Bent) => sequential(linear(2, 16), bent(), linear(16, 1))
  expect(await found(activationMean(), hidden(sigmoid), options)).toMatchObject([
    { step: 90, path: 'layers.1', threshold: 0.75 },
  ])
  expect(await found(activationMean(), hidden(tanh), options)).toEqual([])
  expect(await found(activationMean(), hidden(relu), options)).toEqual([])
})

test('internalCovariateShift sees a rate that is too high, and not a fair one', async () => {
  const look = internalCovariateShift({ every: 2, window: 5 })
  const options = { watch: ['activations:layers.2'] } as const
  const rough = { ...options, optimizer: sgd({ learningRate: 1 }) }
  expect(await found(look, surfaceModel, rough)).toMatchObject([{ step: 18, path: 'layers.2' }])
  expect(await found(look, surfaceModel, options)).toEqual([])
})

describe('overfitting', () => {
  /** Targets with noise of deviation 1: what cannot be learned but by heart. */
  const noisy = (rows: number, seed: number): Dataset<Sample> => {
    const noise = t.normalValues(t.key(seed + 100), rows)
    let row = 0
    return surface(rows, seed).map(({ x, y }) => ({
      x,
      y: { shape: y.shape, values: y.values.map((value) => value + noise[row++ % rows]!) },
    }))
  }
  const hidden = 64

  test.each([1, 2, 3])('is seen where 16 noisy rows are learned by heart, seed %i', async (seed) => {
    const model = sequential(linear(2, hidden), tanh(), linear(hidden, hidden), tanh(), linear(hidden, 1))
    const events = await found(overfitting(), model, {
      data: noisy(16, 1).batch(16),
      validation: noisy(64, 2).batch(64),
      optimizer: adam({ learningRate: 0.02 }),
      seed,
    })
    expect(events.length).toBeGreaterThan(0)
    expect(events[0]!.value).toBeGreaterThan(0.05)
  })

  // The training loss lies above the validation loss, with noise of its own.
  test.each([1, 2, 3])('is not seen where dropout raises the training loss, seed %i', async (seed) => {
    const model = sequential(
      linear(2, hidden),
      tanh(),
      dropout(0.5),
      linear(hidden, hidden),
      tanh(),
      dropout(0.5),
      linear(hidden, 1),
    )
    const options = {
      data: surface(512, 1).batch(64),
      validation: surface(256, 2).batch(64),
      optimizer: adam({ learningRate: 0.02 }),
      steps: 240,
      seed,
    }
    expect(await found(overfitting(), model, options)).toEqual([])
    const epochs = await eventsOf(fit(model, { ...usual, ...options }))
    const last = epochs.findLast((event) => event.type === 'end')!.history.at(-1)!
    expect(last.loss).toBeGreaterThan(last.validation!.loss)
  })
})

test('plateau sees a rate that is too low, and not a loss that falls', async () => {
  const slow = { optimizer: sgd({ learningRate: 1e-5 }) }
  expect(await found(plateau(), surfaceModel, slow)).toMatchObject([{ step: 10, threshold: 0.01 }])
  expect(await found(plateau(), surfaceModel, { optimizer: adam({ learningRate: 0.01 }) })).toEqual([])
})

test('lossSpike sees a batch of outliers, and nothing without it', async () => {
  const pairs = (outlier: number) =>
    Array.from({ length: 80 }, (_, i) => [Math.sin(i), i === 60 ? outlier : Math.cos(7 * i)] as const)
  const options = (outlier: number) => ({ data: points(...pairs(outlier)).batch(2), steps: 40 })
  const model = linear(1, 1)
  const look = lossSpike({ window: 20 })
  expect(await found(look, model, options(100))).toMatchObject([{ step: 30, epoch: 0 }])
  expect(await found(look, model, options(0.5))).toEqual([])
})

test('updateRatio sees rates that are too low or too high, and not a fair one', async () => {
  const at = (learningRate: number) =>
    found(updateRatio({ every: 10 }), surfaceModel, { optimizer: adam({ learningRate }) })
  const layers = ['layers.0', 'layers.2', 'layers.4']
  expect(await at(1e-5)).toMatchObject(layers.map((path) => ({ path, step: 21, threshold: 1e-4 })))
  expect(await at(0.1)).toMatchObject(layers.map((path) => ({ path, step: 21, threshold: 1e-2 })))
  expect(await at(1e-3)).toEqual([])
})

test('datasetSize sees 32 rows a class after the first epoch, and stops nothing', async () => {
  expect(await found(datasetSize({ classes: 2 }), surfaceModel)).toMatchObject([
    { step: 2, epoch: 0, value: 32, threshold: 5000 },
  ])
  expect(await found(datasetSize({ classes: 2, threshold: 32 }), surfaceModel)).toEqual([])
})

describe('covariateShift', () => {
  test('sees a split of sorted rows, and not one of shuffled rows', async () => {
    const rows = await surface(400).toArray()
    const sorted = rows.toSorted((a, b) => a.x.values[1]! - b.x.values[1]!)
    const of = (some: typeof rows): Dataset<Sample> => {
      const column = (name: 'x' | 'y', width: number) => ({
        shape: [some.length, width],
        values: Float32Array.from(some.flatMap((row) => [...row[name].values])),
      })
      return dataset({ x: column('x', 2), y: column('y', 1) })
    }
    const between = (all: typeof rows) =>
      covariateShift(of(all.slice(0, 300)).batch(32), of(all.slice(300)).batch(32))
    expect((await between(sorted)).diagnostics).toMatchObject([
      { name: 'covariateShift', step: 0, path: 'x.1', value: 1, threshold: expect.closeTo(0.236, 2) },
    ])
    const { features, diagnostics } = await between(rows)
    expect(diagnostics).toEqual([])
    expect(features.map(({ path }) => path)).toEqual(['x.0', 'x.1'])
  })
})

test('a run is watched beside, through a Subject among its monitors', async () => {
  const events$ = new Subject<TrainEvent>()
  const heard: DiagnosticEvent[] = []
  events$.pipe(diagnostics(vanishingGradient(), plateau())).subscribe((event) => heard.push(event))
  const model = deep(8, sigmoid, times(1))
  await eventsOf(fit(model, { ...usual, watch: ['gradients'], monitors: [events$] }))
  expect(heard.map(({ name }) => name)).toContain('vanishingGradient')
})

test('a gradient that was not watched is an error that names the option', async () => {
  const before = t.memory().bytes
  await expect(found(vanishingGradient(), surfaceModel)).rejects.toThrow("pass watch: ['gradients'] to fit")
  await expect(
    found(deadReLU({ layers: 'layers.9' }), surfaceModel, { watch: ['activations:layers.1'] }),
  ).rejects.toThrow("deadReLU: no watched activation matches 'layers.9'; use one of layers.1")
  expect(t.memory().bytes).toBe(before)
})
