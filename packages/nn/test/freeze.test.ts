import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  batchNorm,
  type Context,
  dropout,
  features,
  freeze,
  type LinearParams,
  linear,
  merge,
  type ParamsOf,
  partition,
  relu,
  residual,
  type StateOf,
  sequential,
  startFrom,
  tanh,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '', key: t.key(3) }
const firstOf = (path: string): boolean => path.startsWith('layers.0.')
const model = sequential(linear(3, 4), tanh(), linear(4, 2))

describe('freeze', () => {
  test('leaves gradients to what is trained, the same as without', () => {
    const frozen = freeze(model, firstOf)
    const whole = model.init(t.key(1), [3])
    const { params, state, outputShape } = frozen.init(t.key(1), [3])
    expect(outputShape).toEqual([2])
    const x = t.normal(t.key(2), [5, 3])
    expect(frozen.apply(params, state, x, ctx).y.toArray()).toEqual(
      model.apply(whole.params, whole.state, x, ctx).y.toArray(),
    )
    const loss = (p: typeof params): t.Tensor => t.sum(t.square(frozen.apply(p, state, x, ctx).y))
    const gradients = t.grad(loss)(params)
    expect(gradients.layers[0]).toEqual({ bias: null, weight: null })
    const all = t.grad((p: typeof whole.params) => t.sum(t.square(model.apply(p, whole.state, x, ctx).y)))
    expect(gradients.layers[2].weight?.toArray()).toEqual(all(whole.params).layers[2].weight.toArray())
  })

  test('passes the gradient on to what stands before', () => {
    const [first, second] = [linear(2, 3), linear(3, 1)]
    const through = sequential(first, freeze(second))
    const { params, state } = through.init(t.key(1), [2])
    expect(t.paths(params)).toEqual(['layers.0.bias', 'layers.0.weight'])
    const x = t.ones([1, 2])
    const loss = (p: typeof params): t.Tensor => t.sum(through.apply(p, state, x, ctx).y)
    const { weight } = t.grad(loss)(params).layers[0]
    expect(weight.toFloat32Array().every((g) => g !== 0)).toBe(true)
  })

  test('computes no gradient for what is frozen', () => {
    const operations = (isFrozen: (path: string) => boolean): number => {
      const some = freeze(model, isFrozen)
      const { params, state } = some.init(t.key(1), [3])
      const loss = (p: typeof params, x: t.Tensor): t.Tensor => t.sum(some.apply(p, state, x, ctx).y)
      const g = t.graph(t.grad(loss), params, t.ones([2, 3]))
      return g.nodes.filter(({ kind, pass }) => kind === 'operation' && pass === 'backward').length
    }
    expect(operations(firstOf)).toBeLessThan(operations((path) => path === 'layers.2.bias'))
  })

  test('keeps to moving averages and drops nothing where it runs as at inference', () => {
    const x = t.normal(t.key(2), [6, 2])
    const inner = sequential(batchNorm(), dropout(0.5))
    const held = freeze(inner, undefined, { inference: true })
    const { params, state } = held.init(t.key(1), [2])
    const { y, state: after } = held.apply(params, state, x, ctx)
    expect(after).toBe(state)
    const whole = inner.init(t.key(1), [2])
    const wanted = inner.apply(whole.params, whole.state, x, { training: false, path: '' }).y
    expect(y.toArray()).toEqual(wanted.toArray())
    const moving = freeze(inner).apply(params, state, x, ctx).state
    expect(moving.frozen).toBe(state.frozen)
    expect(moving.state.layers[0].movingMean.toArray()).not.toEqual([0, 0])
  })

  test('has types that say where null may stand', () => {
    const whole = freeze(linear(3, 4))
    expectTypeOf<ParamsOf<typeof whole>>().toEqualTypeOf<{
      readonly weight: t.Tensor | null
      readonly bias: t.Tensor | null
    }>()
    expectTypeOf<StateOf<typeof whole>['state']>().toEqualTypeOf<null>()
    // @ts-expect-error takes 5 features, but the layer before gives 4
    sequential(whole, linear(5, 1))
    sequential(freeze(relu()), freeze(linear(2, 4)), linear(4, 1))
  })

  test('refuses a predicate that no parameter meets, and what is no layer', () => {
    expect(() => freeze(model, (path) => path === 'encoder').init(t.key(1), [3])).toThrow(
      refusal(
        RangeError,
        'freeze: no parameter is frozen, of layers.0.bias, layers.0.weight, layers.2.bias, layers.2.weight; choose some of these paths',
      ),
    )
    // @ts-expect-error a function is no layer
    expect(() => freeze(relu)).toThrow(
      refusal(
        TypeError,
        'freeze: the first argument is no layer, got a function; call the function that makes it: relu()',
      ),
    )
    expect(freeze(relu()).init(t.key(1), [3]).params).toBe(null)
  })
})

