import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  applyInner,
  type Context,
  dropout,
  linear,
  type ParamsOf,
  parallel,
  type StateOf,
  sequential,
  type TreeModel,
  tanh,
} from '../src/index.ts'
import { expectClose } from './float64.ts'

// The patterns of docs/models.md.

const ctx: Context = { training: true, path: '', key: t.key(8) }
const encoder = sequential(linear(4, 5), tanh(), dropout(0.2), linear(5, 2))

type Encoder = ParamsOf<typeof encoder>
type Pair = { readonly left: t.Tensor; readonly right: t.Tensor }
type Shared = { readonly encoder: Encoder }
type State = { readonly encoder: StateOf<typeof encoder> }

/** The squared distance of two codes, by encoders with these parameters. */
function distance(left: Encoder, right: Encoder, state: State, pair: Pair, told: Context): t.Tensor {
  const one = applyInner({ layer: encoder, name: 'left' }, left, state.encoder, pair.left, told)
  const other = applyInner({ layer: encoder, name: 'right' }, right, one.state, pair.right, told)
  return t.sum(t.square(t.sub(one.y, other.y)), { axis: -1 })
}

const siamese: TreeModel<Shared, State, Pair, t.Tensor> = {
  init: (key, { left }) => {
    const made = encoder.init(t.foldIn(key, 'encoder'), left)
    return { params: { encoder: made.params }, state: { encoder: made.state } }
  },
  apply: (params, state, pair, told) => ({
    y: distance(params.encoder, params.encoder, state, pair, told),
    state,
  }),
}

describe('a siamese network', () => {
  const { params, state } = siamese.init(t.key(1), { left: [4], right: [4] })
  const pair = { left: t.normal(t.key(2), [6, 4]), right: t.normal(t.key(3), [6, 4]) }

  test('has as gradient of its shared encoder the sum over both places', () => {
    const shared = t.grad((p: typeof params) => t.sum(siamese.apply(p, state, pair, ctx).y))(params)
    const apart = t.grad((p: { left: Encoder; right: Encoder }) =>
      t.sum(distance(p.left, p.right, state, pair, ctx)),
    )({ left: params.encoder, right: params.encoder })
    const sums = t.leaves(t.zipTensors([apart.left, apart.right], (one, other) => t.add(one, other)))
    for (const [i, gradient] of t.leaves(shared).entries()) {
      expectClose(gradient.toFloat32Array(), sums[i]!.toFloat32Array(), 1e-6)
    }
    // The last bias cancels in the difference.
    for (const gradient of t.leaves([apart.left, apart.right, shared.encoder.layers[3].weight]))
      expect(gradient.toFloat32Array().some((g) => g !== 0)).toBe(true)
  })

  test('is symmetric at inference, and 0 for two that are the same', () => {
    const told: Context = { training: false, path: '' }
    const { y } = siamese.apply(params, state, pair, told)
    const swapped = siamese.apply(params, state, { left: pair.right, right: pair.left }, told).y
    expect(swapped.toArray()).toEqual(y.toArray())
    const same = siamese.apply(params, state, { left: pair.left, right: pair.left }, told).y
    expect(same.toArray()).toEqual([0, 0, 0, 0, 0, 0])
  })

  test('draws other noise at each place, and taps both by name', () => {
    const seen: string[] = []
    const same = { left: pair.left, right: pair.left }
    const { y } = siamese.apply(params, state, same, { ...ctx, tap: (path) => void seen.push(path) })
    expect(y.toFloat32Array().some((value) => value > 0)).toBe(true)
    expect(seen.filter((path) => path.endsWith('layers.0'))).toEqual(['left.layers.0', 'right.layers.0'])
  })

  test('compiles, and learns what is alike', () => {
    // Alike are those with the same first feature.
    const target = t.tensor([1, 0, 1, 0, 1, 0])
    const column = t.slice(pair.left, [0, 0], [6, 1])
    const moved = t.add(column, t.expandDims(t.mul(t.sub(1, target), 2), 1))
    const rest = t.slice(pair.right, [0, 1], [6, 4])
    const alike = { left: pair.left, right: t.concat([moved, rest], { axis: 1 }) }
    const told: Context = { training: false, path: '' }
    const loss = (p: typeof params, at: Pair): t.Tensor =>
      t.mean(t.sigmoidCrossEntropy(t.sub(1, siamese.apply(p, state, at, told).y), target))
    const step = t.compile((p: typeof params, at: Pair) => {
      const { value, gradients } = t.valueAndGrad(loss)(p, at)
      return { value, next: t.zipTensors([p, gradients], (w, g) => t.sub(w, t.mul(g, 0.05))) }
    })
    expect(step(params, alike).value.item()).toBe(t.valueAndGrad(loss)(params, alike).value.item())
    let at = params
    for (let i = 0; i < 300; i++) at = step(at, alike).next
    expect(loss(at, alike).item()).toBeLessThan(loss(params, alike).item() / 4)
    step.dispose()
  })

  test('has types of what goes in and comes out', () => {
    type Apply = Parameters<typeof siamese.apply>
    expectTypeOf<Apply[2]>().toEqualTypeOf<Pair>()
    // @ts-expect-error one input is missing
    expect(() => siamese.apply(params, state, { left: pair.left }, ctx)).toThrow(TypeError)
    // @ts-expect-error a shape for each input
    expect(() => siamese.init(t.key(1), [4])).toThrow()
    // A layer is such a model, of one tensor.
    expectTypeOf(encoder).toExtend<TreeModel<Encoder, StateOf<typeof encoder>, t.Tensor, t.Tensor>>()
    const heads = parallel({ a: linear(2, 1), b: linear(2, 3) })
    type Heads = TreeModel<
      ParamsOf<typeof heads>,
      StateOf<typeof heads>,
      t.Tensor,
      { readonly a: t.Tensor; readonly b: t.Tensor }
    >
    expectTypeOf(heads).toExtend<Heads>()
  })
})

