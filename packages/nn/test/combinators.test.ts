import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  type Context,
  concat,
  dropout,
  embedding,
  identity,
  type Layer,
  lambda,
  linear,
  ones,
  parallel,
  relu,
  residual,
  sequential,
  tanh,
} from '../src/index.ts'
import { refusal } from './float64.ts'

const ctx: Context = { training: true, path: '' }
const unknownSize = (size: number): number => size

/** Counts its passes. */
const counter: Layer<null, { readonly passes: number }> = {
  init: (_key, inputShape) => ({ params: null, state: { passes: 0 }, outputShape: inputShape }),
  apply: (_params, { passes }, x) => ({ y: x, state: { passes: passes + 1 } }),
}

/** The paths that are tapped while a layer is applied, and their last axis. */
function tapsOf<P, S>(layer: Layer<P, S>, shape: t.Shape): string[] {
  const { params, state } = layer.init(t.key(1), shape)
  const seen: string[] = []
  const tap = (path: string, x: t.Tensor): void => void seen.push(`${path} ${x.shape.at(-1)}`)
  layer.apply(params, state, t.ones([2, ...shape]), { ...ctx, path: 'net', tap })
  return seen
}

const nested = residual(
  sequential(concat(linear(2, 3), identity()), parallel([linear(5, 2), linear(5, 2)], { combine: 'sum' })),
  { shortcut: linear(2, 2) },
)

describe('combinators', () => {
  test('name parameters, taps and computations by the same paths', () => {
    const { params, state } = nested.init(t.key(1), [2])
    expect(t.paths(params)).toEqual([
      'layer.layers.0.layers.0.bias',
      'layer.layers.0.layers.0.weight',
      'layer.layers.1.layers.0.bias',
      'layer.layers.1.layers.0.weight',
      'layer.layers.1.layers.1.bias',
      'layer.layers.1.layers.1.weight',
      'shortcut.bias',
      'shortcut.weight',
    ])
    expect(tapsOf(nested, [2])).toEqual([
      'net.layer.layers.0.layers.0 3',
      'net.layer.layers.0.layers.1 2',
      'net.layer.layers.0 5',
      'net.layer.layers.1.layers.0 2',
      'net.layer.layers.1.layers.1 2',
      'net.layer.layers.1 2',
      'net.layer 2',
      'net.shortcut 2',
    ])
    const { nodes } = t.graph((x: t.Tensor) => nested.apply(params, state, x, ctx).y, t.ones([1, 2]))
    expect(nodes.filter(({ operation }) => operation === 'linear').map(({ path }) => path)).toEqual([
      'layer.layers.0.layers.0',
      'layer.layers.1.layers.0',
      'layer.layers.1.layers.1',
      'shortcut',
    ])
  })

  test('tell a tap which layer it is, with its parameters and state', () => {
    const block = residual(linear(2, 2))
    const { params, state } = block.init(t.key(1), [2])
    const seen: unknown[] = []
    block.apply(params, state, t.ones([1, 2]), { ...ctx, tap: (path, _, from) => seen.push([path, from]) })
    expect(seen).toEqual([['layer', { layer: expect.anything(), params: params.layer, state: null }]])
    expect(seen).toMatchObject([['layer', { layer: { name: 'linear 2 -> 2' } }]])
  })

  test('draw from a key of its own for each layer', () => {
    const { params } = nested.init(t.key(7), [2])
    const drawn = linear(2, 2).init(t.foldIn(t.key(7), 'shortcut'), [2]).params
    expect(params.shortcut.weight.toArray()).toEqual(drawn.weight.toArray())
    const layers = concat(dropout(0.5), dropout(0.5))
    const { y } = layers.apply({ layers: [null, null] }, { layers: [null, null] }, t.ones([1, 100]), {
      ...ctx,
      key: t.key(1),
    })
    const [first, second] = [y.toFloat32Array().slice(0, 100), y.toFloat32Array().slice(100)]
    expect(first).not.toEqual(second)
    const alone = dropout(0.5).apply(null, null, t.ones([1, 100]), { ...ctx, key: t.foldIn(t.key(1), 1) })
    expect(second).toEqual(alone.y.toFloat32Array())
  })

  test('carry state: a new object where a layer changed it, the same where none did', () => {
    const x = t.ones([1, 2])
    const block = residual(counter)
    expect(block.apply({ layer: null }, { layer: { passes: 1 } }, x, ctx).state).toEqual({
      layer: { passes: 2 },
    })
    const short = residual(relu(), { shortcut: counter })
    const after = short.apply(
      { layer: null, shortcut: null },
      { layer: null, shortcut: { passes: 1 } },
      x,
      ctx,
    )
    expect(after.state).toEqual({ layer: null, shortcut: { passes: 2 } })
    const named = parallel({ a: counter, b: relu() })
    const passed = named.apply({ a: null, b: null }, { a: { passes: 1 }, b: null }, x, ctx)
    expect(passed.state).toEqual({ a: { passes: 2 }, b: null })
    const stays = <P, S>(layer: Layer<P, S>): void => {
      const made = layer.init(t.key(1), [2])
      expect(layer.apply(made.params, made.state, x, ctx).state).toBe(made.state)
    }
    stays(residual(relu()))
    stays(concat(relu(), tanh()))
    stays(residual(relu(), { shortcut: tanh() }))
  })

  test('know the size that they take, so that sequential names them', () => {
    const size = unknownSize(3)
    expect(() => sequential(linear(2, 4), residual(linear(size, size))).init(t.key(1), [2])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 1 (residual linear 3 -> 3) takes 3 features, layer 0 (linear 2 -> 4) gives 4; make the two sizes equal',
      ),
    )
    expect(() => sequential(linear(2, 4), concat(relu(), linear(size, 1))).init(t.key(1), [2])).toThrow(
      refusal(
        RangeError,
        'sequential: layer 1 (concat of 2) takes 3 features, layer 0 (linear 2 -> 4) gives 4; make the two sizes equal',
      ),
    )
  })
})

