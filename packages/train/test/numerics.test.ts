import type { Numerics } from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { expect, test } from 'vitest'
import { fit } from '../src/index.ts'
import { eventsOf, surface, surfaceModel } from './small.ts'

test('a numeric mode is that of training and validation steps', async () => {
  let products = 0
  const count = (): void => {
    products++
  }
  const counting: Numerics = {
    name: 'relaxed',
    kernels: { matmul: count, convolve: count, filterGradient: count },
    contracts: false,
  }
  const made = async (validates: boolean): Promise<number> => {
    products = 0
    await eventsOf(
      fit(surfaceModel, {
        data: surface(64).batch(32),
        ...(validates && { validation: surface(32).batch(32) }),
        loss: mse(),
        optimizer: sgd({ learningRate: 0 }),
        epochs: 1,
        numerics: counting,
      }),
    )
    return products
  }
  // A step has three products forward, and five backward: two for each layer, but none for the inputs of the first.
  expect(await made(false)).toBe(2 * 8)
  expect(await made(true)).toBe(2 * 8 + 3)
})
