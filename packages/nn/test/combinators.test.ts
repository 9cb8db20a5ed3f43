import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  batchNorm,
  type Context,
  concat,
  dropout,
  identity,
  type Layer,
  lambda,
  linear,
  parallel,
  relu,
  residual,
  type SizePreserving,
  sequential,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '' }

describe('layers of layers', () => {
  test('name their layers by paths, in parameters, taps and graphs', () => {
    const model = sequential(
      residual(sequential(linear(3, 3), relu())),
      concat([linear(3, 2), identity()]),
      parallel([linear(5, 1), linear(5, 1)]),
    )
    const { params, state } = model.init(t.key(1), [3])
    expect(t.paths(params)).toEqual([
      'layers.0.layer.layers.0.bias',
      'layers.0.layer.layers.0.weight',
      'layers.1.layers.0.bias',
      'layers.1.layers.0.weight',
      'layers.2.layers.0.bias',
      'layers.2.layers.0.weight',
      'layers.2.layers.1.bias',
      'layers.2.layers.1.weight',
    ])
    const told: string[] = []
    const tapped = (x: t.Tensor): t.Tensor =>
      model.apply(params, state, x, { ...ctx, tap: (path) => told.push(path) }).y
    const { layers } = t.graph(tapped, t.ones([2, 3]))
    expect(told).toEqual([
      'layers.0.layer.layers.0',
      'layers.0.layer.layers.1',
      'layers.0.layer',
      'layers.0',
      'layers.1.layers.0',
      'layers.1.layers.1',
      'layers.1',
      'layers.2.layers.0',
      'layers.2.layers.1',
      'layers.2',
    ])
    // What computes nothing is not there.
    for (const path of layers) expect(told).toContain(path)
  })

  test('give each layer a key of its own', () => {
    const x = t.ones([1, 200])
    const both = concat([dropout(0.5), dropout(0.5)])
    const { y } = both.apply({ layers: [null, null] }, { layers: [null, null] }, x, { ...ctx, key: t.key(1) })
    const values = y.toFloat32Array()
    expect(values.subarray(0, 200)).not.toEqual(values.subarray(200))
  })

  test('move the state of those that move theirs, and keep the rest', () => {
    const model = parallel([residual(batchNorm()), identity()])
    const { params, state } = model.init(t.key(1), [2])
    const x = t.tensor([
      [1, 2],
      [3, 5],
    ])
    const next = model.apply(params, state, x, ctx).state
    expect(next.layers[0].layer.movingMean.toArray()).not.toEqual([0, 0])
    expect(next.layers[1]).toBe(null)
    expect(model.apply(params, state, x, { ...ctx, training: false }).state).toBe(state)
  })

  test.each([
    [
      () => parallel([] as never),
      RangeError,
      'parallel: at least one layer is needed, got 0; pass linear(…), relu(), …',
    ],
    [
      () => concat([3] as never),
      TypeError,
      'concat: argument 0 is no layer, got a number; call the function that makes it: relu()',
    ],
    [() => residual(relu as never), TypeError, 'residual: the layer is no layer, got a function'],
    [
      () => parallel([relu()], { join: 'add' as never }),
      RangeError,
      "parallel: there is no join 'add'; use sum, mean, product, max",
    ],
    [
      () => parallel([linear(3, 2), linear(3, 4)]).init(t.key(1), [3]),
      RangeError,
      'parallel: layer 1 (linear 3 -> 4) gives [4], layer 0 (linear 3 -> 2) gives [2]; make the shapes equal, or put them side by side with concat',
    ],
    [
      () => residual(linear(3, 2)).init(t.key(1), [3]),
      RangeError,
      'residual: the layer (linear 3 -> 2) gives [2], the input has [3]; make them equal, or pass a shortcut: residual(layer, { shortcut: linear(…) })',
    ],
    [
      () => lambda('total', (x) => t.sum(x)).init(t.key(1), [3]),
      RangeError,
      "lambda: 'total' must keep the first axis, that of rows; of [7,3] it makes []; reduce other axes only",
    ],
  ])('refuse what does not fit: %s', (run, kind, message) => {
    expect(run).toThrow(refusal(kind, message))
  })

  test('have the sizes of their layers, which the type checker compares', () => {
    expectTypeOf(residual(linear(3, 3))).toExtend<Layer<{ layer: unknown }, { layer: null }, 3, 3>>()
    expectTypeOf(residual(relu())).toExtend<SizePreserving<{ layer: null }, { layer: null }>>()
    expectTypeOf(parallel([relu(), linear(3, 2)])).toExtend<Layer<unknown, unknown, 3>>()
    // @ts-expect-error takes 4 features, but a layer beside it takes 3
    expect(() => parallel([linear(3, 2), linear(4, 2)]).init(t.key(1), [3])).toThrow(RangeError)
    // @ts-expect-error takes 4 features, but the layer before gives 3
    expect(() => sequential(residual(linear(3, 3)), linear(4, 1)).init(t.key(1), [3])).toThrow(RangeError)
  })
})
