import * as t from '@tapeflow/autodiff'
import { batchNorm, dropout, linear, mse, relu, sequential } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { EMPTY, type Observable, of } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { fit, type RunSnapshot, type TrainCommand } from '../src/index.ts'
import { eventsOf, modes, surface } from './small.ts'
import { toldInBothModes } from './told.ts'

const model = sequential(
  linear(2, 9),
  batchNorm(),
  relu(),
  dropout(0.3),
  linear(9, 5),
  batchNorm(),
  linear(5, 1),
)
// 32 does not divide 100: the last batch is ragged.
const options = { data: surface(100).batch(32), loss: mse(), optimizer: adam(), seed: 3 }

describe('layers with noise and moving averages', () => {
  test('tell the same compiled and eager, ragged batches and validation included', async () => {
    const tellings = await toldInBothModes(model, {
      ...options,
      validation: surface(50, 2).batch(16),
      epochs: 3,
    })
    expect(tellings.filter((one) => (one as { type: string }).type === 'step')).toHaveLength(12)
  })

  test.each(modes)('are carried on by a run that is stopped and restored, %s', async (_, mode) => {
    const whole = await endOf({ steps: 7 })
    const half = await endOf({ steps: 3 })
    const rest = await endOf({ steps: 7, from: half })
    expect(rest.params).toEqual(whole.params)
    expect(rest.state).toEqual(whole.state)
    const moved = whole.state.layers[1]!
    expect(moved.movingMean.values).not.toEqual(new Float32Array(9))

    async function endOf({ steps, from }: { steps: number; from?: RunSnapshot }) {
      const commands: Observable<TrainCommand> = from === undefined ? EMPTY : of({ type: 'restore', from })
      const events = await eventsOf(fit(model, { ...options, ...mode, steps, commands }))
      const end = events.at(-1)!
      if (end.type !== 'end') throw new Error(`the run ends with ${end.type}`)
      return end.result
    }
  })

  test.each(modes)('leave nothing in the heap when the run has ended, %s', async (_, mode) => {
    await eventsOf(fit(model, { ...options, ...mode, steps: 2 }))
    const before = t.memory()
    await eventsOf(fit(model, { ...options, ...mode, epochs: 2, validation: surface(50, 2).batch(16) }))
    const after = t.memory()
    expect([after.tensors, after.bytes]).toEqual([before.tensors, before.bytes])
  })
})
