import * as t from '@tapeflow/autodiff'
import { type Batch, dataset } from '@tapeflow/data'
import {
  accuracy,
  batchNorm,
  binaryCrossEntropy,
  confusionMatrix,
  dropout,
  type LinearParams,
  linear,
  lstm,
  meanAbsoluteError,
  mse,
  r2,
  relu,
  rnn,
  sequential,
  sparseCrossEntropy,
  type TreeModel,
} from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type BatchSource,
  type Evaluation,
  evaluate,
  type FitOptions,
  fit,
  type Model,
  type ModelWeights,
  type NamedModel,
  type ParametersSnapshot,
  type TrainBatch,
} from '../src/index.ts'
import { line, modes, points, type Sample, surface, surfaceModel } from './small.ts'

/** A model in the table, with batches for it. */
interface Row {
  readonly name: string
  readonly sample: t.Shape
  readonly rows: number
  /** What its run tells at each validation, beside what `evaluate` tells at the same weights. */
  compare(
    train: BatchSource,
    validation: BatchSource,
    compile: boolean,
  ): Promise<(readonly [told: object, found: object])[]>
}

const row = <P extends t.Tree, S extends t.Tree>(
  name: string,
  model: Model<P, S>,
  sample: t.Shape,
  rows = 23,
): Row => ({
  name,
  sample,
  rows,
  compare: async (data, validation, compile) => {
    const validated = await validations(model, { data, validation, compile, ...measured })
    const pairs: (readonly [object, object])[] = []
    for (const { weights, told } of validated) {
      const { seconds, ...found } = await evaluate(model, weights, { data: validation, compile, ...measured })
      // Of the same structure.
      const tensors = t.fromSnapshot(weights as unknown) as { params: P; state: S }
      const again = await evaluate(model, tensors, { data: validation, compile, ...measured })
      // Neither changed nor freed.
      expect(t.toSnapshot(tensors)).toEqual(weights)
      expect(seconds).toBeGreaterThanOrEqual(0)
      pairs.push(
        [told, found],
        [
          { ...told, seconds: 0 },
          { ...again, seconds: 0 },
        ],
      )
      for (const x of t.leaves(tensors)) x.dispose()
    }
    return pairs
  },
})

/** Models that behave otherwise in training than at inference, or keep state. */
const models: readonly Row[] = [
  row(
    'batch norm and dropout',
    sequential(linear(2, 9), batchNorm(), relu(), dropout(0.3), linear(9, 1)),
    [2],
  ),
  row('a recurrent model', sequential(lstm(3, 5), dropout(0.2), linear(5, 1)), [4, 3]),
  row(
    'a recurrent model that keeps its state',
    sequential(rnn(2, 4, { statefulRows: 5 }), linear(4, 1)),
    [3, 2],
    25,
  ),
  row('tanh', surfaceModel, [2]),
]

/** What a run of two epochs tells when it has validated, and the weights then. */
async function validations<P extends t.Tree, S extends t.Tree>(
  model: NamedModel<P, S>,
  options: Omit<FitOptions, 'optimizer'>,
): Promise<{ weights: ParametersSnapshot<P, S>; told: object }[]> {
  const validated: { weights: ParametersSnapshot<P, S>; told: object }[] = []
  await new Promise<void>((resolve, reject) => {
    fit(model, { ...options, optimizer: adam({ learningRate: 0.01 }), epochs: 2 }).subscribe({
      next: (event) => {
        if (event.type !== 'validation') return
        const { loss, losses, metrics, rows } = event
        const told = { loss, ...(losses === undefined ? {} : { losses }), metrics, rows }
        validated.push({ weights: event.snapshot('parameters'), told })
      },
      error: reject,
      complete: resolve,
    })
  })
  return validated
}

/** Batches of 5 rows, the last one ragged where that does not go into them. */
function batches(sample: t.Shape, rows: number, seed: number, isWeighted: boolean): TrainBatch[] {
  const values = (i: number, size: number): Float32Array => t.uniformValues(t.key(10 * seed + i), size, -1, 1)
  const fields = {
    x: { shape: [rows, ...sample], values: values(0, rows * t.sizeOf(sample)) },
    y: { shape: [rows, 1], values: values(1, rows) },
  }
  const weights = { shape: [rows], values: values(2, rows).map(Math.abs) }
  const data = isWeighted ? dataset({ ...fields, weights }) : dataset(fields)
  return data.batch(5).toArray() as TrainBatch[]
}

