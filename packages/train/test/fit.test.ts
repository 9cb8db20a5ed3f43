import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import {
  accuracy,
  confusionMatrix,
  type LinearParams,
  linear,
  mse,
  sparseCrossEntropy,
  zeros,
} from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { EMPTY, map } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  earlyStopping,
  type FitOptions,
  fit,
  lrWarmup,
  type Model,
  result,
  type TrainEvent,
} from '../src/index.ts'
import {
  eventsOf,
  framewise,
  line,
  modes,
  points,
  surface,
  surfaceModel,
  twoPoints,
  virtually,
} from './small.ts'

const lossesOf = (events: readonly TrainEvent<unknown, unknown>[]): number[] =>
  events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))

describe('the stream of a run', () => {
  test('is start, steps, epoch, validation for each epoch, finishing, end', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = fit(line, {
        ...twoPoints,
        validation: points([3, 6]).batch(1),
        epochs: 2,
        ...framewise(scheduler),
      })
      const letters = {
        start: 's',
        step: 't',
        epoch: 'e',
        validation: 'v',
        finishing: 'f',
        end: 'E',
        command: 'c',
        checkpoint: 'k',
      }
      expectObservable(run$.pipe(map((event) => letters[event.type]))).toBe('-stte-vtte-vf(E|)')
    })
  })

  test('emits nothing inside subscribe, and starts anew for each subscription', async () => {
    const run$ = fit(line, { ...twoPoints, epochs: 1 })
    let emitted = 0
    const first = new Promise<void>((resolve) => {
      run$.subscribe({ next: () => emitted++, complete: resolve })
    })
    expect(emitted).toBe(0)
    await first
    const events = await eventsOf(run$)
    expect(emitted).toBe(events.length)
    expect(lossesOf(events)).toEqual([4, expect.any(Number)])
  })

  test('tells loss and gradients at the weights before the update, weights after it', async () => {
    const seen: unknown[] = []
    const run$ = fit(line, { ...twoPoints, epochs: 1, watch: ['gradients', 'gradientNorm'] })
    await new Promise<void>((resolve, reject) => {
      run$.subscribe({
        next: (event) => {
          if (event.type !== 'step') return
          const { weight, bias } = event.weights.tree
          seen.push(
            [
              event.step,
              event.epoch,
              event.batch,
              event.loss,
              event.gradients.tree.weight.item(),
              event.gradients.tree.bias.item(),
              weight.item(),
              bias.item(),
              event.gradientNorm,
            ].map((x) => Number(x.toFixed(5))),
          )
        },
        error: reject,
        complete: resolve,
      })
    })
    // loss = (w x + b - y)², its gradients 2 (w x + b - y) (x, 1); rate 0.1
    expect(seen).toEqual([
      [0, 0, 0, 4, -4, -4, 0.4, 0.4, 5.65685],
      [1, 0, 1, 7.84, -11.2, -5.6, 1.52, 0.96, 12.52198],
    ])
  })

  test('ends with snapshots outside of the heap, and a history by epoch', async () => {
    const before = t.memory().bytes
    const { params, state, history, reason } = await result(
      fit(line, { ...twoPoints, validation: points([3, 6]).batch(1), epochs: 2 }),
    )
    expect(t.memory().bytes).toBe(before)
    expect(reason).toBe('completed')
    expect(state).toBeNull()
    expect(params.weight.shape).toEqual([1, 1])
    expect(params.weight.values).toBeInstanceOf(Float32Array)
    expect(history.map(({ epoch }) => epoch)).toEqual([0, 1])
    expect(history[0]!.loss).toBeCloseTo((4 + 7.84) / 2, 5)
    expect(history[0]!.validation!.loss).toBeCloseTo((3 * 1.52 + 0.96 - 6) ** 2, 4)
  })

  test('rejects the promise of result with the error of the run', async () => {
    const broken = fit(line, {
      ...twoPoints,
      loss: (prediction) => prediction,
      data: points([1, 1], [2, 2]).batch(2),
      epochs: 1,
    })
    await expect(result(broken)).rejects.toThrow(
      "fit: step 0 of epoch 0 failed: the loss must be one number, got shape [2,1]; reduce it: reduction: 'mean'",
    )
  })

  test('says in which step, or validation, an error came', async () => {
    const rows = (...labels: number[]) =>
      dataset({
        x: { shape: [labels.length, 1], values: new Float32Array(labels.length) },
        y: { shape: [labels.length], values: Float32Array.from(labels) },
      }).batch(2)
    const options = { loss: sparseCrossEntropy(), optimizer: sgd({ learningRate: 0.1 }), epochs: 2 }
    const run = (data: ReturnType<typeof rows>, validation: ReturnType<typeof rows>) =>
      result(fit(linear(1, 3), { ...options, data, validation }))
    const inStep = await run(rows(0, 1, 2, 7), rows(0)).catch((error: unknown) => error)
    expect(inStep).toBeInstanceOf(RangeError)
    expect(inStep).toMatchObject({ operation: 'fit', cause: { operation: 'sparseCrossEntropy' } })
    expect((inStep as Error).message).toMatch(/^fit: step 1 of epoch 0 failed: sparseCrossEntropy: label 7 /)
    await expect(run(rows(0, 1, 2, 1), rows(0, 5))).rejects.toThrow(
      /^fit: validation after step 2 failed: sparseCrossEntropy: label 5 /,
    )
  })

  test.each([mse, { own: mse }])('says that a loss has to be called, %#', async (loss) => {
    await expect(result(fit(line, { ...twoPoints, epochs: 1, loss: loss as never }))).rejects.toThrow(
      'fit: step 0 of epoch 0 failed: mse: options must be an object, got a Tensor; write { reduction: … } or mse()',
    )
  })

  // One row of one number looks like a batch of one number.
  test('says that rows without batches may be what is wrong with a model', async () => {
    const rows = dataset({
      x: { shape: [2, 1], values: Float32Array.of(1, 2) },
      y: { shape: [2, 1], values: Float32Array.of(2, 4) },
    })
    const data = rows as never
    await expect(result(fit(line, { ...twoPoints, data, epochs: 1 }))).rejects.toThrow(
      'fit: a model of samples of shape [] (add .batch(32)?) failed: linear: the layer takes 1 features, got samples of shape []',
    )
  })

  test.each([
    ['a number', 3],
    ['a Promise', Promise.resolve(3)],
    ['an object', twoPoints],
  ])('has no result where it is %s', async (kind, wrong) => {
    await expect(result(wrong as never)).rejects.toThrow(
      `result: the events must be an Observable, got ${kind}; pass what fit returns`,
    )
  })

  test('makes as many steps as asked, and closes the epoch that they end in', async () => {
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 3 }))
    expect(events.map(({ type }) => type)).toEqual([
      'start',
      'step',
      'step',
      'epoch',
      'step',
      'epoch',
      'finishing',
      'end',
    ])
    expect(
      events.filter((event) => event.type === 'epoch').map(({ batches, epoch }) => [epoch, batches]),
    ).toEqual([
      [0, 2],
      [1, 1],
    ])
  })

  test('knows before the first step how long it will be and what is trained', async () => {
    const [start] = await eventsOf(
      fit(surfaceModel, { ...twoPoints, data: surface(100).batch(32), epochs: 3, seed: 7 }),
    )
    if (start?.type !== 'start') throw new Error('no start')
    expect(start.info).toMatchObject({
      seed: 7,
      epochs: 3,
      steps: 12,
      stepsPerEpoch: 4,
      parameterCount: 337,
      hasValidation: false,
    })
    expect(start.info.parameters['layers.2.weight']).toEqual([16, 16])
  })
})

