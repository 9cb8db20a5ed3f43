import * as t from '@tapeflow/autodiff'
import { type Batch, digits } from '@tapeflow/data'
import { accuracy, type LinearParams, linear, mse, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { adam, cosineDecay, type Optimizer, sgd } from '@tapeflow/optim'
import { concatMap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { fit, type Model, type TrainBatch, type TrainCommand } from '../src/index.ts'
import { eventsOf, line, modes, points, surface, surfaceModel, twoPoints } from './small.ts'
import { told, toldInBothModes } from './told.ts'

const watch = ['gradients', 'gradientNorm', 'activations'] as const
const steps = (tellings: readonly unknown[]): number =>
  tellings.filter((one) => (one as { type: string }).type === 'step').length

describe('a compiled run tells what an eager one tells, bit for bit:', () => {
  const optimizers: readonly (readonly [string, Optimizer<string>])[] = [
    ['sgd', sgd({ learningRate: 0.1 })],
    ['sgd with momentum', sgd({ learningRate: 0.02, momentum: 0.9 })],
    ['adam with a schedule', adam({ learningRate: cosineDecay({ from: 0.01, steps: 12 }) })],
  ]
  const [without, whole] = [[false], [false, true]]
  const rows = optimizers.flatMap(([name, optimizer], i) =>
    whole.flatMap((measured) =>
      (i === 0 ? whole : without).flatMap((weighted) =>
        whole.map((watched) => ({ name, optimizer, measured, weighted, watched })),
      ),
    ),
  )
  const [train, validation] = [digits().take(200), digits().skip(200).take(70)]
  const weighed = (batch: TrainBatch<Batch>): TrainBatch<Batch> => {
    const rows = batch.x.shape[0]!
    return {
      ...batch,
      weights: { shape: [rows], values: Float32Array.from({ length: rows }, (_, i) => i % 3) },
    }
  }

  test.each(rows)('digits, $name, metrics $measured, weights $weighted, watched $watched', async (row) => {
    // 48 does not divide 200, and 32 not 70.
    const [data, held] = [train.shuffle({ key: t.key(1) }).batch(48), validation.batch(32)]
    const tellings = await toldInBothModes(sequential(linear(784, 16), relu(), linear(16, 10)), {
      data: row.weighted ? data.map(weighed) : data,
      validation: row.weighted ? held.map(weighed) : held,
      loss: sparseCrossEntropy(),
      optimizer: row.optimizer,
      metrics: row.measured ? [accuracy()] : [],
      epochs: 3,
      ...(row.watched && { watch }),
    })
    expect(steps(tellings)).toBe(15)
  })

  test('three epochs of all digits', async () => {
    const tellings = await toldInBothModes(
      sequential(linear(784, 128), relu(), linear(128, 64), relu(), linear(64, 10)),
      {
        data: digits()
          .shuffle({ key: t.key(2) })
          .batch(64),
        loss: sparseCrossEntropy(),
        optimizer: adam(),
        epochs: 3,
      },
    )
    expect(steps(tellings)).toBe(3 * 157)
  })
})

test.each([true, false])('watching and measuring change no bits, compile: %s', async (compile) => {
  const options = { data: surface(100).batch(32), loss: mse(), optimizer: adam(), epochs: 3, compile }
  const magnitude = {
    name: 'magnitude',
    init: () => 0,
    update: (sum: number, y: t.Tensor) => sum + t.sum(t.square(y)).item(),
    result: Number,
  }
  const all = await told(fit(surfaceModel, { ...options, watch, metrics: [magnitude] }))
  const none = await told(fit(surfaceModel, options))
  const numbers = (tellings: readonly object[]): unknown[] =>
    tellings.map((one) => ({ ...one, metrics: 0, sums: 0 }))
  expect(numbers(all)).toEqual(numbers(none))
})

/** A layer with everything that a carry may hold: a number among its parameters, and a key in its state. */
type Noisy = Model<
  LinearParams & { readonly scale: number },
  { readonly noise: t.Key; readonly calls: t.Tensor; readonly last: t.Tensor | null }
>
const noisy: Noisy = {
  init: (key, shape) => ({
    params: { ...linear(2, 1).init(key, shape).params, scale: 0.75 },
    state: { noise: t.foldIn(key, 'noise'), calls: t.zeros([]), last: null },
    outputShape: [1],
  }),
  apply: ({ weight, bias, scale }, { noise, calls, last }, x, { training, key }) => {
    if (!training) return { y: t.add(t.matmul(x, weight), bias), state: { noise, calls, last } }
    const kept = t.bernoulli(t.foldIn(key!, 'mask'), x.shape, 0.5)
    const shift = t.normal(noise, [1])
    const y = t.add(t.matmul(t.mul(x, kept), t.mul(weight, scale)), t.add(bias, t.mul(shift, 0.1)))
    return { y, state: { calls: t.add(calls, 1), last: t.mean(y), noise: t.foldIn(noise, 1) } }
  },
}

test('state, keys, noise and numbers in the parameters go from step to step as they do eagerly', async () => {
  const options = {
    data: surface(100).batch(32),
    validation: surface(40).batch(16),
    loss: mse(),
    optimizer: adam(),
  }
  const tellings = await toldInBothModes(noisy, { ...options, epochs: 3 })
  const { result } = tellings.at(-1)! as { result: Record<string, string> }
  expect(result['params.scale']).toBe('0.75')
  expect(result['state.noise']).toMatch(/^Key/)
  // Other noise in each step: without it the same batch would give the same loss.
  const still = { ...options, data: surface(32).batch(32), optimizer: sgd({ learningRate: 0 }), epochs: 5 }
  const losses = (await told(fit(noisy, still))).flatMap(({ type, loss }) => (type === 'step' ? [loss] : []))
  expect(new Set(losses).size).toBe(5)
})

describe('a carry that cannot be written over where it lies:', () => {
  const options = {
    data: surface(100).batch(32),
    loss: mse(),
    optimizer: sgd({ learningRate: 0.1, momentum: 0.5 }),
    epochs: 2,
  }
  const plain = linear(2, 1)

  test('tied parameters', async () => {
    await toldInBothModes<{ readonly a: t.Tensor; readonly b: t.Tensor }, null>(
      {
        init: () => {
          const weight = t.ones([2, 1])
          return { params: { a: weight, b: weight }, state: null, outputShape: [1] }
        },
        apply: ({ a, b }, state, x) => ({ y: t.matmul(x, t.add(a, t.square(b))), state }),
      },
      options,
    )
  })

  test('state that is handed out as it came, swapped, repeated, or is a parameter', async () => {
    type State = {
      readonly a: t.Tensor
      readonly b: t.Tensor
      readonly c: t.Tensor
      readonly weight: t.Tensor
    }
    await toldInBothModes<LinearParams, State>(
      {
        init: (key, shape) => {
          const { params } = plain.init(key, shape)
          const state = { a: t.zeros([1]), b: t.ones([1]), c: t.ones([1]), weight: t.zeros([2, 1]) }
          return { params, state, outputShape: [1] }
        },
        apply: (params, { a, b, weight }, x, context) => {
          const { y } = plain.apply(params, null, t.add(x, t.mul(t.reshape(weight, [1, 2]), 0.1)), context)
          return { y: t.add(y, t.mul(a, 0.1)), state: { weight: params.weight, c: b, b: t.add(a, 1), a: b } }
        },
      },
      { ...options, watch },
    )
  })

  test('state that grows', async () => {
    await toldInBothModes<LinearParams, { readonly seen: readonly t.Tensor[] }>(
      {
        init: (key, shape) => ({ ...plain.init(key, shape), state: { seen: [] } }),
        apply: (params, { seen }, x, context) => {
          const { y } = plain.apply(params, null, x, context)
          return { y, state: { seen: context.training ? [...seen, t.mean(y)] : seen } }
        },
      },
      { ...options, validation: options.data },
    )
  })
})

test('an optimizer may look around before it steps', async () => {
  const inner = sgd({ learningRate: 0.1 })
  const extragradient: Optimizer<never> = {
    ...inner,
    update: (gradients, slots, params, hyper, evaluate) => {
      const ahead = inner.update(gradients, slots, params, hyper)
      return inner.update(evaluate!(ahead.params).gradients, slots, params, hyper)
    },
  }
  const options = { data: surface(100).batch(32), loss: mse(), epochs: 2 }
  const tellings = await toldInBothModes(surfaceModel, { ...options, optimizer: extragradient })
  expect(tellings).not.toEqual(await told(fit(surfaceModel, { ...options, optimizer: inner })))
})

test('an optimizer may give its rate as a tensor: it is freed', async () => {
  const inner = sgd({ learningRate: 0.5 })
  const tensors: Optimizer<never> = {
    ...inner,
    hyper: (step, control) => ({
      learningRate: t.div(t.tensor(inner.hyper(step, control).learningRate as number), step + 1),
    }),
  }
  const tellings = await toldInBothModes(line, { ...twoPoints, optimizer: tensors, epochs: 2 })
  expect(tellings.flatMap(({ learningRate = [] }) => learningRate)).toEqual([
    0.5,
    0.25,
    Math.fround(0.5 / 3),
    0.125,
  ])
})

test.each(modes)('a metric that fails after the step leaves nothing: %s', async (_, mode) => {
  const before = t.memory()
  const tied: Model<{ readonly a: t.Tensor; readonly b: t.Tensor }, { readonly seen: readonly t.Tensor[] }> =
    {
      init: () => {
        const weight = t.ones([1, 1])
        return { params: { a: weight, b: weight }, state: { seen: [] }, outputShape: [1] }
      },
      apply: ({ a, b }, { seen }, x) => ({
        y: t.matmul(x, t.add(a, b)),
        state: { seen: [...seen, t.mean(x)] },
      }),
    }
  const update = (): never => {
    throw new Error('no measure')
  }
  const metrics = [{ name: 'failing', init: () => 0, update, result: Number }]
  await expect(eventsOf(fit(tied, { ...twoPoints, ...mode, metrics, epochs: 1 }))).rejects.toThrow(
    "fit: step 0 of epoch 0 failed: metric 'failing' failed: no measure",
  )
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})

describe('what is recorded', () => {
  test('is one program for each shape of batch, whatever comes back in another order', async () => {
    let calls = 0
    const model: Model<LinearParams, { readonly b: t.Tensor; readonly a: t.Tensor }> = {
      init: (key, shape) => ({ ...line.init(key, shape), state: { b: t.zeros([]), a: t.zeros([]) } }),
      apply: (params, { a, b }, x, context) => {
        calls++
        return { y: line.apply(params, null, x, context).y, state: { b: t.add(b, 1), a: t.add(a, b) } }
      },
    }
    const data = points([1, 2], [2, 4], [3, 6], [4, 8], [5, 10]).batch(2)
    const restored: number[] = []
    const events = await eventsOf(
      fit(model, {
        ...twoPoints,
        data,
        validation: data,
        epochs: 4,
        callbacks: [
          {
            name: 'back',
            run: (events$) =>
              events$.pipe(
                // Snapshots have their keys in sorted order.
                concatMap((event): TrainCommand[] => {
                  if (event.type === 'step' && event.step === 4 && restored.push(4) === 1)
                    return [{ type: 'restore', from: event.snapshot() }]
                  return []
                }),
              ),
          },
        ],
      }),
    )
    expect(steps(events)).toBe(12)
    expect(restored).toHaveLength(1)
    // Two shapes of batch, in training and in validation.
    expect(calls).toBe(4)
  })

  const reading: Model<LinearParams, null> = {
    init: line.init,
    apply: (params, state, x, context) => {
      if (t.mean(x).item() > 1e9) throw new Error('too large')
      return line.apply(params, state, x, context)
    },
  }
  const words =
    'item: the result of mean, of shape [], cannot be read while its function is recorded: there is only its shape; return it, and read the result'
  const remedy = 'or pass compile: false to fit, which then runs model and loss eagerly at every step'

  test('reads no value: the error names the way out', async () => {
    const before = t.memory()
    const error: unknown = await eventsOf(fit(reading, { ...twoPoints, epochs: 1 })).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(t.RecordingError)
    expect(error).toMatchObject({
      message: `fit: step 0 of epoch 0 failed: ${words}; ${remedy}`,
      operation: 'fit',
      cause: { name: 'RecordingError', operation: 'item', message: words },
    })
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test('may be read with compile: false', async () => {
    const eager = { ...twoPoints, epochs: 2, compile: false }
    expect(await told(fit(reading, eager))).toEqual(await told(fit(line, eager)))
  })

  test('reads no value in validation either', async () => {
    const validating: Model<LinearParams, null> = {
      init: line.init,
      apply: (params, state, x, context) =>
        (context.training ? line : reading).apply(params, state, x, context),
    }
    const run$ = fit(validating, { ...twoPoints, validation: twoPoints.data, epochs: 1 })
    await expect(eventsOf(run$)).rejects.toThrow(`fit: validation after step 2 failed: ${words}; ${remedy}`)
  })
})
