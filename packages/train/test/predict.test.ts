import * as t from '@tapeflow/autodiff'
import { type Batch, type Dataset, dataset } from '@tapeflow/data'
import {
  batchNorm,
  dropout,
  linear,
  lstm,
  mse,
  parallel,
  relu,
  rnn,
  sequential,
  softplus,
  type TreeModel,
} from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import {
  BehaviorSubject,
  concatMap,
  config,
  delay,
  from,
  lastValueFrom,
  map,
  of,
  Subject,
  take,
  tap,
  throwError,
  toArray,
} from 'rxjs'
import { describe, expect, expectTypeOf, onTestFinished, test, vi } from 'vitest'
import {
  type BatchSource,
  fit,
  type ModelWeights,
  type Prediction,
  predict,
  predictAll,
  result,
} from '../src/index.ts'
import { framewise, line, modes, points, surface, surfaceModel, turn, virtually } from './small.ts'

const doubling = {
  params: {
    weight: { shape: [1, 1], values: Float32Array.of(2) },
    bias: { shape: [1], values: Float32Array.of(0) },
  },
  state: null,
}
const fourPoints = points([1, 0], [2, 1], [3, 2], [4, 3])

/** A model in the table: batches of what it takes, and its weights. */
interface Row {
  readonly name: string
  /** What it predicts for these batches, beside what it gives when it is called. */
  compare(
    batches: readonly Batch[],
    data: { iterate(): ReturnType<Dataset<Batch>['iterate']> },
    compile: boolean,
  ): Promise<readonly [predicted: readonly unknown[], applied: readonly unknown[]]>
  readonly sample: t.Shape
  readonly rows: number
}

const row = <P, S, Y>(
  name: string,
  model: Pick<TreeModel<P, S, t.Tensor, Y>, 'init' | 'apply'>,
  sample: t.Shape,
  rows = 23,
): Row => ({
  name,
  sample,
  rows,
  compare: async (batches, data, compile) => {
    const { params, state } = t.scope(() => {
      const made = model.init(t.key(4), sample)
      // Moving averages and the like are then none that a pass would leave as they are.
      return t.mapTensors({ params: made.params, state: made.state }, (x) => t.add(t.abs(x), 0.1))
    }) as { params: P; state: S }
    const weights: ModelWeights<P, S> = { params, state }
    const said = await lastValueFrom(predict(model, weights, { data, compile }).pipe(toArray()))
    const applied = batches.map(({ shape, values }, batch) =>
      t.scope(() => {
        const { y } = model.apply(params, state, t.tensor(values, shape), { training: false, path: '' })
        return { batch, rows: shape[0], prediction: t.toSnapshot(y), input: batches[batch] }
      }),
    )
    for (const x of t.leaves([params, state])) x.dispose()
    return [said, applied]
  },
})

const rows: readonly Row[] = [
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
  row(
    'heads by name',
    parallel({ mean: linear(2, 1), deviation: sequential(linear(2, 1), softplus()) }),
    [2],
  ),
  row('heads in order', parallel([linear(2, 3), linear(2, 1)]), [2]),
  row(
    'a model that gives its input back',
    {
      init: () => ({ params: null, state: null }),
      apply: (_, state: null, x) => ({ y: { x, none: null }, state }),
    },
    [2],
  ),
  row(
    'a model that gives its weights',
    {
      init: () => ({ params: t.ones([2]), state: null }),
      apply: (params, state: null) => ({ y: params, state }),
    },
    [2],
  ),
]

const sources: readonly (readonly [string, (all: readonly Batch[]) => Dataset<Batch>])[] = [
  ['at once', (all) => dataset(all)],
  ['by and by', (all) => dataset(all).map((batch) => Promise.resolve(batch))],
]
const table = rows.flatMap((row) =>
  sources.flatMap(([how, source]) =>
    modes.map(([mode, { compile }]) => ({ name: `${row.name}, data ${how}, ${mode}`, row, source, compile })),
  ),
)