test('layers are told whether they train, and get a key of their own in each step', async () => {
  const told: { training: boolean; key: string | undefined }[] = []
  const spy: typeof line = {
    init: line.init,
    apply: (params, state, x, context) => {
      told.push({ training: context.training, key: context.key && String(context.key) })
      return line.apply(params, state, x, context)
    },
  }
  const validation = points([3, 6]).batch(1)
  await result(fit(spy, { ...twoPoints, validation, epochs: 2, seed: 9, compile: false }))
  const step = t.foldIn(t.key(9), 'step')
  const key = (i: number): string => String(t.foldIn(step, i))
  expect(told).toEqual([
    { training: true, key: key(0) },
    { training: true, key: key(1) },
    { training: false, key: undefined },
    { training: true, key: key(2) },
    { training: true, key: key(3) },
    { training: false, key: undefined },
  ])
})

test('layer state goes from step to step, and is in the result', async () => {
  const counting: Model<LinearParams, { readonly calls: t.Tensor }> = {
    init: (key, shape) => ({ ...line.init(key, shape), state: { calls: t.zeros([]) } }),
    apply: (params, { calls }, x, context) => ({
      y: line.apply(params, null, x, context).y,
      state: { calls: context.training ? t.add(calls, 1) : calls },
    }),
  }
  const before = t.memory().bytes
  const { state } = await result(fit(counting, { ...twoPoints, validation: twoPoints.data, epochs: 2 }))
  expect(state).toEqual({ calls: { shape: [], values: Float32Array.of(4) } })
  expect(t.memory().bytes).toBe(before)
})

