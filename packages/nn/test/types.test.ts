import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type AnyLayer,
  type Layer,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
  type ParamsOf,
  relu,
  type StateOf,
  sequential,
  sigmoid,
  tanh,
} from '../src/index.ts'

// What these tests assert is checked by the type checker: a line marked as an error that compiles fails the build.

describe('the types of sequential', () => {
  test('refuse 128 -> 64 when compiling, and init refuses it when running', () => {
    // @ts-expect-error takes 64 features, but the layer before gives 128
    const model = sequential(linear(784, 128), linear(64, 10))
    expect(() => model.init(t.key(1), [784])).toThrow(RangeError)
  })

  test('see through layers that keep the size', () => {
    // @ts-expect-error takes 64 features, but the layer before gives 128
    sequential(linear(784, 128), relu(), linear(64, 10))
    // @ts-expect-error takes 64 features, but the layer before gives 128
    sequential(linear(784, 128), relu(), tanh(), sigmoid(), linear(64, 10))
    // @ts-expect-error takes 64 features, but the layer before gives 128
    sequential(linear(784, 128), sequential(relu(), tanh()), linear(64, 10))
    sequential(linear(784, 128), sequential(relu(), tanh()), linear(128, 10))
  })

  test('see into chains in chains, from both sides', () => {
    const inner = sequential(relu(), linear(3, 4), tanh())
    sequential(linear(2, 3), inner, relu(), linear(4, 1))
    // @ts-expect-error takes 3 features, but the layer before gives 2
    sequential(linear(3, 2), inner)
    // @ts-expect-error takes 5 features, but the layer before gives 4
    sequential(linear(2, 3), inner, relu(), linear(5, 1))
  })

  test('hold for eight layers and more', () => {
    // biome-ignore format: a column of layers reads best as lines of two
    const model = sequential(
      linear(1, 2), relu(), linear(2, 3), relu(), linear(3, 4), relu(), linear(4, 5), relu(),
      linear(5, 6), relu(), linear(6, 7), relu(), linear(7, 8), relu(), linear(8, 9), tanh(), linear(9, 10),
    )
    expectTypeOf<ParamsOf<typeof model>['layers'][16]>().toEqualTypeOf<LinearParams>()
    expect(model.init(t.key(1), [1]).outputShape).toEqual([10])
    // biome-ignore format: likewise
    sequential(
      linear(1, 2), relu(), linear(2, 3), relu(), linear(3, 4), relu(), linear(4, 5), relu(),
      // @ts-expect-error takes 6 features, but the layer before gives 5
      linear(6, 6), relu(), linear(6, 7), relu(), linear(7, 8), relu(), linear(8, 9), tanh(), linear(9, 10),
    )
  })

  test('say exactly what the parameters are', () => {
    const model = sequential(linear(784, 128), relu(), linear(128, 10, { useBias: false }))
    type Params = ParamsOf<typeof model>
    expectTypeOf<Params>().toEqualTypeOf<{
      readonly layers: readonly [LinearParams, null, LinearParamsWithoutBias]
    }>()
    expectTypeOf<StateOf<typeof model>>().toEqualTypeOf<{ readonly layers: readonly [null, null, null] }>()
    const { params } = model.init(t.key(1), [784])
    expectTypeOf(params.layers[0].weight).toEqualTypeOf<t.Tensor>()
    // @ts-expect-error relu has no weight
    expect(() => params.layers[1].weight).toThrow(TypeError)
    // @ts-expect-error this layer has no bias
    expect(params.layers[2].bias).toBeUndefined()
    // @ts-expect-error there is no fourth layer
    expect(params.layers[3]).toBeUndefined()
  })

  test('give trees, and gradients like the parameters', () => {
    const model = sequential(linear(2, 1), tanh())
    const { params, state } = model.init(t.key(1), [2])
    expectTypeOf(params).toExtend<t.Tree>()
    expectTypeOf(state).toExtend<t.Tree>()
    const gradients = t.grad((p: typeof params) =>
      t.sum(model.apply(p, state, t.ones([1, 2]), { training: true, path: '' }).y),
    )(params)
    expectTypeOf(gradients.layers[0].weight).toEqualTypeOf<t.Tensor>()
    expect(gradients.layers[0].weight.shape).toEqual([2, 1])
  })

  test('accept a model of known sizes as one of unknown sizes, not as one of others', () => {
    const model = sequential(linear(4, 8), relu(), linear(8, 3))
    expectTypeOf(model).toExtend<Layer<ParamsOf<typeof model>, StateOf<typeof model>>>()
    expectTypeOf(model).toExtend<Layer<ParamsOf<typeof model>, StateOf<typeof model>, 4, 3>>()
    expectTypeOf(model).not.toExtend<Layer<ParamsOf<typeof model>, StateOf<typeof model>, 5, 3>>()
    expectTypeOf(model).not.toExtend<Layer<ParamsOf<typeof model>, StateOf<typeof model>, 4, 2>>()
    expectTypeOf(model).toExtend<AnyLayer>()
  })

  test('leave sizes that are not known to the running program', () => {
    const hidden: number = 128
    const model = sequential(linear(784, hidden), relu(), linear(64, 10))
    expect(() => model.init(t.key(1), [784])).toThrow(RangeError)
    const layers = [5, 6].flatMap((size) => [linear(size, size + 1), relu()])
    const chain = sequential(...layers)
    expectTypeOf<ParamsOf<typeof chain>['layers'][number]>().toEqualTypeOf<LinearParams | null>()
    expect(chain.init(t.key(1), [5]).outputShape).toEqual([7])
  })
})