const asynchronous = (all: readonly TrainBatch[]): BatchSource =>
  dataset(async function* () {
    for (const batch of all) {
      await Promise.resolve()
      yield batch
    }
  })
const sources: readonly (readonly [string, (all: readonly TrainBatch[]) => BatchSource])[] = [
  ['at once', (all) => dataset(all)],
  ['by and by', asynchronous],
]

const measured = { loss: mse(), metrics: [meanAbsoluteError(), r2()] }
const table = models.flatMap((row) =>
  [false, true].flatMap((isWeighted) =>
    sources.flatMap(([how, source]) =>
      modes.map(([mode, { compile }]) => ({
        name: `${row.name}${isWeighted ? ' with weighted rows' : ''}, data ${how}, ${mode}`,
        row,
        isWeighted,
        source,
        compile,
      })),
    ),
  ),
)

test.each(table)(
  'evaluate tells what the validation of fit tells, bit for bit: $name',
  async ({ row: { sample, rows, compare }, isWeighted, source, compile }) => {
    const train = dataset(batches(sample, rows, 1, isWeighted))
    const validation = source(batches(sample, rows, 2, isWeighted))
    const pairs = await compare(train, validation, compile)
    expect(pairs).toHaveLength(4)
    for (const [told, found] of pairs) expect(found).toEqual(told)
  },
)

const doubling = {
  params: {
    weight: { shape: [1, 1], values: Float32Array.of(2) },
    bias: { shape: [1], values: Float32Array.of(0) },
  },
  state: null,
}
const threePoints = points([1, 2], [2, 5], [3, 6])

test('batches count as many times as they have rows', async () => {
  // Errors 0, 1 and 0: the mean of the batches' means would be 1/4.
  const found = await evaluate(line, doubling, { data: threePoints.batch(2), loss: mse() })
  expect(found).toMatchObject({ loss: Math.fround(1 / 2) * (2 / 3), metrics: {}, rows: 3 })
})

test('rows count as their weights say', async () => {
  const weights = { shape: [3], values: Float32Array.of(1, 3, 4) }
  const [columns] = threePoints.batch(3).toArray() as Sample[]
  const data = dataset({ ...columns!, weights }).batch(2)
  const found = await evaluate(line, doubling, { data, loss: mse(), metrics: [meanAbsoluteError()] })
  expect(found).toMatchObject({ loss: 3 / 8, metrics: { meanAbsoluteError: 3 / 8 }, rows: 3 })
})

// 0 / 0 in one batch made the loss of all of them NaN.
test.each(modes)('a batch whose weights are all 0 counts for nothing, %s', async (_, mode) => {
  const [columns] = threePoints.batch(3).toArray() as Sample[]
  const weighted = (...weights: readonly number[]): BatchSource =>
    dataset({ ...columns!, weights: { shape: [3], values: Float32Array.from(weights) } }).batch(1)
  const measured = { loss: mse(), metrics: [meanAbsoluteError()], ...mode }
  const found = await evaluate(line, doubling, { ...measured, data: weighted(0, 3, 0) })
  expect(found).toMatchObject({ loss: 1, metrics: { meanAbsoluteError: 1 }, rows: 3 })
  const none = await evaluate(line, doubling, { ...measured, data: weighted(0, 0, 0) })
  expect(none.loss).toBeNaN()
})

