import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  concat,
  gelu,
  identity,
  type Layer,
  type LinearParams,
  lambda,
  linear,
  type ParamsOf,
  parallel,
  relu,
  residual,
  type StateOf,
  sequential,
  softmax,
  tanh,
} from '../src/index.ts'

// What these tests assert is checked by the type checker: a line marked as an error that compiles fails the build.

describe('the types of activations', () => {
  test('let sizes through', () => {
    // @ts-expect-error takes 64 features, but the layer before gives 128
    sequential(linear(784, 128), gelu(), identity(), softmax(), linear(64, 10))
    sequential(linear(784, 128), gelu(), identity(), softmax(), linear(128, 10))
  })
})

describe('the types of residual', () => {
  test('refuse a layer that gives another size than it takes', () => {
    // @ts-expect-error takes 4 features, but gives 8
    residual(linear(4, 8))
    // @ts-expect-error takes 4 features, but gives 8
    residual(sequential(linear(4, 6), relu(), linear(6, 8)))
    residual(sequential(linear(4, 8), relu(), linear(8, 4)))
    residual(relu())
  })

  test('refuse a shortcut of other sizes', () => {
    residual(linear(4, 8), { shortcut: linear(4, 8) })
    // @ts-expect-error gives 7 features, but the one beside it 8
    residual(linear(4, 8), { shortcut: linear(4, 7) })
    // @ts-expect-error takes 5 features, but the one beside it 4
    expect(() => residual(linear(4, 8), { shortcut: linear(5, 8) })).toThrow(RangeError)
    // @ts-expect-error gives 4 features, but the one beside it 8
    residual(linear(4, 8), { shortcut: relu() })
    residual(relu(), { shortcut: linear(4, 4) })
  })

  test('say its sizes and what it holds', () => {
    const block = residual(linear(4, 4))
    expectTypeOf<ParamsOf<typeof block>>().toEqualTypeOf<{ readonly layer: LinearParams }>()
    expectTypeOf<StateOf<typeof block>>().toEqualTypeOf<{ readonly layer: null }>()
    const shorter = residual(linear(4, 8), { shortcut: linear(4, 8) })
    expectTypeOf<ParamsOf<typeof shorter>>().toEqualTypeOf<{
      readonly layer: LinearParams
      readonly shortcut: LinearParams
    }>()
    // @ts-expect-error takes 5 features, but the layer before gives 8
    sequential(shorter, linear(5, 1))
    // @ts-expect-error takes 4 features, but the layer before gives 3
    sequential(linear(2, 3), shorter)
    // @ts-expect-error takes 5 features, but the layer before gives 4
    sequential(linear(2, 4), residual(relu()), linear(5, 1))
    sequential(linear(2, 4), block, residual(relu()), shorter, linear(8, 1))
  })
})

describe('the types of concat and parallel', () => {
  test('add sizes up', () => {
    const both = concat(linear(4, 3), relu(), linear(4, 2))
    expectTypeOf(both).toExtend<Layer<ParamsOf<typeof both>, StateOf<typeof both>, 4, 9>>()
    expectTypeOf<ParamsOf<typeof both>>().toEqualTypeOf<{
      readonly layers: readonly [LinearParams, null, LinearParams]
    }>()
    sequential(linear(2, 4), both, linear(9, 1))
    // @ts-expect-error takes 8 features, but the layer before gives 9
    sequential(linear(2, 4), both, linear(8, 1))
    // @ts-expect-error takes 4 features, but the layer before gives 5
    sequential(linear(2, 5), both)
    expect(both.init(t.key(1), [4]).outputShape).toEqual([9])
  })

  test('refuse layers that take different sizes', () => {
    // @ts-expect-error takes 5 features, but the one before it 4
    expect(() => concat(linear(4, 3), relu(), linear(5, 2))).toThrow(RangeError)
    // @ts-expect-error takes 5 features, but the one before it 4
    expect(() => parallel([linear(4, 3), linear(5, 3)])).toThrow(RangeError)
    // @ts-expect-error takes 5 features, others beside it do not
    expect(() => parallel({ a: linear(4, 3), b: linear(5, 3) })).toThrow(RangeError)
    parallel({ a: linear(4, 3), b: linear(4, 2), c: relu() })
  })

  test('refuse a sum of different sizes', () => {
    // @ts-expect-error gives 2 features, but the one before it 3
    parallel([linear(4, 3), linear(4, 2)], { combine: 'sum' })
    const sum = parallel([linear(4, 3), sequential(linear(4, 3), tanh())], { combine: 'sum' })
    // @ts-expect-error takes 4 features, but the layer before gives 3
    sequential(sum, linear(4, 1))
    sequential(sum, linear(3, 1))
    // @ts-expect-error takes 4 features, but the layer before gives 3
    sequential(linear(1, 3), parallel([relu(), tanh()], { combine: 'sum' }), linear(4, 1))
  })

  test('say exactly what comes out and what is held', () => {
    const heads = parallel({ mean: linear(4, 3), spread: relu() })
    const { params, state } = heads.init(t.key(1), [4])
    expectTypeOf(params).toEqualTypeOf<{ readonly mean: LinearParams; readonly spread: null }>()
    const { y } = heads.apply(params, state, t.ones([1, 4]), { training: false, path: '' })
    expectTypeOf(y).toEqualTypeOf<{ readonly mean: t.Tensor; readonly spread: t.Tensor }>()
    const pair = parallel([linear(4, 3), relu()])
    const made = pair.init(t.key(1), [4])
    const out = pair.apply(made.params, made.state, t.ones([1, 4]), { training: false, path: '' })
    expectTypeOf(out.y).toEqualTypeOf<readonly [t.Tensor, t.Tensor]>()
    // @ts-expect-error several outputs are no input of a layer
    sequential(linear(2, 4), heads)
  })
})

test('lambda has the sizes that it is said to have', () => {
  const firstTwo = lambda<4, 2>((x) => t.slice(x, [0, 0], [x.shape[0]!, 2]))
  // @ts-expect-error takes 3 features, but the layer before gives 2
  sequential(firstTwo, linear(3, 1))
  sequential(
    lambda((x) => x),
    linear(3, 1),
  )
})
