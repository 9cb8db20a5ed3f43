import * as t from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import {
  accumulate,
  adam,
  addDecayedWeights,
  addNoise,
  applyIfFinite,
  chain,
  clipByGlobalNorm,
  cosineDecay,
  descend,
  ewma,
  masked,
  type Optimizer,
  perPath,
  scaleByAdam,
  trace,
} from '@tapeflow/optim'
import { concatMap } from 'rxjs'
import { expect, test } from 'vitest'
import { type Callback, fit, type TrainCommand, type TrainEvent } from '../src/index.ts'
import { eventsOf, modes, surface, surfaceModel } from './small.ts'
import { toldInBothModes } from './told.ts'

function resultOf<P, S>(events: readonly TrainEvent<P, S>[]): (TrainEvent<P, S> & { type: 'end' })['result'] {
  const end = events.at(-1)
  if (end?.type !== 'end') throw new Error('no end')
  return end.result
}

test.each(modes)(
  '%s: accumulate(4) over batches of 8 goes where adam goes over batches of 32',
  async (_, mode) => {
    // The rate falls to 0 at the last update: were it counted in steps, it would be there at the fourth part of them.
    const optimizer = adam({ learningRate: cosineDecay({ from: 0.01, steps: 3 * 4 }) })
    const trained = async (rows: number, optimizer: Optimizer<string>): Promise<number[]> => {
      const events = await eventsOf(
        fit(surfaceModel, { data: surface(128).batch(rows), loss: mse(), optimizer, epochs: 3, ...mode }),
      )
      const rates = events.flatMap((event) => (event.type === 'step' ? [event.learningRate] : []))
      expect(new Set(rates).size).toBe(12)
      return t.scope(() =>
        t.leaves(t.fromSnapshot(resultOf(events).params)).flatMap((x) => [...x.toFloat32Array()]),
      )
    }
    const [small, large] = [await trained(8, chain(accumulate(4), optimizer)), await trained(32, optimizer)]
    for (const [i, value] of small.entries()) expect(value).toBeCloseTo(large[i]!, 5)
  },
)

const isWeight = (path: string): boolean => path.endsWith('weight')
const everyLink: Optimizer<string> = chain(
  accumulate(2),
  applyIfFinite(),
  clipByGlobalNorm(1),
  addNoise({ key: t.key(9), eta: 0.01 }),
  masked(trace({ decay: 0.5 }), isWeight),
  scaleByAdam(),
  addDecayedWeights({ weightDecay: 0.01, at: isWeight }),
  perPath([{ at: isWeight, factor: 0.5 }]),
  ewma({ decay: 0.9 }),
  descend({ learningRate: 0.01 }),
)
const options = { data: surface(100).batch(16), loss: mse(), optimizer: everyLink, steps: 20, seed: 4 }

test('a run through many links tells the same compiled and eagerly, bit for bit', async () => {
  await toldInBothModes(surfaceModel, { ...options, steps: 9 })
})

test.each(modes)('%s: a run through many links, restored, goes on bit for bit as it did', async (_, mode) => {
  let restored = false
  const back: Callback = {
    name: 'back',
    run: (events$) =>
      events$.pipe(
        concatMap((event): TrainCommand[] => {
          if (event.type !== 'step') return []
          // In the middle of an accumulation.
          if (event.step === 4 && !restored) return [{ type: 'checkpoint' }]
          if (event.step !== 9 || restored) return []
          restored = true
          return [{ type: 'restore', from: 'latest', what: 'all' }]
        }),
      ),
  }
  const straight = resultOf(await eventsOf(fit(surfaceModel, { ...options, ...mode })))
  const events = await eventsOf(fit(surfaceModel, { ...options, ...mode, callbacks: [back] }))
  expect(restored).toBe(true)
  const found = resultOf(events)
  expect([found.params, found.slots]).toEqual([straight.params, straight.slots])
  expect(Object.keys(found.slots as object)).toEqual(['average', 'm', 'sum', 'trace', 'v'])
})