test('the size of batches makes no difference but to losses that are no mean over rows', async () => {
  const data = dataset({
    x: { shape: [4, 1], values: Float32Array.of(1, 2, 3, 4) },
    y: { shape: [4, 1], values: Float32Array.of(0, 1, 1, 1) },
  })
  const lossBy = async (rows: number, options: Parameters<typeof binaryCrossEntropy>[0]): Promise<number> =>
    (await evaluate(line, doubling, { data: data.batch(rows), loss: binaryCrossEntropy(options) })).loss
  expect(await lossBy(1, {})).toBeCloseTo(await lossBy(4, {}), 6)
  // As is told where they are documented: of log(1 + e^2) and three losses below 0.02.
  const [once, all] = [await lossBy(1, { classWeights: [3, 1] }), await lossBy(4, { classWeights: [3, 1] })]
  expect(once).toBeCloseTo(await lossBy(4, {}), 6)
  expect(all).toBeGreaterThan(1.9 * once)
  expect(await lossBy(4, { reduction: 'sum' })).toBeCloseTo(4 * (await lossBy(1, { reduction: 'sum' })), 5)
})

/** Two inputs, two outputs: what they sum up to, and by how much they differ. */
const named: NamedModel<LinearParams, null> & TreeModel<LinearParams, null, Two, Two> = {
  init: (key, { left }) => linear(1, 1).init(key, left),
  apply: ({ weight }, state, { left, right }) => {
    const scaled = t.matmul(right, weight)
    return { y: { left: t.add(left, scaled), right: t.sub(left, scaled) }, state }
  },
}
type Two = { readonly left: t.Tensor; readonly right: t.Tensor }

test.each(modes)('a model of several inputs and outputs is told of as fit tells, %s', async (_, mode) => {
  const column = (seed: number): Batch => ({ shape: [7, 1], values: t.uniformValues(t.key(seed), 7, -1, 1) })
  const batch = (seed: number): TrainBatch => ({
    x: { left: column(seed), right: column(seed + 1) },
    y: { left: column(seed + 2), right: column(seed + 3) },
  })
  const validation = dataset([batch(10), batch(20)])
  const options = {
    loss: { left: mse(), right: { loss: mse(), weight: 0.5 } },
    metrics: { left: [meanAbsoluteError()], right: [r2()] },
    ...mode,
  }
  const [told] = await validations(named, { ...options, data: dataset([batch(0)]), validation })
  const { seconds: __, ...found } = await evaluate(named, told!.weights, { ...options, data: validation })
  expect(found).toEqual(told!.told)
  expect(Object.keys(found.losses!)).toEqual(['left', 'right'])
  expect(Object.keys(found.metrics)).toEqual(['left.meanAbsoluteError', 'right.r2'])
  expect(found.loss).toBeCloseTo(found.losses!['left']! + 0.5 * found.losses!['right']!, 6)
  const { metrics } = await evaluate(named, told!.weights, { metrics: options.metrics, data: validation })
  expect(metrics).toEqual(found.metrics)
})

describe('measures that fit does not take', () => {
  const identity: Model<Record<string, never>, null> = {
    init: (_, inputShape) => ({ params: {}, state: null, outputShape: inputShape }),
    apply: (_, state, x) => ({ y: x, state }),
  }
  const data = dataset({
    x: { shape: [3, 2], values: Float32Array.of(1, 0, 0, 1, 0, 1) },
    y: { shape: [3], values: Float32Array.of(0, 1, 0) },
  }).batch(2)
  const nothing = { params: {}, state: null }

  test('come out as what they are, and a loss is not needed', async () => {
    const metrics = [accuracy(), confusionMatrix()]
    const found = await evaluate(identity, nothing, { data, metrics })
    expect(found).toMatchObject({
      loss: Number.NaN,
      metrics: {
        accuracy: 2 / 3,
        confusionMatrix: [
          [1, 1],
          [0, 1],
        ],
      },
      rows: 3,
    })
  })

  test('are typed by what comes out', async () => {
    const numbers = await evaluate(identity, nothing, {
      data,
      metrics: [accuracy()],
      loss: sparseCrossEntropy(),
    })
    expectTypeOf(numbers.metrics).toEqualTypeOf<Readonly<Record<string, number>>>()
    const both = evaluate(identity, nothing, { data, metrics: [accuracy(), confusionMatrix()] })
    type Value = number | readonly (readonly number[])[]
    expectTypeOf((await both).metrics).toEqualTypeOf<Readonly<Record<string, Value>>>()
  })

  test('may be objects with a prototype', async () => {
    class Rows {
      readonly name = 'rows'
      init(): number {
        return 0
      }
      update(count: number, prediction: t.Tensor): number {
        return count + prediction.shape[0]!
      }
      result(count: number): string {
        return `${count} ${this.name}`
      }
    }
    const found = await evaluate(identity, nothing, { data, metrics: [new Rows()] })
    expect(found.metrics).toEqual({ rows: '3 rows' })
  })
})

