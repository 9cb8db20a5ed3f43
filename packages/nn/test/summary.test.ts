import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  applyInner,
  batchNorm,
  concat,
  features,
  freeze,
  globalAvgPool,
  gru,
  identity,
  type Layer,
  type LinearParams,
  linear,
  parallel,
  relu,
  residual,
  sequential,
  softmax,
  summary,
  type TreeModel,
} from '../src/index.ts'
import { refusal } from './float64.ts'

describe('summary', () => {
  test('prints a line for each layer, and the totals', () => {
    const model = sequential(linear(784, 128), batchNorm(), relu(), linear(128, 10), softmax())
    expect(String(summary(model, [784]))).toBe(
      `
Path      Layer              Output shape  Parameters  Trainable
----------------------------------------------------------------
layers.0  linear 784 -> 128  [128]            100,480    100,480
layers.1  batchNorm          [128]                512        256
layers.2  relu               [128]                  0          0
layers.3  linear 128 -> 10   [10]               1,290      1,290
layers.4  softmax            [10]                   0          0
----------------------------------------------------------------
Parameters: 102,282
Trainable: 102,026
Not trainable: 256`.trim(),
    )
  })

  test.each([
    [1, 1],
    [3, 7],
    [64, 5],
  ])('counts in x out + out parameters of a linear layer %i -> %i', (size, out) => {
    const alone = summary(linear(size, out), [size])
    expect(alone.parameters).toBe(size * out + out)
    expect(alone.rows).toEqual([
      {
        path: '',
        name: `linear ${size} -> ${out}`,
        outputShapes: [[out]],
        parameters: size * out + out,
        trainable: size * out + out,
      },
    ])
    const without = summary(sequential(linear(size, out, { useBias: false }), relu()), [size])
    expect(without.rows.map(({ parameters }) => parameters)).toEqual([size * out, 0])
  })

  test('has a row for what is inside of combinators, and adds up', () => {
    const model = sequential(residual(concat(linear(4, 1), linear(4, 3))), relu(), linear(4, 2))
    const { rows, parameters } = summary(model, [4])
    expect(rows.map(({ path, outputShapes, parameters }) => [path, outputShapes, parameters])).toEqual([
      ['layers.0.layer.layers.0', [[1]], 5],
      ['layers.0.layer.layers.1', [[3]], 15],
      ['layers.0.layer', [[4]], 0],
      ['layers.0', [[4]], 0],
      ['layers.1', [[4]], 0],
      ['layers.2', [[2]], 10],
    ])
    const drawn = t.leaves(model.init(t.key(1), [4]).params).reduce((sum, { size }) => sum + size, 0)
    expect(parameters).toBe(drawn)
  })

  test('tells what is frozen, at the layers that hold it', () => {
    const inner = sequential(linear(4, 3), batchNorm(), linear(3, 2))
    const model = freeze(inner, (path) => path.startsWith('layers.0.'))
    const { rows, trainable, notTrainable } = summary(model, [4])
    expect(rows.map(({ path, parameters, trainable }) => [path, parameters, trainable])).toEqual([
      ['layers.0', 15, 0],
      ['layers.1', 12, 6],
      ['layers.2', 8, 8],
    ])
    expect([trainable, notTrainable]).toEqual([14, 21])
  })

  test('counts a shared layer once', () => {
    const shared = linear(3, 3)
    const twice: Layer<LinearParams, null> = {
      init: (key, inputShape) => shared.init(key, inputShape),
      apply: (params, state, x, ctx) => {
        const { y } = applyInner({ layer: shared, name: 'first' }, params, null, x, ctx)
        return { ...applyInner({ layer: shared, name: 'second' }, params, null, y, ctx), state }
      },
    }
    expect(summary(twice, [3]).rows.map(({ path, parameters }) => [path, parameters])).toEqual([
      ['first', 12],
      ['second', 0],
    ])
  })

  test('counts what a layer of others holds below the paths that it taps', () => {
    const own: Layer<{ readonly inside: LinearParams; readonly scale: t.Tensor }, null> = {
      name: 'own',
      init: (key, inputShape) => ({
        params: { inside: linear(2, 2).init(key, inputShape).params, scale: t.ones([2]) },
        state: null,
        outputShape: inputShape,
      }),
      apply: (params, state, x, ctx) => {
        const { y } = linear(2, 2).apply(params.inside, null, x, ctx)
        ctx.tap?.('inside', y)
        return { y: t.mul(y, params.scale), state }
      },
    }
    expect(summary(own, [2]).rows).toEqual([
      { path: 'inside', name: '', outputShapes: [[2]], parameters: 6, trainable: 6 },
      { path: '', name: 'own', outputShapes: [[2]], parameters: 2, trainable: 2 },
    ])
  })

  test('takes models of several inputs and outputs', () => {
    const head = linear(5, 1)
    const pair: TreeModel<LinearParams, null, { left: t.Tensor; right: t.Tensor }, t.Tensor> = {
      name: 'pair',
      init: (key, { left, right }) => {
        const { params } = head.init(key, [left[0]! + right[0]!])
        return { params, state: null }
      },
      apply: (params, state, { left, right }, ctx) => {
        const both = t.concat([left, right], { axis: -1 })
        return { y: applyInner({ layer: head, name: 'head' }, params, null, both, ctx).y, state }
      },
    }
    const { rows } = summary(pair, { left: [2], right: [3] })
    expect(rows.map(({ path, parameters }) => [path, parameters])).toEqual([['head', 6]])
    const heads = summary(parallel({ a: identity(), b: linear(2, 3) }), [2])
    expect(heads.rows.map(({ path, outputShapes }) => [path, outputShapes])).toEqual([
      ['a', [[2]]],
      ['b', [[3]]],
    ])
  })

  // It runs on one row, which a layer that keeps the state of four refuses.
  test('takes models that keep the state of some rows', () => {
    const model = sequential(residual(gru(2, 2, { statefulRows: 4, returnSequences: true })), globalAvgPool())
    const { rows } = summary(model, [3, 2])
    expect(rows.map(({ path, outputShapes }) => [path, outputShapes])).toEqual([
      ['layers.0.layer', [[3, 2]]],
      ['layers.0', [[3, 2]]],
      ['layers.1', [[2]]],
    ])
    expect(features(model, 'layers.0.layer').init(t.key(1), [3, 2]).outputShape).toEqual([3, 2])
  })

  test('frees what it draws, and refuses a shape that the model does not take', () => {
    const before = t.memory().tensors
    summary(sequential(linear(4, 3), batchNorm()), [4])
    expect(t.memory().tensors).toBe(before)
    expect(() => summary(linear(4, 3), [5])).toThrow(
      refusal(
        RangeError,
        "linear: the layer takes 4 features, got samples of shape [5]; make the last axis 4, or change the layer's input size",
      ),
    )
  })
})