describe('an encoder with a decoder', () => {
  const decoder = sequential(linear(2, 5), tanh(), linear(5, 4))
  type Params = { readonly encoder: Encoder; readonly decoder: ParamsOf<typeof decoder> }
  type Both = State & { readonly decoder: StateOf<typeof decoder> }
  const autoencoder: TreeModel<
    Params,
    Both,
    t.Tensor,
    { readonly code: t.Tensor; readonly again: t.Tensor }
  > = {
    init: (key, inputShape) => {
      const first = encoder.init(t.foldIn(key, 'encoder'), inputShape)
      const second = decoder.init(t.foldIn(key, 'decoder'), first.outputShape)
      return {
        params: { encoder: first.params, decoder: second.params },
        state: { encoder: first.state, decoder: second.state },
      }
    },
    apply: (params, state, x, told) => {
      const first = applyInner({ layer: encoder, name: 'encoder' }, params.encoder, state.encoder, x, told)
      const second = applyInner(
        { layer: decoder, name: 'decoder' },
        params.decoder,
        state.decoder,
        first.y,
        told,
      )
      return { y: { code: first.y, again: second.y }, state: { encoder: first.state, decoder: second.state } }
    },
  }
  const { params, state } = autoencoder.init(t.key(1), [4])
  const x = t.normal(t.key(2), [3, 4])

  test('passes the gradient of the decoder on to the encoder', () => {
    const gradients = t.grad((p: typeof params) => t.sum(autoencoder.apply(p, state, x, ctx).y.again))(params)
    for (const leaf of t.leaves(gradients.encoder))
      expect(leaf.toFloat32Array().some((g) => g !== 0)).toBe(true)
  })

  test('gives all its outputs, run and recorded', () => {
    const told: Context = { training: false, path: '' }
    const { y } = autoencoder.apply(params, state, x, told)
    const shapes = t.evalShape((rows: t.Tensor) => autoencoder.apply(params, state, rows, told).y, [3, 4])
    expect(shapes).toEqual({ code: [3, 2], again: [3, 4] })
    const code = encoder.apply(params.encoder, state.encoder, x, told).y
    expect(y.code.toArray()).toEqual(code.toArray())
    expect(y.again.toArray()).toEqual(decoder.apply(params.decoder, state.decoder, code, told).y.toArray())
  })
})
