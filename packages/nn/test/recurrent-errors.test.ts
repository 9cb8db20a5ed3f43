import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { type Context, gru, lstm, rnn, sequenceMask, sequential } from '../src/index.ts'
import { refusal } from './float64.ts'

describe('recurrent layers', () => {
  const layer = gru(2, 3, { statefulRows: 4 })
  const { params, state } = layer.init(t.key(1), [5, 2])
  const inner: Context = { training: true, path: 'layers.1' }

  test('refuse what they cannot take', () => {
    for (const [x, words] of [
      [
        [4, 5, 3],
        "gru: the layer at 'layers.1' takes batches of sequences of 2 features, got an input of shape [4,5,3]; pass [rows, steps, 2]",
      ],
      [
        [4, 2],
        "gru: the layer at 'layers.1' takes batches of sequences of 2 features, got an input of shape [4,2]; pass [rows, steps, 2]",
      ],
      [
        [3, 5, 2],
        "gru: the layer at 'layers.1' keeps the state of 4 rows, got an input of shape [3,5,2]; pass batches of as many rows",
      ],
    ] as const) {
      expect(() => layer.apply(params, state, t.zeros(x), inner)).toThrow(refusal(RangeError, words))
    }
    expect(() => layer.apply(params, state, t.zeros([4, 5, 2]), inner, t.ones([4, 4]))).toThrow(
      refusal(
        RangeError,
        "gru: the mask of the layer at 'layers.1' must have shape [4,5], got [4,4]; pass 1 for each true step and 0 for padding",
      ),
    )
    expect(() => layer.init(t.key(1), [2])).toThrow(
      refusal(
        RangeError,
        'gru: the layer takes sequences of 2 features, got samples of shape [2]; pass [steps, 2]; a recurrent layer before it needs returnSequences',
      ),
    )
    expect(() => rnn(0, 3)).toThrow(
      refusal(RangeError, 'rnn: features must be an integer from 1 on, got 0; count features'),
    )
    expect(() => lstm(1, 1, { statefulRows: 0 })).toThrow(
      refusal(
        RangeError,
        'lstm: statefulRows must be an integer from 1 on, got 0; count the rows of a batch',
      ),
    )
    expect(() => rnn(1, 1, { paddingValue: Number.NaN })).toThrow(
      refusal(RangeError, 'rnn: paddingValue must be a finite number, got NaN'),
    )
    expect(() => lstm(1, 1, { forgetBias: Number.NaN })).toThrow(
      refusal(RangeError, 'lstm: forgetBias must be a finite number, got NaN'),
    )
    // @ts-expect-error names are not functions
    expect(() => rnn(1, 1, { activation: 'relu' })).toThrow(
      refusal(TypeError, 'rnn: the activation must be a function, got a string; pass t.tanh or t.relu'),
    )
    expect(() => rnn(1, 2, { recurrentWeight: () => t.zeros([1]) }).init(t.key(1), [1, 1])).toThrow(
      refusal(
        RangeError,
        'rnn: the recurrentWeight must have shape [2,2], its initializer gives [1]; return the shape that is asked for',
      ),
    )
  })

  test('say where a chain lacks sequences', () => {
    expect(() => sequential(gru(2, 3), gru(3, 1)).init(t.key(1), [5, 2])).toThrow(
      'gru: the layer takes sequences of 3 features, got samples of shape [3]; pass [steps, 3]; a recurrent layer before it needs returnSequences',
    )
  })
})

describe('sequenceMask', () => {
  test('refuses lengths that are none', () => {
    expect(() => sequenceMask(t.tensor([1, 4]), 3)).toThrow(
      refusal(
        RangeError,
        'sequenceMask: length 4 at row 1 is not an integer from 0 to 3; count classes from 0',
      ),
    )
    expect(() => sequenceMask(t.tensor([[1]]), 3)).toThrow(
      refusal(
        RangeError,
        'sequenceMask: the lengths must be [rows], got [1,1]; pass one length for each row',
      ),
    )
    expect(() => sequenceMask(t.tensor([1]), -1)).toThrow(
      refusal(RangeError, 'sequenceMask: steps must be an integer from 0 on, got -1'),
    )
  })
})