describe('partition and merge', () => {
  const tree = { a: [t.tensor(1), null], b: { c: t.tensor(2), d: 5 } }

  test('take a tree apart and put it together, tensor by tensor', () => {
    const { chosen, others } = partition(tree, (path) => path === 'b.c')
    expect(chosen).toEqual({ a: [null, null], b: { c: tree.b.c, d: 5 } })
    expect(others).toEqual({ a: [tree.a[0], null], b: { c: null, d: 5 } })
    expect(others.a[0]).toBe(tree.a[0])
    expect(merge<typeof tree>(chosen, others)).toEqual(tree)
    expect(merge<typeof tree>(others, chosen)).toEqual(tree)
  })

  test('refuse trees that do not fit', () => {
    expect(() => merge({ a: [t.tensor(1)] }, { a: [t.tensor(2)] })).toThrow(
      refusal(RangeError, "merge: both trees have a tensor at 'a.0'; pass what partition made"),
    )
    type Part = t.Tensor | null | readonly null[] | { readonly b: null }
    type Loose = { readonly a?: Part; readonly b?: null }
    const differing: readonly [Loose, Loose, string][] = [
      [{ a: t.tensor(1) }, { b: null }, 'the root'],
      [{ a: [null] }, { a: [null, null] }, "'a'"],
      [{ a: { b: null } }, { a: t.tensor(1) }, "'a'"],
      [{ a: { b: null } }, { a: [null] }, "'a'"],
    ]
    for (const [first, second, place] of differing) {
      expect(() => merge<Loose>(first, second)).toThrow(
        refusal(RangeError, `merge: the trees differ at ${place}; pass what partition made`),
      )
    }
  })
})

describe('startFrom', () => {
  test('begins with copies of what was trained', () => {
    const trained = t.toSnapshot(model.init(t.key(5), [3]))
    const again = startFrom(model, trained)
    const { params, state } = again.init(t.key(1), [3])
    expectTypeOf(params).toEqualTypeOf<ParamsOf<typeof model>>()
    expect(t.toSnapshot(params)).toEqual(trained.params)
    expect(state).toEqual(trained.state)
    const before = t.memory().tensors
    for (const x of t.leaves(again.init(t.key(1), [3]).params)) x.dispose()
    expect(t.memory().tensors).toBe(before)
  })

  test('refuses parameters of another layer, naming the path', () => {
    const other = t.toSnapshot(sequential(linear(3, 5), tanh(), linear(5, 2)).init(t.key(1), [3]))
    expect(() => startFrom(model, other).init(t.key(1), [3])).toThrow(
      refusal(
        RangeError,
        "startFrom: the params of sequential of 3 at 'layers.0.bias' must be [4], got [5]; pass what was trained of the same layer",
      ),
    )
    const without = t.toSnapshot(linear(3, 2, { useBias: false }).init(t.key(1), [3]))
    // @ts-expect-error there is no bias
    expect(() => startFrom(linear(3, 2), without).init(t.key(1), [3])).toThrow(
      refusal(
        RangeError,
        "startFrom: the params of linear 3 -> 2 at 'bias' must be [2], got nothing; pass what was trained of the same layer",
      ),
    )
  })

  test('makes a model of the features of a trained one, of which only the new layer is trained', () => {
    const trained = model.init(t.key(5), [3])
    const base = freeze(startFrom(features(model, 'layers.1'), t.toSnapshot(trained)))
    const transferred = sequential(base, linear(4, 1))
    const { params, state, outputShape } = transferred.init(t.key(1), [3])
    expect(outputShape).toEqual([1])
    expect(t.paths(params)).toEqual(['layers.1.bias', 'layers.1.weight'])
    const x = t.normal(t.key(2), [2, 3])
    const hidden = t.tanh(t.linear(x, trained.params.layers[0].weight, trained.params.layers[0].bias))
    const head: LinearParams = params.layers[1]
    expect(transferred.apply(params, state, x, ctx).y.toArray()).toEqual(
      t.linear(hidden, head.weight, head.bias).toArray(),
    )
  })
})

test('residual blocks may be frozen from inside', () => {
  const block = residual(freeze(linear(2, 2)))
  const { params } = block.init(t.key(1), [2])
  expect(t.paths(params)).toEqual([])
})
