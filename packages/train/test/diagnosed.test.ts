import * as t from '@tapeflow/autodiff'
import { type Dataset, dataset, digits, iris } from '@tapeflow/data'
import {
  applyInner,
  batchNorm,
  dropout,
  heNormal,
  type Initializer,
  type Layer,
  type LinearParams,
  linear,
  mse,
  normal,
  relu,
  type Sequential,
  type SizePreserving,
  sequential,
  sigmoid,
  sparseCrossEntropy,
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
  unfreezeAt,
  updateRatio,
  vanishingGradient,
} from '../src/index.ts'
import { eventsOf, line, modes, points, type Sample, surface, surfaceModel } from './small.ts'

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

/** Eight layers of eight units, each behind an activation. */
function deep8(bent: () => Bent): Sequential<[Deep8Block, Deep8Block]> {
  const block = (): Deep8Block =>
    sequential(bent(), linear(8, 8), bent(), linear(8, 8), bent(), linear(8, 8), bent(), linear(8, 8))
  return sequential(block(), block())
}
type Deep8Block = Sequential<[Bent, Linear, Bent, Linear, Bent, Linear, Bent, Linear]>

test('explodingGradient sees what becomes of a single layer, and not one that learns', async () => {
  const at = (learningRate: number) =>
    found(explodingGradient({ every: 1 }), sequential(linear(2, 1)), {
      watch: ['gradients'],
      optimizer: sgd({ learningRate }),
    })
  const [ill, ...more] = await at(1e4)
  expect([ill?.path, ill?.value, more]).toEqual(['layers.0', Number.POSITIVE_INFINITY, []])
  expect(ill!.advice).toContain('the gradient of layers.0 is no finite number')
  expect(await at(0.1)).toEqual([])
})

describe('ten layers whose outputs grow or shrink as their gradients do', () => {
  type Hidden = Sequential<[Linear, Bent]>
  const ten = (bent: () => Bent, weight: Initializer): Sequential<[Linear, Bent, ...Hidden[], Linear]> => {
    const dense = (from: number, to: number): Linear => linear(from, to, { weight })
    const hidden = Array.from({ length: 8 }, () => sequential(dense(64, 64), bent()))
    return sequential(dense(784, 64), bent(), ...hidden, dense(64, 10))
  }
  const options = (learningRate: number): Partial<FitOptions> => ({
    data: digits().take(320).batch(32),
    loss: sparseCrossEntropy(),
    optimizer: adam({ learningRate }),
    watch: ['gradients'],
  })
  const both = () => diagnostics(vanishingGradient(), explodingGradient())
  const names = (events: readonly DiagnosticEvent[]) => events.map(({ name, path }) => [name, path])

  test('are seen with wide normal weights and ReLUs', async () => {
    const wide = normal({ standardDeviation: 0.5 })
    expect(names(await found(both(), ten(relu, wide), options(1e-4)))).toEqual([
      ['explodingGradient', 'layers.0'],
    ])
  })

  test('are seen with narrow normal weights and tanh', async () => {
    const narrow = normal({ standardDeviation: 0.05 })
    expect(names(await found(both(), ten(tanh, narrow), options(1e-4)))).toEqual([
      ['vanishingGradient', 'layers.0'],
    ])
  })

  test('are well with heNormal, and with batchNorm, whose biases have no gradient', async () => {
    expect(await found(both(), ten(relu, heNormal), options(1e-3))).toEqual([])
    const normed = (): Hidden => sequential(linear(64, 64), batchNorm(), relu()) as never
    const model = sequential(linear(784, 64), batchNorm(), relu(), normed(), normed(), linear(64, 10))
    expect(await found(both(), model, options(1e-3))).toEqual([])
  })
})