describe.each(modes)('numbers, %s,', (_, mode) => {
  const options = {
    ...mode,
    data: surface(100)
      .shuffle({ key: t.key(3) })
      .batch(32),
    loss: mse(),
    optimizer: adam(),
    epochs: 3,
  }

  test('are the same bits for the same seed, others for another', async () => {
    const [one, two, other] = await Promise.all(
      [0, 0, 1].map((seed) => eventsOf(fit(surfaceModel, { ...options, seed }))),
    )
    expect(lossesOf(two!)).toEqual(lossesOf(one!))
    expect(lossesOf(other!)).not.toEqual(lossesOf(one!))
  })

  test('of two interleaved subscriptions are those of one alone', async () => {
    const run$ = fit(surfaceModel, { ...options, pace: { budget: 0 } })
    const alone = lossesOf(await eventsOf(run$))
    const both = await Promise.all([eventsOf(run$), eventsOf(run$)])
    expect(both.map(lossesOf)).toEqual([alone, alone])
  })

  test('do not depend on who watches', async () => {
    const watched = await eventsOf(
      fit(surfaceModel, { ...options, watch: ['gradients', 'gradientNorm', 'activations'] }),
    )
    expect(lossesOf(watched)).toEqual(lossesOf(await eventsOf(fit(surfaceModel, options))))
  })

  test('are weighted by rows where the last batch is ragged', async () => {
    const data = points([1, 0], [1, 0], [1, 3]).batch(2)
    const still = {
      ...mode,
      data,
      loss: mse(),
      optimizer: sgd({ learningRate: 0 }),
      validation: data,
      epochs: 1,
    }
    const events = await eventsOf(fit(line, still))
    const steps = events.flatMap((event) => (event.type === 'step' ? [event] : []))
    expect(steps.map(({ rows, loss, runningLoss }) => [rows, loss, runningLoss])).toEqual([
      [2, 0, 0],
      [1, 9, 3],
    ])
    expect(events.find((event) => event.type === 'epoch')).toMatchObject({ loss: 3, rows: 3, batches: 2 })
    expect(events.find((event) => event.type === 'validation')).toMatchObject({ loss: 3, rows: 3 })
  })

  test('count rows as much as their weights say', async () => {
    const data = dataset({
      x: { shape: [3, 1], values: Float32Array.of(1, 1, 1) },
      y: { shape: [3, 1], values: Float32Array.of(0, 2, 4) },
      weights: { shape: [3], values: Float32Array.of(1, 0, 3) },
    }).batch(2)
    const still = { ...mode, data, loss: mse(), optimizer: sgd({ learningRate: 0 }), epochs: 1 }
    const { history } = await result(fit(line, still))
    expect(history[0]!.loss).toBe((1 * 0 + 0 * 4 + 3 * 16) / 4)
  })

  test('of a batch whose weights are all 0 are 0, and move nothing', async () => {
    const weighted = (...weights: readonly number[]): FitOptions['data'] =>
      dataset({
        x: { shape: [3, 1], values: Float32Array.of(1, 1, 1) },
        y: { shape: [3, 1], values: Float32Array.of(4, 2, 4) },
        weights: { shape: [3], values: Float32Array.from(weights) },
      }).batch(1)
    const options = { ...mode, loss: mse(), optimizer: sgd({ learningRate: 0.1 }), epochs: 1 }
    const events = await eventsOf(fit(line, { ...options, data: weighted(0, 2, 0) }))
    // y = 0 and a target of 2: the gradients are -4.
    expect(events.flatMap((event) => (event.type === 'step' ? [event.loss] : []))).toEqual([0, 4, 0])
    const end = events.at(-1)
    if (end?.type !== 'end') throw new Error('no end')
    expect(end.history[0]!.loss).toBe(4)
    const moved = Float32Array.of(0.4)
    expect(end.result.params).toMatchObject({ weight: { values: moved }, bias: { values: moved } })
  })

  test('of metrics are over the epoch so far', async () => {
    const data = dataset({
      x: { shape: [4, 1], values: Float32Array.of(1, 1, 1, 1) },
      y: { shape: [4], values: Float32Array.of(0, 1, 0, 0) },
    }).batch(2)
    const model = linear(1, 2, { weight: zeros })
    const still = {
      ...mode,
      data,
      loss: sparseCrossEntropy(),
      optimizer: sgd({ learningRate: 0 }),
      metrics: [accuracy()],
      epochs: 1,
    }
    const events = await eventsOf(fit(model, still))
    expect(events.flatMap((event) => (event.type === 'step' ? [event.metrics.accuracy] : []))).toEqual([
      0.5, 0.75,
    ])
    expect(events.find((event) => event.type === 'epoch')?.metrics).toEqual({ accuracy: 0.75 })
  })

  test('may be NaN: it is reported and the run goes on', async () => {
    const events = await eventsOf(
      fit(line, { ...twoPoints, ...mode, optimizer: sgd({ learningRate: 1e30 }), epochs: 20 }),
    )
    expect(lossesOf(events).at(-1)).toBeNaN()
    expect(events.at(-1)).toMatchObject({ type: 'end', reason: 'completed' })
  })
})

