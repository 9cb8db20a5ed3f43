import * as t from '@tapeflow/autodiff'
import { expect, expectTypeOf, test } from 'vitest'
import {
  type AnyLayer,
  bidirectional,
  type GruParams,
  gru,
  type HiddenState,
  type Layer,
  type LstmParams,
  type LstmState,
  linear,
  lstm,
  type ParamsOf,
  type RnnParams,
  rnn,
  type StateOf,
  sequential,
  tanh,
} from '../src/index.ts'

// What these tests assert is checked by the type checker.

test('recurrent layers say exactly what they hold', () => {
  const model = sequential(
    rnn(2, 3, { returnSequences: true }),
    lstm(3, 4, { returnSequences: true, statefulRows: 8 }),
    gru(4, 5, { resetAfter: false, returnSequences: true }),
    gru(5, 2, { statefulRows: 8 }),
    linear(2, 1),
  )
  type Params = ParamsOf<typeof model>['layers']
  type State = StateOf<typeof model>['layers']
  expectTypeOf<Params[0]>().toEqualTypeOf<RnnParams>()
  expectTypeOf<Params[1]>().toEqualTypeOf<LstmParams>()
  expectTypeOf<Params[2]>().toEqualTypeOf<GruParams<false>>()
  expectTypeOf<Params[3]>().toEqualTypeOf<GruParams>()
  expectTypeOf<[State[0], State[1], State[2], State[3]]>().toEqualTypeOf<
    [null, LstmState, null, HiddenState]
  >()
  const { params, state } = model.init(t.key(1), [6, 2])
  expectTypeOf(params).toExtend<t.Tree>()
  expectTypeOf(state).toExtend<t.Tree>()
  // @ts-expect-error the form of the paper has one bias
  expect(params.layers[2].recurrentBias).toBeUndefined()
  expect(params.layers[3].recurrentBias.shape).toEqual([6])
  expect(state.layers[1].cell.shape).toEqual([8, 4])
  // @ts-expect-error nothing is kept
  expect(() => state.layers[0].hidden).toThrow(TypeError)
})

test('sizes of neighbours are compared', () => {
  // @ts-expect-error takes 4 features, but the layer before gives 3
  expect(() => sequential(gru(2, 3), linear(4, 1)).init(t.key(1), [5, 2])).toThrow(RangeError)
  // @ts-expect-error takes 3 features, but the layer before gives 2
  sequential(linear(1, 2), tanh(), lstm(3, 4))
  // @ts-expect-error takes 3 features, but the layer before gives 2
  sequential(linear(1, 2), bidirectional(lstm(3, 4)))
  sequential(bidirectional(gru(2, 128)), linear(256, 1))
  // @ts-expect-error takes 255 features, but the layer before gives 256
  expect(() => sequential(bidirectional(gru(2, 128)), linear(255, 1)).init(t.key(1), [5, 2])).toThrow(
    'sequential: layer 1 (linear 255 -> 1) takes 255 features, layer 0 (bidirectional gru 2 -> 128) gives 256; make the two sizes equal',
  )
  const mixed = bidirectional(gru(2, 99), lstm(2, 905, { reverse: true }))
  expectTypeOf(mixed).toExtend<Layer<ParamsOf<typeof mixed>, null, 2, 1004>>()
  expectTypeOf(mixed).not.toExtend<Layer<ParamsOf<typeof mixed>, null, 2, 1005>>()
  const units: number = 3
  sequential(bidirectional(gru(2, units)), linear(6, 1))
})

test('a misspelt option is refused', () => {
  // @ts-expect-error returnSequences
  expect(() => gru(1, 1, { returnSequence: true })).toThrow(RangeError)
  expectTypeOf(gru(1, 1)).toExtend<AnyLayer>()
})

test('bidirectional holds the parameters of both directions', () => {
  const one = bidirectional(gru(2, 3))
  expectTypeOf<ParamsOf<typeof one>>().toEqualTypeOf<{
    readonly forward: GruParams
    readonly backward: GruParams
  }>()
  const two = bidirectional(gru(2, 3), lstm(2, 5, { reverse: true }))
  expectTypeOf<ParamsOf<typeof two>>().toEqualTypeOf<{
    readonly forward: GruParams
    readonly backward: LstmParams
  }>()
  const { params, state, outputShape } = two.init(t.key(1), [4, 2])
  expectTypeOf(params).toExtend<t.Tree>()
  expectTypeOf(state).toEqualTypeOf<null>()
  expect(outputShape).toEqual([8])
})
