import * as t from '@tapeflow/autodiff'
import { dataset } from '@tapeflow/data'
import { accuracy, linear, mse, sequential, sparseCrossEntropy, tanh } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { expect, test } from 'vitest'
import { fit } from '../src/index.ts'
import { eventsOf, modes, surface, surfaceModel, turn } from './small.ts'

const options = { data: surface(320).batch(32), loss: mse(), optimizer: sgd({ learningRate: 0.05 }) }

// A compiled run holds its loss beside the parameters, and what is constant in its program.
test.each([
  ['compiled', { compile: true }, { tensors: 1, bytes: 64, constants: 512 }],
  ['eager', { compile: false }, { tensors: 0, bytes: 0, constants: 0 }],
] as const)(
  'memory is flat over 2,000 steps, and as before when the run has ended: %s',
  async (_, mode, own) => {
    const before = t.memory()
    const seen = new Set<string>()
    const last = { tensors: 0, bytes: 0 }
    await new Promise<void>((resolve, reject) => {
      fit(surfaceModel, { ...options, ...mode, steps: 2000 }).subscribe({
        next: (event) => {
          if (event.type !== 'step') return
          const { tensors, bytes } = t.memory()
          Object.assign(last, { tensors, bytes })
          seen.add(`${tensors} tensors, ${bytes} bytes`)
        },
        error: reject,
        complete: resolve,
      })
    })
    expect(seen.size).toBe(1)
    expect(last.tensors).toBe(before.tensors + 6 + own.tensors)
    const beside = last.bytes - before.bytes - bytesOfSurfaceModel - own.bytes
    expect(beside).toBeGreaterThanOrEqual(0)
    expect(beside).toBeLessThanOrEqual(own.constants)
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  },
)

// 32 + 16 + 256 + 16 + 16 + 1 floats, each tensor rounded up to 64 bytes
const bytesOfSurfaceModel = 128 + 64 + 1024 + 64 + 64 + 64

test.each(modes)(
  'unsubscribing at any of 50 steps, from inside or outside, frees everything: %s',
  async (_, mode) => {
    const before = t.memory()
    const stops = t.uniformValues(t.key(5), 50, 0, 60)
    for (const [i, value] of stops.entries()) {
      const stop = Math.floor(value)
      await new Promise<void>((resolve, reject) => {
        const watch = ['gradients', 'activations'] as const
        const run$ = fit(surfaceModel, {
          ...options,
          ...mode,
          optimizer: adam(),
          validation: options.data,
          epochs: 1e6,
          watch,
          pace: { budget: i % 3 },
        })
        const subscription = run$.subscribe({
          next: (event) => {
            if (event.type !== 'step' || event.step < stop) return
            if (i % 2 === 0) subscription.unsubscribe()
            else queueMicrotask(() => subscription.unsubscribe())
            setTimeout(resolve, 0)
          },
          error: reject,
          complete: () => reject(new Error('ran to its end')),
        })
      })
      expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
    }
  },
)

test('unsubscribing before the first slice leaves nothing, and reads no data', async () => {
  let reads = 0
  const iterate: typeof options.data.iterate = (epoch) => {
    reads++
    return options.data.iterate(epoch)
  }
  fit(surfaceModel, { ...options, data: { iterate }, epochs: 1 })
    .subscribe()
    .unsubscribe()
  await turn()
  expect(reads).toBe(0)
})

test('a step that fails leaves nothing', async () => {
  const before = t.memory()
  let calls = 0
  const loss: typeof options.loss = (prediction, target) => {
    if (++calls === 3) throw new Error('third call')
    return options.loss(prediction, target)
  }
  const run$ = fit(surfaceModel, { ...options, loss, epochs: 1, compile: false })
  await expect(eventsOf(run$)).rejects.toThrow('third call')
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})

test.each(modes)('a label that is none, found out in the third step, leaves nothing: %s', async (_, mode) => {
  const before = t.memory()
  const data = dataset({
    x: { shape: [6, 2], values: new Float32Array(12) },
    y: { shape: [6], values: Float32Array.of(0, 1, 2, 0, 3, 1) },
  }).batch(2)
  const watch = ['gradients', 'gradientNorm', 'activations'] as const
  const seen: number[] = []
  const run$ = fit(sequential(linear(2, 3), tanh()), {
    ...mode,
    data,
    loss: sparseCrossEntropy(),
    optimizer: adam(),
    metrics: [accuracy()],
    epochs: 1,
    watch,
    monitors: [(event) => event.type === 'step' && seen.push(event.step)],
  })
  await expect(eventsOf(run$)).rejects.toThrow(
    'fit: step 2 of epoch 0 failed: sparseCrossEntropy: label 3 at row 0 is not an integer from 0 to 2; count classes from 0',
  )
  expect(seen).toEqual([0, 1])
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})