describe('what is wrong', () => {
  const options = { data: surface(10).batch(4), loss: mse() }
  const made = surfaceModel.init(t.key(1), [2])
  const weights: ModelWeights<typeof made.params, typeof made.state> = {
    params: t.toSnapshot(made.params),
    state: t.toSnapshot(made.state),
  }
  for (const x of t.leaves(made)) x.dispose()
  const other = sequential(linear(2, 16), linear(16, 1)).init(t.key(1), [2])
  const others = t.toSnapshot({ params: other.params, state: other.state })
  for (const x of t.leaves(other)) x.dispose()
  const without = (): Batch => undefined as unknown as Batch
  const failing: Model<null, null> = {
    init: () => ({ params: null, state: null, outputShape: [1] }),
    apply: (_, state, x) => ({ y: t.sum(x).item() > 0 ? x : t.neg(x), state }),
  }

  type Given = readonly [model: unknown, weights: unknown, options: unknown]
  const cases: readonly (readonly [
    string,
    Given,
    typeof RangeError | typeof TypeError | typeof Error,
    string,
  ])[] = [
    [
      'a model that is none',
      [5, weights, options],
      TypeError,
      'evaluate: the model must be a layer, got a number; pass sequential(…)',
    ],
    [
      'no weights',
      [surfaceModel, null, options],
      TypeError,
      'evaluate: weights must be { params, state }, got null; pass what await result(fit(…)) gives',
    ],
    [
      'a promise of weights',
      [surfaceModel, Promise.resolve(weights), options],
      TypeError,
      'evaluate: weights must be { params, state }, got a Promise without params and state; pass what await result(fit(…)) gives',
    ],
    [
      'weights of another model',
      [surfaceModel, others, options],
      RangeError,
      "evaluate: the weights have nothing at 'params.layers.2.bias', the model has [16]; pass weights of this model",
    ],
    [
      'weights of another size',
      [sequential(linear(2, 16), linear(16, 2)), others, options],
      RangeError,
      "evaluate: the weights have [1] at 'params.layers.1.bias', the model has [2]; pass weights of this model",
    ],
    [
      'data of another width',
      [surfaceModel, weights, { ...options, data: points([1, 2]).batch(1) }],
      RangeError,
      'evaluate: batch 0 failed: sequential: ',
    ],
    [
      'empty data',
      [surfaceModel, weights, { ...options, data: surface(3).take(0).batch(2) }],
      RangeError,
      'evaluate: the data gave no batch; check its filters, and that it can be read more than once',
    ],
    [
      'single rows',
      [surfaceModel, weights, { ...options, data: dataset([{ x: row1([2]), y: row1([]) }]) }],
      RangeError,
      'evaluate: the data gives single rows, got x of shape [2] and y of shape []; add .batch(32)',
    ],
    [
      'a batch without y',
      [surfaceModel, weights, { ...options, data: dataset([{ x: row1([1, 2]), y: without() }]) }],
      TypeError,
      'evaluate: a batch needs x and y with shape and values, y is undefined; map the data to { x, y }',
    ],
    [
      'data without an end',
      [surfaceModel, weights, { ...options, data: surface(8).repeat().batch(4) }],
      RangeError,
      'evaluate: data is read to its end, got data that has none; take a number of batches of it',
    ],
    [
      'neither loss nor metrics',
      [surfaceModel, weights, { data: options.data }],
      RangeError,
      'evaluate: loss or metrics must be given, got neither; pass loss: mse()',
    ],
    [
      'an unknown option',
      [surfaceModel, weights, { ...options, epochs: 1 }],
      RangeError,
      "evaluate: unknown option 'epochs'; use data, compile, numerics, pace, scheduler, log, loss, metrics, signal",
    ],
    [
      'data that is none',
      [surfaceModel, weights, { ...options, data: [] }],
      TypeError,
      'evaluate: data must be a dataset, got an array',
    ],
    [
      'a metric that is none',
      [surfaceModel, weights, { ...options, metrics: [accuracy] }],
      TypeError,
      'evaluate: metrics must be an array of metrics with a name, got a function at 0; call the function, and pass what it returns',
    ],
    [
      'two metrics of one name',
      [surfaceModel, weights, { ...options, metrics: [r2(), r2()] }],
      RangeError,
      "evaluate: two metrics are named 'r2'; give them different names",
    ],
    [
      'a signal that is none',
      [surfaceModel, weights, { ...options, signal: {} }],
      TypeError,
      'evaluate: signal must be an AbortSignal, got an object',
    ],
    [
      'a numeric mode without a program',
      [surfaceModel, weights, { ...options, compile: false, numerics: { kernels: {} } }],
      RangeError,
      'evaluate: eager passes are always strict, got numerics and compile: false; leave one of them out',
    ],
    [
      'a model that reads values',
      [failing, { params: null, state: null }, options],
      Error,
      'evaluate: batch 0 failed: item: ',
    ],
  ]
  test.each(cases)('%s', async (_, [model, given, more], kind, text) => {
    const before = t.memory()
    // What the types would have refused.
    const call = evaluate as (...args: Given) => Promise<unknown>
    const error: unknown = await call(model, given, more).then(
      () => undefined,
      (cause: unknown) => cause,
    )
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject({ operation: 'evaluate', message: expect.stringContaining(text) })
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('a batch that fails names its number', async () => {
    const data = dataset([
      ...(surface(4).batch(2).toArray() as TrainBatch[]),
      { x: row1([1, 3]), y: row1([1, 1]) },
    ])
    await expect(evaluate(surfaceModel, weights, { ...options, data })).rejects.toThrow(
      'evaluate: batch 2 failed: linear: ',
    )
  })

  test('a model that reads values is told how it may', async () => {
    await expect(evaluate(failing, { params: null, state: null }, options)).rejects.toThrow(
      'or pass compile: false to evaluate, which then runs model and loss eagerly at every step',
    )
  })

  test('an error of the data is the error of the promise', async () => {
    const data: BatchSource = { iterate: () => ({ next: () => Promise.reject(new Error('disk full')) }) }
    await expect(evaluate(surfaceModel, weights, { ...options, data })).rejects.toThrow('disk full')
  })
})

function row1(shape: t.Shape): Batch {
  return { shape, values: new Float32Array(t.sizeOf(shape)) }
}

describe('a signal', () => {
  const weights = doubling
  const options = { data: threePoints.batch(1), loss: mse() }

  test('that is aborted already rejects with its reason, and no data is read', async () => {
    let reads = 0
    const data: BatchSource = {
      iterate: () => {
        reads++
        return options.data.iterate()
      },
    }
    const signal = AbortSignal.abort(new Error('not wanted'))
    await expect(evaluate(line, weights, { ...options, data, signal })).rejects.toThrow('not wanted')
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(reads).toBe(0)
  })

  test('that aborts while a batch is awaited rejects at once and closes the data', async () => {
    const before = t.memory()
    const controller = new AbortController()
    const log: string[] = []
    const data: BatchSource = {
      iterate: () => ({
        next: () => {
          log.push('pull')
          if (log.length === 1) return options.data.iterate().next()
          setTimeout(() => controller.abort(new Error('too long')), 1)
          return new Promise(() => {})
        },
        return: () => void log.push('return'),
      }),
    }
    const evaluated = evaluate(line, weights, { ...options, data, signal: controller.signal })
    await expect(evaluated).rejects.toThrow('too long')
    expect(log).toEqual(['pull', 'pull', 'return'])
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('that aborts afterwards does nothing', async () => {
    const controller = new AbortController()
    const found = await evaluate(line, weights, { ...options, signal: controller.signal })
    controller.abort()
    expectTypeOf(found).toEqualTypeOf<Evaluation<readonly []>>()
    expect(found.rows).toBe(3)
  })
})
