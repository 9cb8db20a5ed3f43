import type { Numerics } from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import { sgd } from '@tapeflow/optim'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import { fit, type RunSnapshot } from '../src/index.ts'
import { eventsOf, surface, surfaceModel } from './small.ts'

let products = 0
const count = (): void => {
  products++
}
/** A mode whose kernels compute nothing. */
const counting: Numerics = {
  name: 'relaxed',
  kernels: { matmul: count, convolve: count, filterGradient: count },
  contracts: false,
}

test('a numeric mode is that of training and validation steps', async () => {
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

test('a snapshot says in which mode it was made, and going on in another one is logged', async () => {
  const options = {
    data: surface(64).batch(32),
    loss: mse(),
    optimizer: sgd({ learningRate: 0.1 }),
    epochs: 2,
  }
  const runOf = async (numerics: Numerics | undefined, from?: RunSnapshot) => {
    const logged: unknown[] = []
    const events = await eventsOf(
      fit(surfaceModel, {
        ...options,
        ...(numerics && { numerics }),
        ...(from && { commands: of({ type: 'restore', from } as const) }),
        log: (...words) => logged.push(words),
      }),
    )
    const end = events.at(-1)!
    return { result: end.type === 'end' ? end.result : undefined, logged }
  }
  const strict = await runOf(undefined)
  const fast = await runOf(counting)
  expect(strict.result?.numerics).toBe('strict')
  expect(fast.result?.numerics).toBe('relaxed')
  const warning = 'fit: the run goes on in another numeric mode than its snapshot was made in'
  expect((await runOf(undefined, strict.result)).logged).toEqual([])
  expect((await runOf(undefined, fast.result)).logged).toEqual([[warning, 'strict, not relaxed']])
  expect((await runOf(counting, strict.result)).logged).toEqual([[warning, 'relaxed, not strict']])
  expect((await runOf(counting, fast.result)).logged).toEqual([])
})
