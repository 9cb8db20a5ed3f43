import * as t from '@tapeflow/autodiff'
import { batchNorm, features, freeze, linear, mse, sequential, startFrom, tanh } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { describe, expect, test } from 'vitest'
import { fit, result } from '../src/index.ts'
import { eventsOf, modes, surface } from './small.ts'
import { toldInBothModes } from './told.ts'

const encoder = sequential(linear(2, 6), batchNorm(), tanh(), linear(6, 3))
const options = { data: surface(60).batch(20), loss: mse(), optimizer: adam(), seed: 3 }

describe('a frozen part of a model', () => {
  test.each(modes)('stays bit for bit while the rest trains, %s', async (_, mode) => {
    const made = encoder.init(t.key(9), [2])
    const trained = t.toSnapshot(made)
    for (const leaf of t.leaves(made)) leaf.dispose()
    const base = freeze(startFrom(features(encoder, 'layers.2'), trained), (path) =>
      path.includes('layers.0'),
    )
    const model = sequential(base, linear(6, 1))
    const before = t.memory().tensors
    const { params, state } = await result(fit(model, { ...options, ...mode, epochs: 3 }))
    const kept = trained.params.layers[0]
    expect(state.layers[0].frozen.layers[0]).toEqual(kept)
    expect(params.layers[0].layers[0]).toEqual({ bias: null, weight: null })
    expect(params.layers[0].layers[1].gamma).not.toEqual(trained.params.layers[1].gamma)
    expect(state.layers[0].state.layers[1].movingMean).not.toEqual(trained.state.layers[1].movingMean)
    // The layer behind the features has no gradient.
    expect(params.layers[0].layers[3]).toEqual(trained.params.layers[3])
    expect(t.memory().tensors).toBe(before)
  })

  test('tells the same compiled and eager', async () => {
    const model = sequential(freeze(encoder), linear(3, 1))
    const events = await toldInBothModes(model, {
      ...options,
      epochs: 2,
      validation: surface(20, 2).batch(20),
    })
    expect(events.length).toBeGreaterThan(6)
  })

  test('has no slots in the optimizer', async () => {
    const model = sequential(freeze(linear(2, 3)), linear(3, 1))
    const events = await eventsOf(fit(model, { ...options, steps: 1 }))
    const end = events.at(-1)!
    if (end.type !== 'end') throw new Error(`the run ends with ${end.type}`)
    const none = { bias: null, weight: null }
    expect(end.result.slots).toMatchObject({ m: { layers: [none, {}] }, v: { layers: [none, {}] } })
  })
})