test('vanishingGradient sees the first of named parts, whatever their names', async () => {
  const named = (bent: () => Bent): Model<Record<'encoder' | 'middle' | 'decoder', t.Tree>, t.Tree> => {
    const parts = { encoder: linear(2, 8), middle: deep8(bent), decoder: linear(8, 1) } as const
    const names = ['encoder', 'middle', 'decoder'] as const
    return {
      init: (key) => {
        const made = names.map((name, i) => parts[name].init(t.foldIn(key, i), [i === 0 ? 2 : 8]))
        const of = (field: 'params' | 'state') =>
          Object.fromEntries(names.map((name, i) => [name, made[i]![field]])) as never
        return { params: of('params'), state: of('state'), outputShape: [1] }
      },
      apply: (params, state, x, context) => {
        let y = x
        for (const name of names) {
          y = applyInner(
            { layer: parts[name] as never, name },
            params[name] as never,
            (state as never)[name],
            y,
            context,
          ).y
        }
        return { y, state }
      },
    }
  }
  const options = { watch: ['gradients'] } as const
  const [ill] = await found(vanishingGradient(), named(sigmoid), options)
  expect(ill).toMatchObject({ path: 'encoder', advice: expect.stringContaining('of that of decoder') })
  expect(await found(vanishingGradient(), named(tanh), options)).toEqual([])
  // What is restored is sorted.
  const end = await lastValueFrom(fit(named(sigmoid), { ...usual, steps: 10 }))
  if (end.type !== 'end') throw new Error('no end')
  const more = await found(vanishingGradient(), named(sigmoid), { ...options, from: end.result })
  expect(more).toMatchObject([{ path: 'encoder' }])
})

test('vanishingGradient leaves out what is frozen, also in a run that goes on, and sees sigmoids behind it', async () => {
  const look = () => vanishingGradient({ every: 1, window: 2 })
  const options: Partial<FitOptions> = {
    watch: ['gradients'],
    callbacks: [unfreezeAt({ path: 'layers.0.**', epoch: 20 })],
    steps: 20,
  }
  const well = sequential(linear(2, 8), tanh(), linear(8, 8), tanh(), linear(8, 1))
  expect(await found(look(), well, options)).toEqual([])
  const end = await lastValueFrom(fit(well, { ...usual, ...options }))
  if (end.type !== 'end') throw new Error('no end')
  expect(await found(look(), well, { ...options, from: end.result, steps: 30 })).toEqual([])
  const [ill] = await found(look(), deep(8, sigmoid, times(1)), options)
  expect(ill).toMatchObject({ step: 1, path: 'layers.1.layers.1' })
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
    { step: 90, path: 'layers.1', threshold: 0.95 },
  ])
  expect(await found(activationMean(), hidden(tanh), options)).toEqual([])
  expect(await found(activationMean(), hidden(relu), options)).toEqual([])
})

test('activationMean sees no illness in ReLUs that learn digits of mean 0', async () => {
  const standard = digits()
    .take(1600)
    .map(({ x, y }) => ({ x: { ...x, values: x.values.map((value) => (value - 0.13) / 0.31) }, y }))
  const options: Partial<FitOptions> = {
    data: standard.shuffle({ key: t.key(1) }).batch(16),
    loss: sparseCrossEntropy(),
    optimizer: adam({ learningRate: 1e-3 }),
    watch: ['activations'],
    steps: 400,
  }
  const model = (bent: () => Bent, weight: Initializer) =>
    sequential(linear(784, 64, { weight }), bent(), linear(64, 64, { weight }), bent(), linear(64, 10))
  expect(await found(activationMean(), model(relu, heNormal), options)).toEqual([])
  const sigmoids = await found(activationMean(), model(sigmoid, times(1)), options)
  expect(sigmoids.map(({ path }) => path)).toContain('layers.3')
  expect(sigmoids[0]!.advice).toContain('try tanh in place of sigmoid, or batchNorm before it')
})

test('internalCovariateShift sees a rate that is too high, and not a fair one', async () => {
  const look = internalCovariateShift({ every: 2, window: 5 })
  const options = { watch: ['activations:layers.2'] } as const
  const rough = { ...options, optimizer: sgd({ learningRate: 1 }) }
  expect(await found(look, surfaceModel, rough)).toMatchObject([{ step: 18, path: 'layers.2' }])
  expect(await found(look, surfaceModel, options)).toEqual([])
})