describe('predict', () => {
  test.each(table)(
    'tells in order what the model gives for each batch at inference: $name',
    async ({ row: { sample, rows, compare }, source, compile }) => {
      const x = {
        shape: [rows, ...sample],
        values: t.uniformValues(t.key(8), rows * t.sizeOf(sample), -1, 1),
      }
      const before = t.memory()
      const batches = (dataset({ x }).batch(5).toArray() as { x: Batch }[]).map((batch) => batch.x)
      const [predicted, applied] = await compare(batches, source(batches), compile)
      expect(predicted).toEqual(applied)
      expect(predicted).toHaveLength(5)
      expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
    },
  )

  test('hands on what else a batch holds', async () => {
    const data = dataset({
      x: { shape: [3, 1], values: Float32Array.of(1, 2, 3) },
      id: { shape: [3], values: Float32Array.of(70, 80, 90) },
    }).batch(2)
    const said = predict(line, doubling, { data }).pipe(
      concatMap(({ input, prediction }) => [...input.id.values].map((id, i) => [id, prediction.values[i]])),
      toArray(),
    )
    expect(await lastValueFrom(said)).toEqual([
      [70, 2],
      [80, 4],
      [90, 6],
    ])
  })

  test('takes several inputs by name', async () => {
    const model: Pick<TreeModel<null, null, { a: t.Tensor; b: t.Tensor }, t.Tensor>, 'init' | 'apply'> = {
      init: () => ({ params: null, state: null }),
      apply: (_, state, { a, b }) => ({ y: t.sub(a, b), state }),
    }
    const column = (...values: number[]): Batch => ({
      shape: [values.length, 1],
      values: Float32Array.from(values),
    })
    const x = (a: Batch, b: Batch) => ({ x: { a, b } })
    const data = dataset([x(column(5, 7), column(1, 2)), x(column(9), column(3))])
    const nothing = { params: null, state: null }
    expect(await predictAll(model, nothing, { data })).toEqual(column(4, 5, 6))
    const uneven = dataset([x(column(5, 7), column(1))])
    await expect(predictAll(model, nothing, { data: uneven })).rejects.toThrow(
      'predictAll: x.a and x.b of a batch must have the same number of rows, at least 1, got [2,1] and [1,1]',
    )
  })

  test('is typed by model and data', async () => {
    const heads = parallel({ mean: linear(2, 1), deviation: linear(2, 1) })
    const { params, state } = heads.init(t.key(1), [2])
    const said$ = predict(heads, { params, state }, { data: surface(4).batch(2) })
    const said = await lastValueFrom(said$)
    expectTypeOf(said.prediction.mean).toEqualTypeOf<t.Snapshot>()
    expectTypeOf(said.input.y).toEqualTypeOf<Batch>()
    const { data, loss } = { data: surface(4).batch(4), loss: mse() }
    const trained = await result(
      fit(surfaceModel, { data, loss, optimizer: sgd({ learningRate: 0.1 }), steps: 1 }),
    )
    expectTypeOf(await lastValueFrom(predict(surfaceModel, trained, { data }))).toExtend<
      Prediction<t.Tensor>
    >()
    expectTypeOf(await predictAll(surfaceModel, trained, { data })).toEqualTypeOf<t.Snapshot>()
    const half = { weight: params.mean.weight }
    // @ts-expect-error one of the weights is missing
    const missing = predictAll(line, { params: half, state: null }, { data: fourPoints.batch(2) })
    await expect(missing).rejects.toThrow("the weights have nothing at 'params.bias', the model has [1]")
    for (const x of t.leaves([params, state])) x.dispose()
  })

  test('is cold, emits nothing inside subscribe, and a batch in each slice', () => {
    virtually((scheduler, { expectObservable }) => {
      const said$ = predict(line, doubling, { data: fourPoints.batch(3), ...framewise(scheduler) }).pipe(
        map(({ batch, rows, prediction }) => [batch, rows, ...prediction.values]),
      )
      const letters = { a: [0, 3, 2, 4, 6], b: [1, 1, 8] }
      expectObservable(said$).toBe('-ab|', letters)
      // Another subscriber reads anew.
      expectObservable(said$, '--^').toBe('---ab|', letters)
    })
  })

  test('calls a model once for each shape of batch, or for each batch where it is not compiled', async () => {
    for (const [compile, wanted] of [
      [
        true,
        [
          [3, 1],
          [1, 1],
        ],
      ],
      [
        false,
        [
          [3, 1],
          [3, 1],
          [3, 1],
          [1, 1],
        ],
      ],
    ] as const) {
      const shapes: t.Shape[] = []
      const model: typeof line = {
        ...line,
        apply: (params, state, x, context) => {
          shapes.push(x.shape)
          return line.apply(params, state, x, context)
        },
      }
      const data = dataset({ x: { shape: [10, 1], values: new Float32Array(10) } }).batch(3)
      await predictAll(model, doubling, { data, compile })
      expect(shapes).toEqual(wanted)
    }
  })

  test('of data without a batch is empty', async () => {
    const data = fourPoints.take(0).batch(2)
    expect(await lastValueFrom(predict(line, doubling, { data }).pipe(toArray()))).toEqual([])
  })

  test('pulls a batch when the one before was emitted, and none after it was unsubscribed', async () => {
    const log: string[] = []
    const all = fourPoints.batch(1).toArray() as { x: Batch; y: Batch }[]
    const data: BatchSource = {
      iterate: () => {
        let i = 0
        return {
          next: async () => {
            log.push(`pull ${i}`)
            return { done: false, value: all[i++]! }
          },
          return: () => void log.push('return'),
        }
      },
    }
    await lastValueFrom(
      predict(line, doubling, { data }).pipe(
        take(3),
        map(({ batch }) => log.push(`predicted ${batch}`)),
      ),
    )
    await turn()
    expect(log).toEqual(['pull 0', 'predicted 0', 'pull 1', 'predicted 1', 'pull 2', 'predicted 2', 'return'])
  })

  test('is ended by a subscriber that throws', async () => {
    const before = t.memory()
    const heard: number[] = []
    const thrown: unknown[] = []
    config.onUnhandledError = (error) => thrown.push(error)
    onTestFinished(() => {
      config.onUnhandledError = null
    })
    predict(line, doubling, { data: fourPoints.batch(1) }).subscribe(({ batch }) => {
      heard.push(batch)
      throw new Error('no more')
    })
    await vi.waitUntil(() => thrown.length > 0)
    await turn()
    expect(heard).toEqual([0])
    expect(thrown).toEqual([new Error('no more')])
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('gives the event loop its turn between slices', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const data = surface(64).batch(8).repeat()
    await new Promise<void>((resolve, reject) => {
      const made = surfaceModel.init(t.key(1), [2])
      const begun = performance.now()
      const subscription = predict(surfaceModel, made, { data }).subscribe({
        next: () => {
          // A loop that is never given back sees no turn however long it runs.
          if (turns <= 3 && performance.now() - begun < 10_000) return
          subscription.unsubscribe()
          resolve()
        },
        error: reject,
      })
    })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(3)
  })
})

describe('predictAll', () => {
  test('puts all rows below each other', async () => {
    const { prediction } = await lastValueFrom(predict(line, doubling, { data: fourPoints.batch(4) }))
    for (const size of [1, 2, 3, 4]) {
      expect(await predictAll(line, doubling, { data: fourPoints.batch(size) })).toEqual(prediction)
    }
  })

  test('gives every head an array of its own', async () => {
    const heads = parallel({
      one: linear(1, 1),
      both: parallel([linear(1, 2), linear(1, 2)], { combine: 'sum' }),
    })
    const { params, state } = heads.init(t.key(1), [1])
    const whole = await predictAll(heads, { params, state }, { data: fourPoints.batch(4) })
    expect(whole.one.shape).toEqual([4, 1])
    expect(await predictAll(heads, { params, state }, { data: fourPoints.batch(3) })).toEqual(whole)
    for (const x of t.leaves([params, state])) x.dispose()
  })

  test('gives up when its signal aborts', async () => {
    const before = t.memory()
    const controller = new AbortController()
    const data = dataset(async function* () {
      yield { x: { shape: [1, 1], values: Float32Array.of(1) } }
      controller.abort(new Error('too long'))
      await new Promise(() => {})
    })
    await expect(predictAll(line, doubling, { data, signal: controller.signal })).rejects.toThrow('too long')
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})

describe('what is wrong', () => {
  const x = { shape: [1, 1], values: Float32Array.of(1) }
  const data = dataset([{ x }])
  type Given = readonly [model: unknown, weights: unknown, options: unknown]
  type Kind = typeof RangeError | typeof TypeError
  const atOnce: readonly (readonly [string, Given, Kind, string])[] = [
    [
      'a model that is none',
      [5, doubling, { data }],
      TypeError,
      'the model must be a layer, got a number; pass sequential(…)',
    ],
    [
      'no weights',
      [line, undefined, { data }],
      TypeError,
      'weights must be { params, state }, got undefined; pass what await result(fit(…)) gives',
    ],
    [
      'parameters alone',
      [line, doubling.params, { data }],
      TypeError,
      'weights must be { params, state }, got an object without params and state; pass what await result(fit(…)) gives',
    ],
    [
      'no options',
      [line, doubling, undefined],
      TypeError,
      'options must be an object, got undefined; pass { data }',
    ],
    ['data that is none', [line, doubling, { data: x }], TypeError, 'data must be a dataset, got an object'],
    [
      'an unknown option',
      [line, doubling, { data, loss: mse() }],
      RangeError,
      "unknown option 'loss'; use data, compile, numerics, pace, scheduler, log",
    ],
    [
      'a numeric mode without a program',
      [line, doubling, { data, compile: false, numerics: { kernels: {} } }],
      RangeError,
      'eager passes are always strict, got numerics and compile: false; leave one of them out',
    ],
  ]
  test.each(atOnce)('%s is refused at once', (_, given, kind, text) => {
    const call = predict as (...args: Given) => unknown
    let error: unknown
    try {
      call(...given)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(kind)
    expect(error).toMatchObject({ operation: 'predict', message: `predict: ${text}` })
  })

  const wide = sequential(linear(1, 2), linear(2, 1)).init(t.key(1), [1])
  const others = t.toSnapshot({ params: wide.params, state: wide.state })
  for (const tensor of t.leaves(wide)) tensor.dispose()
  const bad = {
    ...doubling,
    params: { ...doubling.params, bias: { shape: [2], values: Float32Array.of(1) } },
  }
  const later: readonly (readonly [string, Given, Kind, string])[] = [
    [
      'weights of another model',
      [line, others, { data }],
      RangeError,
      "predict: the weights have nothing at 'params.bias', the model has [1]; pass weights of this model",
    ],
    ['weights that do not fill their shape', [line, bad, { data }], RangeError, 'tensor: '],
    [
      'a batch without x',
      [line, doubling, { data: dataset([{ y: x }]) }],
      TypeError,
      'predict: a batch needs x with shape and values, x is undefined; map the data to { x }',
    ],
    [
      'a batch that is none',
      [line, doubling, { data: dataset([null]) }],
      TypeError,
      'predict: a batch needs x with shape and values, x is undefined; map the data to { x }',
    ],
    [
      'plain lists',
      [line, doubling, { data: dataset([{ x: { shape: [1, 1], values: [1] } }]) }],
      TypeError,
      'predict: the values of a batch must be a Float32Array, x has an array; convert them: Float32Array.from(values)',
    ],
    [
      'single rows',
      [line, doubling, { data: dataset([{ x: { ...x, shape: [1] }, y: { ...x, shape: [] } }]) }],
      RangeError,
      'predict: the data gives single rows, got x of shape [1] and y of shape []; add .batch(32)',
    ],
    [
      'single numbers',
      [line, doubling, { data: dataset([{ ...x, shape: [] }]) }],
      RangeError,
      'predict: the data gives single rows, got x of shape []; add .batch(32)',
    ],
    [
      'data of another width',
      [line, doubling, { data: dataset([{ x: { shape: [1, 2], values: Float32Array.of(1, 2) } }]) }],
      RangeError,
      'predict: batch 0 failed: linear: ',
    ],
    [
      'data of another width later on',
      [line, doubling, { data: dataset([{ x }, { x: { shape: [1, 2], values: Float32Array.of(1, 2) } }]) }],
      RangeError,
      'predict: batch 1 failed: linear: ',
    ],
  ]
  test.each(later)('%s is the error of the stream', async (_, given, kind, text) => {
    const before = t.memory()
    const call = predict as (...args: Given) => ReturnType<typeof predict>
    const error: unknown = await lastValueFrom(call(...given)).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(kind)
    expect((error as Error).message).toContain(text)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  const summing = {
    init: () => ({ params: null, state: null }),
    apply: (_: null, state: null, input: t.Tensor) => ({ y: { sum: t.sum(input) }, state }),
  }
  const unlike = {
    init: () => ({ params: null, state: null }),
    apply: (_: null, state: null, input: t.Tensor) => ({
      y: t.matmul(input, input, { transposeB: true }),
      state,
    }),
  }
  const nothing = { params: null, state: null }
  test.each([
    [
      'empty data',
      () => predictAll(line, doubling, { data: data.take(0) }),
      'predictAll: the data gave no batch; check its filters, and that it can be read more than once',
    ],
    [
      'a prediction for all rows',
      () => predictAll(summing, nothing, { data }),
      "predictAll: predictions at 'sum' must have the shape [1] in batch 0, got []; take them one by one from predict",
    ],
    [
      'predictions of different shapes',
      () => predictAll(unlike, nothing, { data: fourPoints.batch(3) }),
      'predictAll: predictions must have the shape [1,3] in batch 1, got [1,1]; take them one by one from predict',
    ],
    [
      'an unknown option',
      () => predictAll(line, doubling, { data, loss: 1 } as unknown as { data: typeof data }),
      "predictAll: unknown option 'loss'; use data, compile, numerics, pace, scheduler, log, signal",
    ],
    [
      'a signal that is none',
      () => predictAll(line, doubling, { data, signal: {} as unknown as AbortSignal }),
      'predictAll: signal must be an AbortSignal, got an object',
    ],
  ])('predictAll rejects %s', async (_, call, text) => {
    const error: unknown = await call().catch((cause: unknown) => cause)
    expect(error).toMatchObject({ operation: 'predictAll', message: text })
  })
})

test('predictions can be joined with what comes later', async () => {
  const said$ = predict(line, doubling, { data: fourPoints.batch(2) }).pipe(
    concatMap((one) => of(one).pipe(delay(1))),
    concatMap(({ prediction }) => from(prediction.values)),
    toArray(),
  )
  expect(await lastValueFrom(said$)).toEqual([2, 4, 6, 8])
})

describe('a pace that asks for batches', () => {
  /** Four batches of one row, and how many of them were read. */
  const counted = (): { data: BatchSource; pulled: () => number } => {
    let pulled = 0
    const { iterate } = fourPoints.batch(1)
    const read = (): ReturnType<typeof iterate> => {
      const pull = iterate(0)
      return {
        next: () => {
          pulled++
          return pull.next()
        },
      }
    }
    return { data: { length: 4, iterate: read }, pulled: () => pulled }
  }

  test('lets a slow subscriber take one after the other: none is read before it was asked for', async () => {
    const { data, pulled } = counted()
    const next = new BehaviorSubject<unknown>(null)
    let [handled, ahead] = [0, 0]
    const seen = await lastValueFrom(
      predict(line, doubling, { data, pace: next }).pipe(
        concatMap(async ({ prediction }) => {
          for (let i = 0; i < 3; i++) await turn()
          ahead = Math.max(ahead, pulled() - handled)
          handled++
          next.next(null)
          return prediction.values[0]
        }),
        toArray(),
      ),
    )
    expect(seen).toEqual([2, 4, 6, 8])
    expect(ahead).toBe(1)
  })

  test('completes the stream with what it has asked for; nobody listens to it afterwards', async () => {
    const { data, pulled } = counted()
    const pace = new Subject<unknown>()
    const seen: number[] = []
    const done = lastValueFrom(
      predict(line, doubling, { data, pace }).pipe(tap(({ batch }) => seen.push(batch))),
    )
    await turn()
    expect(pulled()).toBe(0)
    pace.next(1)
    pace.next(2)
    while (seen.length < 2) await turn()
    await turn()
    expect(seen).toEqual([0, 1])
    pace.next(3)
    pace.complete()
    await done
    expect(seen).toEqual([0, 1, 2])
    expect(pulled()).toBe(3)

    const other = new Subject<unknown>()
    const subscription = predict(line, doubling, { data, pace: other }).subscribe()
    await turn()
    expect(other.observed).toBe(true)
    subscription.unsubscribe()
    expect(other.observed).toBe(false)
  })

  test('fails the stream where it fails; predictAll takes none, nor data without an end', async () => {
    const pace = throwError(() => new RangeError('no more'))
    await expect(lastValueFrom(predict(line, doubling, { data: fourPoints.batch(1), pace }))).rejects.toThrow(
      'predict: pace failed: no more',
    )
    await expect(
      predictAll(line, doubling, { data: fourPoints.batch(1), pace: pace as object }),
    ).rejects.toThrow('predictAll: pace must be { budget, rest }, got an Observable')
    await expect(predictAll(line, doubling, { data: fourPoints.repeat().batch(1) })).rejects.toThrow(
      'predictAll: data is read to its end, got data that has none; take a number of batches of it',
    )
  })
})
