import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { bidirectional, type Context, gru, linear, lstm, sequenceMask, sequential } from '../src/index.ts'

const ctx: Context = { training: true, path: '' }
const [rows, steps, features] = [3, 5, 2]
const drawn = (n: number): t.Tensor => t.normal(t.key(n), [rows, steps, features])
const bits = (x: t.Tensor): number[] => [...x.toFloat32Array()]

describe('bidirectional', () => {
  const made = bidirectional(gru(features, 3, { returnSequences: true }))
  const { params, state } = made.init(t.key(1), [steps, features])

  test('is two passes side by side, each with parameters of its own, and passes over padding', () => {
    expect(bits(params.forward.weight)).not.toEqual(bits(params.backward.weight))
    const mask = sequenceMask(t.tensor([2, 5, 3]), steps)
    for (const given of [undefined, mask]) {
      const y = made.apply(params, state, drawn(1), ctx, given).y
      const ahead = gru(features, 3, { returnSequences: true })
      const back = gru(features, 3, { returnSequences: true, reverse: true })
      const both = [
        ahead.apply(params.forward, null, drawn(1), ctx, given).y,
        back.apply(params.backward, null, drawn(1), ctx, given).y,
      ]
      expect(bits(y)).toEqual(bits(t.concat(both, { axis: -1 })))
    }
  })

  test('begins on the way back at the last true step of each row', () => {
    const last = bidirectional(lstm(features, 2))
    const own = last.init(t.key(2), [steps, features]).params
    const mask = sequenceMask(t.tensor([2, 5, 3]), steps)
    const whole = last.apply(own, null, drawn(2), ctx, mask).y
    for (const [row, length] of [2, 5, 3].entries()) {
      const alone = last.apply(own, null, t.slice(drawn(2), [row, 0], [row + 1, length]), ctx).y
      expect(bits(t.slice(whole, row, row + 1))).toEqual(bits(alone))
    }
  })

  test('names its directions in paths, graphs and taps', () => {
    const told: string[] = []
    const model = sequential(made, linear(6, 1))
    const all = model.init(t.key(3), [steps, features])
    expect(t.paths(all.params).filter((path) => path.endsWith('weight'))).toEqual([
      'layers.0.backward.weight',
      'layers.0.forward.weight',
      'layers.1.weight',
    ])
    const tapped: Context = { ...ctx, tap: (path) => told.push(path) }
    const pass = (x: t.Tensor): t.Tensor => model.apply(all.params, all.state, x, tapped).y
    expect(t.graph(pass, drawn(1)).layers).toEqual([
      'layers.0.forward',
      'layers.0.backward',
      'layers.0',
      'layers.1',
    ])
    expect(told).toEqual(['layers.0.forward', 'layers.0.backward', 'layers.0', 'layers.1'])
  })

  test('refuses layers that do not go together', () => {
    const words = (make: () => unknown): string => {
      try {
        make()
      } catch (error) {
        if (error instanceof RangeError || error instanceof TypeError)
          return `${error.name}: ${error.message}`
      }
      return 'nothing is thrown'
    }
    expect(words(() => bidirectional(gru(2, 3), gru(2, 3)))).toBe(
      'RangeError: bidirectional: the second layer must read backward, the first must not, got gru 2 -> 3 and gru 2 -> 3; give the second alone reverse: true',
    )
    expect(words(() => bidirectional(gru(2, 3), lstm(2, 3, { reverse: true, returnSequences: true })))).toBe(
      'RangeError: bidirectional: both layers must return sequences, or none, got gru 2 -> 3 and lstm 2 -> 3; give both the same returnSequences',
    )
    // @ts-expect-error takes 4 features beside 2
    expect(words(() => bidirectional(gru(2, 3), gru(4, 3, { reverse: true })))).toBe(
      'RangeError: bidirectional: both layers must take as many features, got gru 2 -> 3 and gru 4 -> 3; make the two input sizes equal',
    )
    // @ts-expect-error it has a state
    expect(words(() => bidirectional(gru(2, 3, { statefulRows: 4 })))).toBe(
      'RangeError: bidirectional: a layer that keeps its state cannot read both ways, got gru 2 -> 3 and gru 2 -> 3; leave out statefulRows',
    )
    // @ts-expect-error a linear layer is not recurrent
    expect(words(() => bidirectional(linear(2, 3)))).toBe(
      'TypeError: bidirectional: argument 0 is no recurrent layer, got an object; pass rnn(…), gru(…) or lstm(…)',
    )
  })
})