test('internalCovariateShift leaves out the last layer, under which nothing learns', async () => {
  const rough: Partial<FitOptions> = {
    watch: ['activations:layers.2', 'activations:layers.4'],
    optimizer: sgd({ learningRate: 0.5 }),
  }
  const look = internalCovariateShift({ every: 2, window: 5, threshold: 0.2 })
  const paths = new Set((await found(look, surfaceModel, rough)).map(({ path }) => path))
  expect([...paths]).toEqual(['layers.2'])
})

test('deadReLU that looks at one batch of sorted classes calls units dead that others need; every: 7 sees all', async () => {
  const classes = 10
  const one = (of: number) => Float32Array.from({ length: classes }, (_, i) => (i === of ? 1 : 0))
  const sorted = dataset({
    x: {
      shape: [classes, classes],
      values: Float32Array.from(
        { length: classes ** 2 },
        (_, i) => one(Math.floor(i / classes))[i % classes]!,
      ),
    },
    y: { shape: [classes], values: Float32Array.from({ length: classes }, (_, i) => i) },
  })
  const options: Partial<FitOptions> = {
    data: sorted.batch(1),
    loss: sparseCrossEntropy(),
    optimizer: sgd({ learningRate: 0.05 }),
    steps: 120,
    watch: ['activations'],
  }
  const look = (every: number) => deadReLU({ every, threshold: 0.3 })
  const model = sequential(
    linear(classes, 40, { weight: normal({ standardDeviation: 1 }) }),
    relu(),
    linear(40, 10),
  )
  expect(await found(look(10), model, options)).toMatchObject([{ path: 'layers.1' }])
  expect(await found(look(7), model, options)).toEqual([])
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

  test.each([1 / 3, 3])('is told over validations, every %d epochs', async (epochs) => {
    const model = sequential(linear(2, hidden), tanh(), linear(hidden, hidden), tanh(), linear(hidden, 1))
    const [found1] = await found(overfitting(), model, {
      data: noisy(24, 1).batch(8),
      validation: noisy(64, 2).batch(64),
      validateEvery: { epochs },
      optimizer: adam({ learningRate: 0.02 }),
      steps: 180,
    })
    expect(found1?.advice).toContain('over 10 validations while the training loss fell')
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

test('lossSpike sees a rate at which the loss grows by a few hundredths a step, and plateau does not', async () => {
  const options = (learningRate: number) => ({
    data: points([1, 2]).batch(1),
    optimizer: sgd({ learningRate }),
    steps: 300,
  })
  // The error goes by 1 - 4 times the rate: the loss by 1.04 and by 1.08.
  for (const rate of [0.505, 0.51]) {
    const all = await found(diagnostics(lossSpike(), plateau()), line, options(rate))
    expect(all).toMatchObject([{ name: 'lossSpike', advice: expect.stringContaining('rises steadily') }])
    expect(all[0]!.step).toBeLessThan(30)
  }
  const well = await found(diagnostics(lossSpike(), plateau()), line, { ...options(0.05), steps: 30 })
  expect(well).toEqual([])
})

test.each([1, 4])('lossSpike sees nothing in irises that are learned well in batches of %i', async (rows) => {
  const [mean, deviation] = [
    [5.84, 3.05, 3.76, 1.2],
    [0.83, 0.43, 1.76, 0.76],
  ] as const
  const standard = iris().map(({ x, y }) => ({
    x: { ...x, values: x.values.map((value, i) => (value - mean[i]!) / deviation[i]!) },
    y,
  }))
  for (const seed of [0, 1, 2]) {
    const options: Partial<FitOptions> = {
      data: standard.shuffle({ key: t.key(seed) }).batch(rows),
      loss: sparseCrossEntropy(),
      optimizer: sgd({ learningRate: 0.05 }),
      steps: 3000 / rows,
      seed,
    }
    expect(await found(lossSpike(), sequential(linear(4, 16), relu(), linear(16, 3)), options)).toEqual([])
  }
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

test('datasetSize counts the rows of the data, not those of the part that was read', async () => {
  const part = { data: surface(640).batch(32), steps: 3 }
  expect(await found(datasetSize({ classes: 2, threshold: 320 }), surfaceModel, part)).toEqual([])
  expect(await found(datasetSize({ classes: 2, threshold: 321 }), surfaceModel, part)).toMatchObject([
    { step: 3, value: 320 },
  ])
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
