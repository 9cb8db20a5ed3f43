import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  activation,
  type Context,
  childContext,
  conv2d,
  dropout,
  flatten,
  type Layer,
  type LinearParams,
  linear,
  ones,
  relu,
  sequential,
  sigmoid,
  tanh,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '' }

/** Counts its passes, and notes what it is told. */
function counter(seen: Context[]): Layer<null, { readonly passes: number }> {
  return {
    init: (_key, inputShape) => ({ params: null, state: { passes: 0 }, outputShape: inputShape }),
    apply: (_params, { passes }, x, ctx) => {
      seen.push(ctx)
      return { y: x, state: { passes: passes + 1 } }
    },
  }
}

describe('sequential', () => {
  test('applies its layers in order', () => {
    const model = sequential(linear(2, 3), tanh(), linear(3, 1), sigmoid())
    const { params, state, outputShape } = model.init(t.key(3), [2])
    const x = t.tensor([[0.5, -1]])
    const hidden = t.tanh(t.add(t.matmul(x, params.layers[0].weight), params.layers[0].bias))
    const byHand = t.sigmoid(t.add(t.matmul(hidden, params.layers[2].weight), params.layers[2].bias))
    expect(model.apply(params, state, x, ctx).y.toArray()).toEqual(byHand.toArray())
    expect(outputShape).toEqual([1])
  })

  test('names parameters layers.i.weight, also of chains in chains', () => {
    const model = sequential(sequential(linear(2, 3), relu()), linear(3, 1))
    expect(t.paths(model.init(t.key(1), [2]).params)).toEqual([
      'layers.0.layers.0.bias',
      'layers.0.layers.0.weight',
      'layers.1.bias',
      'layers.1.weight',
    ])
  })

  test('draws the same parameters from the same key, and others for each layer', () => {
    const draw = (seed: number): Float32Array[] =>
      t
        .leaves(sequential(linear(4, 4), linear(4, 4)).init(t.key(seed), [4]).params)
        .map((x) => x.toFloat32Array())
    expect(draw(1)).toEqual(draw(1))
    expect(draw(1)).not.toEqual(draw(2))
    expect(draw(1)[1]).not.toEqual(draw(1)[3])
  })

  test('draws what the layer alone draws from its child key', () => {
    const { params } = sequential(relu(), linear(4, 4)).init(t.key(9), [4])
    const alone = linear(4, 4).init(t.foldIn(t.key(9), 1), [4]).params
    expect(params.layers[1].weight.toArray()).toEqual(alone.weight.toArray())
  })

  test('tells each layer its path, its key and whether it trains', () => {
    const seen: Context[] = []
    const model = sequential(sequential(counter(seen), counter(seen)), counter(seen))
    const { params, state } = model.init(t.key(1), [2])
    const key = t.key(5)
    model.apply(params, state, t.ones([1, 2]), { training: false, path: 'net', key })
    expect(seen).toEqual([
      { training: false, path: 'net.layers.0.layers.0', key: t.foldIn(t.foldIn(key, 0), 0) },
      { training: false, path: 'net.layers.0.layers.1', key: t.foldIn(t.foldIn(key, 0), 1) },
      { training: false, path: 'net.layers.1', key: t.foldIn(key, 1) },
    ])
    model.apply(params, state, t.ones([1, 2]), ctx)
    expect(seen[3]).toEqual({ training: true, path: 'layers.0.layers.0' })
    expect(childContext(ctx, 'layers', 0)).toEqual({ training: true, path: 'layers.0' })
  })

  test('taps every output under its path, the inner ones first', () => {
    const model = sequential(
      sequential(
        activation('double', (x) => t.mul(x, 2)),
        relu(),
      ),
      linear(2, 1, { weight: ones }),
    )
    const { params, state } = model.init(t.key(1), [2])
    const taps: [string, unknown][] = []
    const tap = (path: string, x: t.Tensor): void => void taps.push([path, x.toArray()])
    model.apply(params, state, t.tensor([[-1, 3]]), { ...ctx, tap })
    expect(taps).toEqual([
      ['layers.0.layers.0', [[-2, 6]]],
      ['layers.0.layers.1', [[0, 6]]],
      ['layers.0', [[0, 6]]],
      ['layers.1', [[6]]],
    ])
  })

  test('carries state: a new object where a layer changed it, the same where none did', () => {
    const model = sequential(relu(), counter([]), relu())
    const { params, state } = model.init(t.key(1), [2])
    const once = model.apply(params, state, t.ones([1, 2]), ctx)
    expect(once.state).toEqual({ layers: [null, { passes: 1 }, null] })
    expect(model.apply(params, once.state, once.y, ctx).state.layers[1].passes).toBe(2)
    expect(state).toEqual({ layers: [null, { passes: 0 }, null] })
    const still = sequential(relu(), tanh())
    const initial = still.init(t.key(1), [2])
    expect(still.apply(initial.params, initial.state, t.ones([1, 2]), ctx).state).toBe(initial.state)
  })

  test('refuses neighbours of different sizes, naming both', () => {
    const sizes: readonly number[] = [784, 128, 64, 10]
    const [a, b, c, d] = sizes as [number, number, number, number]
    expect(() => sequential(linear(a, b), linear(c, d)).init(t.key(1), [784])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 1 (linear 64 -> 10) takes 64 features, layer 0 (linear 784 -> 128) gives 128; make the two sizes equal',
      ),
    )
    expect(() => sequential(linear(a, b), relu(), tanh(), linear(c, d)).init(t.key(1), [784])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 3 (linear 64 -> 10) takes 64 features, layer 0 (linear 784 -> 128) gives 128; make the two sizes equal',
      ),
    )
    expect(() => sequential(linear(a, b), sequential(linear(c, d), relu())).init(t.key(1), [784])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 1 (sequential of 2) takes 64 features, layer 0 (linear 784 -> 128) gives 128; make the two sizes equal',
      ),
    )
  })

  test('names the layer that gives the size: one that takes any, but gives another', () => {
    const model = sequential(conv2d(1, 4, 3), relu(), flatten(), dropout(0.5), linear(100, 10))
    expect(() => model.init(t.key(1), [6, 6, 1])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 4 (linear 100 -> 10) takes 100 features, layer 2 (flatten) gives 64; make the two sizes equal',
      ),
    )
  })

  test('refuses an input of another size, and a pass that comes to a layer with another size', () => {
    const model = sequential(relu(), linear(784, 10))
    expect(() => model.init(t.key(1), [28, 28])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 1 (linear 784 -> 10) takes 784 features, layer 0 (relu) gives 28; make the two sizes equal',
      ),
    )
    expect(() => sequential(linear(784, 10)).init(t.key(1), [28, 28])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 0 (linear 784 -> 10) takes 784 features, the input has shape [28,28]; make the two sizes equal',
      ),
    )
    const { params, state } = model.init(t.key(1), [784])
    expect(() => model.apply(params, state, t.ones([1, 100]), ctx)).toThrow(
      refusal(
        RangeError,
        "linear: the layer at 'layers.1' takes 784 features, got an input of shape [1,100]; make the last axis 784, or change the layer's input size",
      ),
    )
  })

  test('refuses no layers, what is no layer, and parameters of another model', () => {
    expect(() => sequential()).toThrow(
      refusal(RangeError, 'sequential: at least one layer is needed, got 0; pass linear(…), relu(), …'),
    )
    // @ts-expect-error a function is no layer
    expect(() => sequential(linear(2, 3), relu)).toThrow(
      refusal(
        TypeError,
        'sequential: argument 1 is no layer, got a function; call the function that makes it: relu()',
      ),
    )
    const layers: Layer<LinearParams, null>[] = [linear(2, 2), linear(2, 2)]
    const model = sequential(...layers)
    const { params, state } = model.init(t.key(1), [2])
    expect(() => model.apply({ layers: params.layers.slice(1) }, state, t.ones([1, 2]), ctx)).toThrow(
      refusal(
        RangeError,
        'sequential: the params must hold 2 layers, got 1; pass what init of this model made',
      ),
    )
    expect(() =>
      model.apply(params, { layers: [] }, t.ones([1, 2]), { training: true, path: 'net' }),
    ).toThrow(
      refusal(
        RangeError,
        "sequential: the state at 'net' must hold 2 layers, got 0; pass what init of this model made",
      ),
    )
  })
})

describe('relu, tanh and sigmoid', () => {
  test('keep any shape, and hold neither parameters nor state', () => {
    for (const layer of [relu(), tanh(), sigmoid()]) {
      expect(layer.init(t.key(1), [2, 3])).toEqual({ params: null, state: null, outputShape: [2, 3] })
      expect(layer.apply(null, null, t.ones([4, 2, 3]), ctx).y.shape).toEqual([4, 2, 3])
    }
  })

  test('are the operations of the same names', () => {
    const x = t.tensor([-2, 0, 3])
    expect(relu().apply(null, null, x, ctx).y.toArray()).toEqual([0, 0, 3])
    expect(tanh().apply(null, null, x, ctx).y.toArray()).toEqual(t.tanh(x).toArray())
    expect(sigmoid().apply(null, null, x, ctx).y.toArray()).toEqual(t.sigmoid(x).toArray())
  })
})
