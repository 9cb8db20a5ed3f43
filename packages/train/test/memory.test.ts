import * as t from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { expect, test } from 'vitest'
import { fit } from '../src/index.ts'
import { surface, surfaceModel, turn } from './small.ts'

const options = { data: surface(320).batch(32), loss: mse(), optimizer: sgd({ learningRate: 0.05 }) }

test('memory is flat over 2,000 steps, and as before when the run has ended', async () => {
  const before = t.memory()
  const seen = new Set<string>()
  await new Promise<void>((resolve, reject) => {
    fit(surfaceModel, { ...options, steps: 2000 }).subscribe({
      next: (event) => {
        if (event.type !== 'step') return
        const { tensors, bytes } = t.memory()
        seen.add(`${tensors} tensors, ${bytes} bytes`)
      },
      error: reject,
      complete: resolve,
    })
  })
  expect([...seen]).toEqual([`${before.tensors + 6} tensors, ${before.bytes + bytesOfSurfaceModel} bytes`])
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})

// 32 + 16 + 256 + 16 + 16 + 1 floats, each tensor rounded up to 64 bytes
const bytesOfSurfaceModel = 128 + 64 + 1024 + 64 + 64 + 64

test('unsubscribing at any of 50 steps, from inside or outside, frees everything', async () => {
  const before = t.memory()
  const stops = t.uniformValues(t.key(5), 50, 0, 60)
  for (const [i, value] of stops.entries()) {
    const stop = Math.floor(value)
    await new Promise<void>((resolve, reject) => {
      const watch = ['gradients', 'activations'] as const
      const run$ = fit(surfaceModel, {
        ...options,
        optimizer: adam(),
        validation: options.data,
        epochs: 9,
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
})

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
  await expect(
    new Promise((resolve, reject) => {
      fit(surfaceModel, { ...options, loss, epochs: 1 }).subscribe({
        error: reject,
        complete: () => resolve(0),
      })
    }),
  ).rejects.toThrow('third call')
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
})