describe('residual', () => {
  test('passes the gradient of the sum on unchanged, beside that of the layer', () => {
    const block = residual(linear(2, 2, { weight: (_key, shape) => t.zeros(shape) }))
    const { params, state } = block.init(t.key(1), [2])
    const gradient = t.grad((x: t.Tensor) => t.sum(block.apply(params, state, x, ctx).y))(t.ones([1, 2]))
    expect(gradient.toArray()).toEqual([[1, 1]])
  })

  test('refuses a layer that gives another shape, naming both', () => {
    const [four, eight] = [unknownSize(4), unknownSize(8)]
    expect(() => residual(linear(four, eight)).init(t.key(1), [4])).toThrow(
      refusal(
        RangeError,
        'residual: the layer (linear 4 -> 8) gives [8], its input is [4]; pass a shortcut that gives the same shape',
      ),
    )
    expect(() =>
      residual(linear(four, eight), { shortcut: linear(four, unknownSize(6)) }).init(t.key(1), [4]),
    ).toThrow(
      refusal(
        RangeError,
        'residual: the layer (linear 4 -> 8) gives [8], the shortcut (linear 4 -> 6) gives [6]; make the two shapes equal',
      ),
    )
    expect(() => residual(linear(four, eight), { shortcut: linear(unknownSize(5), eight) })).toThrow(
      refusal(
        RangeError,
        'residual: the layer (linear 4 -> 8) takes 4 features, the shortcut (linear 5 -> 8) 5; make the two sizes equal',
      ),
    )
  })

  test('does not add what only broadcasts', () => {
    const block = residual(lambda((x) => t.sum(x, { axis: -1, keepDims: true })))
    expect(() => block.init(t.key(1), [4])).toThrow(
      /^residual: the layer \(lambda\) gives \[1\], its input is \[4\]/,
    )
    expect(() =>
      block.apply({ layer: null }, { layer: null }, t.ones([2, 4]), { ...ctx, path: 'net' }),
    ).toThrow(
      refusal(
        RangeError,
        "residual: the layer (lambda) at 'net' gives [2,1], its input is [2,4]; pass a shortcut that gives the same shape",
      ),
    )
  })

  test('refuses what is no layer', () => {
    // @ts-expect-error a function is no layer
    expect(() => residual(relu)).toThrow(
      refusal(
        TypeError,
        'residual: the first argument is no layer, got a function; call the function that makes it: relu()',
      ),
    )
    // @ts-expect-error a function is no layer
    expect(() => residual(relu(), { shortcut: tanh })).toThrow(
      refusal(
        TypeError,
        'residual: the shortcut is no layer, got a function; call the function that makes it: relu()',
      ),
    )
  })
})

describe('parallel', () => {
  test('gives outputs in order or by name', () => {
    const x = t.tensor([[1, 2]])
    const list = parallel([linear(2, 1, { weight: ones }), relu()])
    const listed = list.init(t.key(1), [2])
    expect(listed.outputShape).toEqual([[1], [2]])
    expect(list.apply(listed.params, listed.state, x, ctx).y.map((y) => y.toArray())).toEqual([
      [[3]],
      [[1, 2]],
    ])
    const named = parallel({ sum: linear(2, 1, { weight: ones }), same: relu() })
    const made = named.init(t.key(1), [2])
    expect(made.outputShape).toEqual({ sum: [1], same: [2] })
    const { y } = named.apply(made.params, made.state, x, ctx)
    expect([y.sum.toArray(), y.same.toArray()]).toEqual([[[3]], [[1, 2]]])
  })

  test('hands outputs by name to a tap under these names', () => {
    const heads = parallel({ mean: linear(2, 1), spread: sequential(linear(2, 1), relu()) })
    const { params, state } = heads.init(t.key(1), [2])
    const seen: string[] = []
    heads.apply(params, state, t.ones([1, 2]), { ...ctx, tap: (path) => void seen.push(path) })
    expect(seen).toEqual(['mean', 'spread.layers.0', 'spread.layers.1', 'spread'])
  })

  test('refuses layers that do not go side by side, naming both', () => {
    const [two, three] = [unknownSize(2), unknownSize(3)]
    expect(() => parallel({ a: linear(two, 1), b: linear(three, 1) })).toThrow(
      refusal(
        RangeError,
        "parallel: 'a' (linear 2 -> 1) takes 2 features, 'b' (linear 3 -> 1) 3; make the two sizes equal: all are given the same input",
      ),
    )
    const sum = parallel([linear(two, two), linear(two, three)], { combine: 'sum' })
    expect(() => sum.init(t.key(1), [2])).toThrow(
      refusal(
        RangeError,
        'parallel: layer 0 (linear 2 -> 2) gives [2], layer 1 (linear 2 -> 3) [3]; make the shapes equal',
      ),
    )
    expect(() => parallel([])).toThrow(
      refusal(RangeError, 'parallel: at least one layer is needed, got 0; pass linear(…), relu(), …'),
    )
    // @ts-expect-error a function is no layer
    expect(() => parallel({ a: relu })).toThrow(
      refusal(
        TypeError,
        "parallel: 'a' is no layer, got a function; call the function that makes it: relu()",
      ),
    )
    // @ts-expect-error there is only the sum
    expect(() => parallel([relu()], { combine: 'mean' })).toThrow(
      refusal(TypeError, "parallel: combine must be 'sum', got 'mean'; or leave it out"),
    )
    // @ts-expect-error only those in a list are added
    expect(() => parallel({ a: relu() }, { combine: 'sum' })).toThrow(
      refusal(
        TypeError,
        "parallel: layers by name cannot be added; pass them in a list: [a, b], { combine: 'sum' }",
      ),
    )
  })
})