describe('what is wrong with a call', () => {
  const cases: readonly [words: string, options: object][] = [
    [
      "fit: unknown option 'epoch'; use data, validation, validateEvery, evaluateTraining, loss, trainStep, optimizer, metrics, regularizers, constraints, epochs, steps, seed, callbacks, monitors, watch, compile, numerics, commands, pace, from, timeTravel, store, scheduler, log",
      { epoch: 1 },
    ],
    ['fit: epochs or steps must be given, got neither; pass epochs: 10', {}],
    ['fit: epochs or steps must be given, got both; pass epochs: 10', { epochs: 1, steps: 1 }],
    ['fit: epochs must be an integer from 1 on, got 0', { epochs: 0 }],
    ['fit: steps must be an integer from 1 on, got 1.5', { steps: 1.5 }],
    ['fit: seed must be an integer from 0 on, got -1', { epochs: 1, seed: -1 }],
    ['fit: data must be a dataset, got an array', { epochs: 1, data: [] }],
    ['fit: data must be a dataset, got an object', { epochs: 1, data: (async function* () {})() }],
    ['fit: loss must be a function, or several by name, got a string', { epochs: 1, loss: 'mse' }],
    ['fit: optimizer must be an optimizer, got undefined', { epochs: 1, optimizer: undefined }],
    [
      'fit: callbacks must be an array of callbacks with a name, got a function at 0; call it, or pass it among monitors',
      { epochs: 1, callbacks: [earlyStopping] },
    ],
    ...[undefined, 3, ''].flatMap((name): [string, object][] => [
      [
        'fit: callbacks must be an array of callbacks with a name, got an object at 1',
        { epochs: 1, callbacks: [lrWarmup({ steps: 1 }), { name, run: () => EMPTY }] },
      ],
      [
        'fit: metrics must be an array of metrics with a name, got an object at 0',
        { epochs: 1, metrics: [{ ...accuracy(), name }] },
      ],
    ]),
    [
      'fit: callbacks must be an array of callbacks with a name, got an object at 0; pass it among monitors',
      { epochs: 1, callbacks: [{ next: () => {} }] },
    ],
    ...[null, {}, [], { nxt: () => {} }, { next: 3 }].map((wrong): [string, object] => [
      `fit: monitors must be an array of functions or observers, got ${t.kindOf(wrong)} at 0; pass a function of events, or { next }`,
      { epochs: 1, monitors: [wrong] },
    ]),
    [
      'fit: monitors must be an array of functions or observers, got an object at 0; pass it among callbacks',
      { epochs: 1, monitors: [earlyStopping({ patience: 1 })] },
    ],
    ['fit: regularizers must be regularize([…]), got an array', { epochs: 1, regularizers: [] }],
    ['fit: constraints must be constrain([…]), got an array', { epochs: 1, constraints: [] }],
    ['fit: metrics must be an array, got an object', { epochs: 1, metrics: accuracy() }],
    ['fit: compile must be true or false, got a string', { epochs: 1, compile: 'yes' }],
    [
      'fit: numerics must be a numeric mode, relaxed() of @tapeflow/autodiff/relaxed, got a string',
      { epochs: 1, numerics: 'relaxed' },
    ],
    [
      'fit: eager steps are always strict, got numerics and compile: false; leave one of them out',
      { epochs: 1, numerics: { name: 'relaxed', kernels: {}, contracts: true }, compile: false },
    ],
    ['fit: pace must be { budget, rest }, got a Promise', { epochs: 1, pace: Promise.resolve({ rest: 9 }) }],
    ['fit: pace must be { budget, rest }, got a Date', { epochs: 1, pace: new Date() }],
    ['fit: pace has only budget and rest, got fps', { epochs: 1, pace: { fps: 3 } }],
    ['fit: pace needs milliseconds from 0 on for budget, got -1', { epochs: 1, pace: { budget: -1 } }],
    ['fit: pace needs milliseconds from 0 on for rest, got a string', { epochs: 1, pace: { rest: 'long' } }],
    [
      "fit: cannot watch 'weights'; use 'gradients', 'gradientNorm' or 'activations:**'",
      { epochs: 1, watch: ['weights'] },
    ],
    [
      "fit: two metrics are named 'accuracy'; give them different names",
      { epochs: 1, metrics: [accuracy(), accuracy()] },
    ],
    ...['loss', 'epoch', 'penalty', 'learningRate', 'validation.loss'].map((name): [string, object] => [
      `fit: no metric can be named '${name}', as other numbers of a run are; pass { ...metric, name: 'another' }, or name the output otherwise`,
      { epochs: 1, metrics: [{ ...accuracy(), name }] },
    ]),
    [
      "fit: no metric can be named 'losses.accuracy', as other numbers of a run are; pass { ...metric, name: 'another' }, or name the output otherwise",
      { epochs: 1, metrics: { losses: [accuracy()] } },
    ],
    [
      'fit: metrics must be measures of one number, but confusionMatrix comes to an array; measure it beside the run, on the result',
      { epochs: 1, metrics: [confusionMatrix()] },
    ],
  ]
  test.each(cases)('%s', (words, options) => {
    const call = (): unknown => fit(line, { ...twoPoints, ...options })
    expect(call).toThrow(expect.objectContaining({ message: words, operation: 'fit' }))
  })

  const inRun: readonly [words: string, options: object][] = [
    [
      'fit: the data of epoch 0 gave no batch; check its filters, and that it can be read more than once',
      {
        data: points([1, 1])
          .filter(() => false)
          .batch(1),
      },
    ],
    [
      'fit: the validation data gave no batch; check its filters, and that it can be read more than once',
      {
        validation: points([1, 1])
          .filter(() => false)
          .batch(1),
      },
    ],
    [
      'fit: the data gives single rows, got x of shape [1] and y of shape []; add .batch(32)',
      {
        data: dataset([
          { x: { shape: [1], values: Float32Array.of(1) }, y: { shape: [], values: Float32Array.of(1) } },
        ]),
      },
    ],
    [
      'fit: x and y of a batch must have the same number of rows, at least 1, got [1,1] and [2,1]; make them equally long, or add .batch(32) where these are single rows',
      {
        data: dataset([
          {
            x: { shape: [1, 1], values: Float32Array.of(1) },
            y: { shape: [2, 1], values: Float32Array.of(1, 2) },
          },
        ]),
      },
    ],
    [
      'fit: a batch needs x and y with shape and values, y is undefined; map the data to { x, y }',
      { data: dataset([{ x: { shape: [1, 1], values: Float32Array.of(1) } }]) },
    ],
    [
      'fit: the values of a batch must be a Float32Array, y has an array; convert them: Float32Array.from(values)',
      {
        data: points([1, 1])
          .batch(1)
          .map(({ x, y }) => ({ x, y: { ...y, values: Array.from(y.values) } })),
      },
    ],
    [
      'fit: the shape of a batch must be an array, y has a string; pass [rows, …]',
      {
        data: points([1, 1])
          .batch(1)
          .map(({ x, y }) => ({ x, y: { ...y, shape: '1,1' } })),
      },
    ],
    [
      'fit: a batch needs x and y with shape and values, weights is null; map the data to { x, y }',
      {
        data: points([1, 1])
          .batch(1)
          .map((batch) => ({ ...batch, weights: null })),
      },
    ],
    [
      'fit: step 0 of epoch 0 failed: the loss must return a tensor, got a number; return what crossEntropy or mse return',
      { loss: () => 1 },
    ],
  ]
  test.each(inRun)('%s', async (words, options) => {
    const before = t.memory()
    await expect(eventsOf(fit(line, { ...twoPoints, epochs: 1, ...options }))).rejects.toThrow(words)
    expect(t.memory()).toMatchObject({ bytes: before.bytes, tensors: before.tensors })
  })

  test('data that can be read only once fails at the second epoch', async () => {
    const once = twoPoints.data.iterate(0)
    const data = { iterate: () => once }
    await expect(eventsOf(fit(line, { ...twoPoints, data, epochs: 2 }))).rejects.toThrow(
      'fit: the data of epoch 1 gave no batch',
    )
  })
})
