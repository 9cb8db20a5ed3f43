import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  activation,
  type Context,
  concat,
  dropout,
  features,
  freeze,
  identity,
  type Layer,
  linear,
  parallel,
  relu,
  residual,
  sequential,
  summary,
  tanh,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '', key: t.key(4) }
const x = t.normal(t.key(2), [3, 2])

const model = sequential(
  linear(2, 3),
  residual(sequential(concat(linear(3, 2), identity()), dropout(0.3), linear(5, 3), tanh()), {
    shortcut: linear(3, 3),
  }),
  parallel([linear(3, 2), sequential(linear(3, 2), relu())], { combine: 'sum' }),
  freeze(sequential(linear(2, 2), tanh())),
)
const { params, state } = model.init(t.key(1), [2])

/** What is tapped in a pass, by path. */
function tapsOf(layer: Layer<typeof params, typeof state>, context = ctx): Map<string, unknown> {
  const seen = new Map<string, unknown>()
  const tap = (path: string, y: t.Tensor): void => void seen.set(path, y.toArray())
  layer.apply(params, state, x, { ...context, tap })
  return seen
}

describe('features', () => {
  const whole = tapsOf(model)

  test('are what is tapped under the path, for every path', () => {
    expect([...whole.keys()]).toEqual(summary(model, [2]).rows.map(({ path }) => path))
    for (const [path, wanted] of whole) {
      const part = features(model, path)
      const { y } = part.apply(params, state, x, ctx)
      expect([path, y.toArray()]).toEqual([path, wanted])
      expect(part.init(t.key(1), [2]).outputShape).toEqual(y.shape.slice(1))
      const compiled = t.compile((at: typeof params, rows: t.Tensor) => part.apply(at, state, rows, ctx).y)
      expect(compiled(params, x).toArray()).toEqual(wanted)
      compiled.dispose()
    }
  })

  test('run nothing behind the layer, and nothing beside it', () => {
    const pathsUpTo = (path: string): string[] => [...tapsOf(features(model, path)).keys()]
    expect(pathsUpTo('layers.1.layer.layers.0.layers.1')).toEqual([
      'layers.0',
      'layers.1.layer.layers.0.layers.1',
    ])
    expect(pathsUpTo('layers.1.shortcut')).toEqual(['layers.0', 'layers.1.shortcut'])
    expect(pathsUpTo('layers.2.layers.1.layers.0').slice(-2)).toEqual([
      'layers.1',
      'layers.2.layers.1.layers.0',
    ])
    expect(pathsUpTo('layers.3.layers.0').slice(-2)).toEqual(['layers.2', 'layers.3.layers.0'])
  })

  test('have paths and noise of the place in the model that they stand in', () => {
    const place: Context = { ...ctx, path: 'encoder' }
    for (const [path, value] of tapsOf(features(model, 'layers.1.layer.layers.1'), place)) {
      expect(path.startsWith('encoder.')).toBe(true)
      expect(value).toEqual(whole.get(path.slice('encoder.'.length)))
    }
  })

  test('leave nothing in the heap but what they give', () => {
    for (const path of whole.keys()) {
      const before = t.memory().tensors
      const { y } = features(model, path).apply(params, state, x, ctx)
      expect(t.memory().tensors - before).toBe(1)
      y.dispose()
    }
  })

  test('are differentiated: the layers behind have a gradient of 0', () => {
    const hidden = features(model, 'layers.1')
    const loss = (p: typeof params): t.Tensor => t.sum(t.square(hidden.apply(p, state, x, ctx).y))
    const gradients = t.grad(loss)(params)
    expect(gradients.layers[0].weight.toFloat32Array().every((g) => g !== 0)).toBe(true)
    expect(gradients.layers[2].layers[0].weight.toArray()).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ])
  })

  test('carry the state of the layers that ran', () => {
    const counter: Layer<null, { readonly passes: number }> = {
      init: (_key, inputShape) => ({ params: null, state: { passes: 0 }, outputShape: inputShape }),
      apply: (_params, { passes }, input) => ({ y: input, state: { passes: passes + 1 } }),
    }
    const counting = sequential(counter, sequential(counter, relu()), counter)
    const made = counting.init(t.key(1), [2])
    const part = features(counting, 'layers.1.layers.0')
    expect(part.apply(made.params, made.state, x, ctx).state).toEqual({
      layers: [{ passes: 1 }, { layers: [{ passes: 1 }, null] }, { passes: 0 }],
    })
    const still = features(counting, 'layers.0')
    const same = features(sequential(relu(), tanh()), 'layers.0')
    expect(still.apply(made.params, made.state, x, ctx).state.layers[2]).toBe(made.state.layers[2])
    const nothing = { layers: [null, null] } as const
    expect(same.apply(nothing, nothing, x, ctx).state).toBe(nothing)
  })

  test('come out of a layer of others, which is run whole', () => {
    const double = activation('double', (y) => t.mul(y, 2))
    const own: Layer<null, null> = {
      name: 'own',
      init: (_key, inputShape) => ({ params: null, state: null, outputShape: inputShape }),
      apply: (_params, inner, input, told) => {
        const { y } = double.apply(null, null, input, told)
        told.tap?.(told.path === '' ? 'inside' : `${told.path}.inside`, y)
        return { y: t.neg(y), state: inner }
      },
    }
    const wrapped = sequential(own, relu())
    const nothing = { layers: [null, null] } as const
    const ones = t.ones([1, 2])
    expect(features(wrapped, 'layers.0.inside').apply(nothing, nothing, ones, ctx).y.toArray()).toEqual([
      [2, 2],
    ])
    expect(features(own, 'inside').apply(null, null, ones, ctx).y.toArray()).toEqual([[2, 2]])
    expect(() => features(wrapped, 'layers.0.outside').apply(nothing, nothing, ones, ctx)).toThrow(
      refusal(
        RangeError,
        "features: there is no layer at 'outside' in own; summary(model, inputShape) lists the paths",
      ),
    )
  })

  test('refuse a path where no layer stands', () => {
    for (const path of [
      'layers.4',
      'layers',
      'layers.01',
      'layers.1.layer.layers.9',
      'layers.0x',
      'layer.0',
    ]) {
      expect(() => features(model, path)).toThrow(
        refusal(
          RangeError,
          `features: there is no layer at '${path}' in sequential of 4; summary(model, inputShape) lists the paths`,
        ),
      )
    }
    // @ts-expect-error a function is no layer
    expect(() => features(relu, 'layers.0')).toThrow(TypeError)
  })
})