describe('concat', () => {
  test('takes scalars, such as indices, where its layers give features', () => {
    const join = concat(embedding(5, 3), embedding(5, 2))
    const { params, state, outputShape } = join.init(t.key(1), [])
    expect(outputShape).toEqual([5])
    expect(join.apply(params, state, t.tensor([0, 4]), ctx).y.shape).toEqual([2, 5])
  })

  test('refuses layers that do not go side by side, naming both', () => {
    const [two, three] = [unknownSize(2), unknownSize(3)]
    expect(() => concat(linear(two, 1), relu(), linear(three, 1))).toThrow(
      refusal(
        RangeError,
        'concat: layer 0 (linear 2 -> 1) takes 2 features, layer 2 (linear 3 -> 1) 3; make the two sizes equal: all are given the same input',
      ),
    )
    const join = concat(
      relu(),
      lambda((x) => t.sum(x, { axis: 1 })),
    )
    expect(() => join.init(t.key(1), [4, 3])).toThrow(
      refusal(
        RangeError,
        'concat: layer 0 (relu) gives [4,3], layer 1 (lambda) [3]; make the shapes equal but for the last axis',
      ),
    )
    expect(() => concat(relu()).init(t.key(1), [])).toThrow(
      refusal(
        RangeError,
        'concat: layer 0 (relu) gives scalars, which have no axis to be joined on; give them an axis: [1]',
      ),
    )
    // Their last axis is that of the rows, which were joined.
    const total = lambda((x) => t.sum(x, { axis: -1 }))
    expect(() => concat(total, total).init(t.key(1), [4])).toThrow(
      refusal(
        RangeError,
        'concat: layer 0 (lambda) gives scalars, which have no axis to be joined on; give them an axis: [1]',
      ),
    )
    expect(() => concat()).toThrow(
      refusal(RangeError, 'concat: at least one layer is needed, got 0; pass linear(…), relu(), …'),
    )
    // @ts-expect-error a function is no layer
    expect(() => concat(relu(), tanh)).toThrow(
      refusal(
        TypeError,
        'concat: argument 1 is no layer, got a function; call the function that makes it: relu()',
      ),
    )
  })
})

describe('lambda', () => {
  test('goes by the name of its function, and takes a shape that is said', () => {
    const double = (x: t.Tensor): t.Tensor => t.mul(x, 2)
    expect(lambda(double).name).toBe('lambda double')
    const read = lambda((x) => t.tensor(x.toArray()), [3])
    expect(read.init(t.key(1), [3]).outputShape).toEqual([3])
    expect(() => read.apply(null, null, t.ones([2, 4]), { ...ctx, path: 'layers.1' })).toThrow(
      refusal(
        RangeError,
        "lambda: the function at 'layers.1' must give [2,3], got [2,4]; pass the shape of one sample that it gives",
      ),
    )
  })

  test('refuses a function that mixes rows, and what is no function', () => {
    expect(() => lambda((x) => t.sum(x)).init(t.key(1), [3])).toThrow(
      refusal(
        RangeError,
        'lambda: the function must keep the rows, got [] from [2,3]; work on the other axes',
      ),
    )
    // As many features as the rows that it was asked with: the sum over rows had the right first axis.
    expect(() => lambda((x) => t.sum(x, { axis: 0 })).init(t.key(1), [2])).toThrow(
      refusal(
        RangeError,
        'lambda: the function must keep the rows, got [2] from [3,2]; work on the other axes',
      ),
    )
    // @ts-expect-error a layer is no function
    expect(() => lambda(relu())).toThrow(
      refusal(TypeError, 'lambda: a function is needed, got an object; pass (x) => t.square(x)'),
    )
  })
})
