import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  batchNorm,
  bidirectional,
  type Context,
  embedding,
  gru,
  linear,
  lstm,
  type RecurrentLayer,
  type RecurrentOptions,
  resetRecurrentState,
  rnn,
  sequenceMask,
  sequential,
} from '../src/index.ts'
import { expectClose } from './float64.ts'

const ctx: Context = { training: true, path: '' }
const [rows, steps, features, units] = [3, 5, 2, 4]

type Any = RecurrentLayer<unknown, unknown>

const kinds: readonly [name: string, make: (options?: RecurrentOptions) => Any][] = [
  ['rnn', (options) => rnn(features, units, options)],
  ['lstm', (options) => lstm(features, units, options)],
  ['gru', (options) => gru(features, units, options)],
  ['gru of the paper', (options) => gru(features, units, { ...options, resetAfter: false })],
]

const drawn = (n: number, shape: t.Shape = [rows, steps, features]): t.Tensor => t.normal(t.key(n), shape)
const bits = (x: t.Tensor): number[] => [...x.toFloat32Array()]

/** Parameters of which none is 0. */
function madeOf(layer: Any): { params: unknown; state: unknown } {
  const { params, state } = layer.init(t.key(1), [steps, features])
  let place = 0
  const moved = t.mapTensors(params, (x: t.Tensor) => t.add(x, t.mul(drawn(++place, x.shape), 0.3)))
  return { params: moved, state }
}

describe.each(kinds)('%s', (_, make) => {
  const lengths = [5, 2, 0]
  const mask = sequenceMask(t.tensor(lengths), steps)
  const filled = (value: number): t.Tensor => t.where(t.expandDims(mask, -1), drawn(3), value)

  test('begins with orthogonal rows of recurrent weights', () => {
    const { params } = make().init(t.key(1), [steps, features])
    const u = t.leaves(params)[t.paths(params).indexOf('recurrentWeight')]!
    expectClose(t.matmul(u, t.transpose(u)).toFloat32Array(), t.eye(units).toFloat32Array())
  })

  test('is not changed by padding, whatever stands there: values and gradients are the same bits', () => {
    for (const options of [{}, { returnSequences: true }, { reverse: true }]) {
      const layer = make(options)
      const { params, state } = madeOf(layer)
      const seen = (value: number): unknown => {
        const loss = (p: unknown, x: t.Tensor): t.Tensor =>
          t.sum(t.square(layer.apply(p, state, x, ctx, mask).y))
        const x = filled(value)
        const both = [t.grad(loss)(params, x), t.grad((x: t.Tensor) => loss(params, x))(x)]
        return t.leaves([layer.apply(params, state, x, ctx, mask).y, both]).map(bits)
      }
      const plain = seen(0)
      for (const value of [1e30, Number.NaN, Number.NEGATIVE_INFINITY]) expect(seen(value)).toEqual(plain)
      const x = filled(0)
      const ofInput = t.grad((x: t.Tensor) => t.sum(layer.apply(params, state, x, ctx, mask).y))(x)
      expect(t.any(t.mul(ofInput, t.sub(1, t.expandDims(mask, -1)))).item()).toBe(0)
    }
  })

  test('gives for a padded row what it gives for its true steps alone', () => {
    for (const reverse of [false, true]) {
      for (const returnSequences of [false, true]) {
        const layer = make({ reverse, returnSequences })
        const { params, state } = madeOf(layer)
        const whole = layer.apply(params, state, filled(9), ctx, mask).y
        for (const [row, length] of lengths.entries()) {
          const own = t.slice(drawn(3), [row, 0], [row + 1, length])
          const alone = layer.apply(params, state, own, ctx).y
          const [first, rest] = t.split(
            t.reshape(t.slice(whole, row, row + 1), [-1]),
            returnSequences ? [length * units, (steps - length) * units] : [units, 0],
          ) as [t.Tensor, t.Tensor]
          expect(bits(first)).toEqual(bits(alone))
          expect(bits(rest).every((value) => value === 0)).toBe(true)
        }
      }
    }
  })

  test('passes over steps in the middle, too, and knows padding by its value', () => {
    const layer = make({ paddingValue: -1, returnSequences: true })
    const { params, state } = madeOf(layer)
    const gaps = t.tensor([[1, 0, 1, 0, 1]])
    const x = t.where(t.expandDims(gaps, -1), drawn(4, [1, steps, features]), -1)
    const found = layer.apply(params, state, x, ctx).y
    expect(bits(found)).toEqual(bits(layer.apply(params, state, x, ctx, gaps).y))
    const short = t.gather(t.reshape(x, [steps, features]), t.tensor([0, 2, 4]))
    const alone = layer.apply(params, state, t.expandDims(short, 0), ctx).y
    const kept = t.gather(t.reshape(found, [steps, units]), t.tensor([0, 2, 4]))
    expect(bits(kept)).toEqual(bits(alone))
    // One feature of -1 does not make it padding.
    const half = t.tensor([[[1, -1]]])
    expect(bits(layer.apply(params, state, half, ctx).y).some((value) => value !== 0)).toBe(true)
  })

  test('keeps its state between calls: two halves are the whole, and a reset begins anew', () => {
    const [plain, kept] = [
      make({ returnSequences: true }),
      make({ returnSequences: true, statefulRows: rows }),
    ]
    const { params, state } = madeOf(kept)
    const x = drawn(5)
    const whole = plain.apply(params, null, x, ctx)
    const pass = t.compile((state: unknown, x: t.Tensor) => kept.apply(params, state, x, ctx))
    for (const apply of [pass, (state: unknown, x: t.Tensor) => kept.apply(params, state, x, ctx)]) {
      const first = apply(state, t.slice(x, [0, 0], [rows, 2]))
      const second = apply(first.state, t.slice(x, [0, 2]))
      expect(bits(t.concat([first.y, second.y], { axis: 1 }))).toEqual(bits(whole.y))
      const again = apply(resetRecurrentState(second.state), x)
      expect(bits(again.y)).toEqual(bits(whole.y))
      const ended = t.leaves(second.state).map(bits)
      expect(t.leaves(again.state).map(bits)).toEqual(ended)
      expect(t.leaves(apply(again.state, t.zeros([rows, 0, features])).state).map(bits)).toEqual(ended)
    }
    expect(whole.state).toBe(null)
    pass.dispose()
  })

  test('gives a state of its own: who disposes of the output keeps it', () => {
    const layer = make({ statefulRows: rows })
    const { params, state } = madeOf(layer)
    const input = drawn(6)
    const before = t.memory().tensors
    const made = layer.apply(params, state, input, ctx)
    expect(t.memory().tensors - before).toBe(1 + t.leaves(state).length)
    const last = bits(made.y)
    made.y.dispose()
    expect(bits(t.leaves(made.state).at(-1)!)).toEqual(last)
  })

  test('reads backward what it reads forward when the steps are turned round', () => {
    const layer = make({ returnSequences: true })
    const { params, state } = madeOf(layer)
    const back = layer.reversed()
    expect([back.reverse, back.reversed().reverse]).toEqual([true, false])
    const found = back.apply(params, state, drawn(7), ctx).y
    const turned = layer.apply(params, state, t.flip(drawn(7), { axis: 1 }), ctx).y
    expect(bits(found)).toEqual(bits(t.flip(turned, { axis: 1 })))
  })

  test('has the gradients of single steps that hand on their state', () => {
    const [layer, one] = [make(), make({ statefulRows: rows })]
    const { params, state } = madeOf(one)
    const x = drawn(8)
    const looped = (p: unknown): t.Tensor => {
      let [y, carried] = [t.zeros([rows, units]), state]
      for (let i = 0; i < steps; i++) {
        const made = one.apply(p, carried, t.slice(x, [0, i], [rows, i + 1]), ctx)
        ;[y, carried] = [made.y, made.state]
      }
      return t.sum(t.square(y))
    }
    const scanned = (p: unknown): t.Tensor => t.sum(t.square(layer.apply(p, null, x, ctx).y))
    const [found, wanted] = [t.valueAndGrad(scanned)(params), t.valueAndGrad(looped)(params)]
    expect(found.value.item()).toBe(wanted.value.item())
    for (const [i, leaf] of t.leaves(wanted.gradients).entries()) {
      // Products over all steps at once add in another order.
      const error = t.max(t.abs(t.sub(t.leaves(found.gradients)[i]!, leaf))).item()
      expect(error).toBeLessThan(1e-5 * Math.max(1, t.max(t.abs(leaf)).item()))
    }
  })

  test('gives zeros for sequences of no steps', () => {
    const layer = make()
    const { params, state } = madeOf(layer)
    expect(bits(layer.apply(params, state, t.zeros([1, 0, features]), ctx).y)).toEqual([0, 0, 0, 0])
    const all = make({ returnSequences: true })
    expect(all.apply(params, state, t.zeros([1, 0, features]), ctx).y.shape).toEqual([1, 0, units])
  })
})

describe('paddingValue 0', () => {
  test('passes padding on from an embedding through a chain', () => {
    const model = sequential(
      embedding(5, 2, { padding: 0 }),
      bidirectional(gru(2, 3, { returnSequences: true, paddingValue: 0 })),
      lstm(6, 2, { paddingValue: 0 }),
    )
    const { params, state } = model.init(t.key(1), [4])
    const padded = model.apply(
      params,
      state,
      t.tensor([
        [3, 1, 0, 0],
        [4, 2, 1, 3],
      ]),
      ctx,
    ).y
    const short = model.apply(params, state, t.tensor([[3, 1]]), ctx).y
    expect(bits(t.slice(padded, 0, 1))).toEqual(bits(short))
  })
})

describe('lstm', () => {
  test('begins with a forget bias of 1, or another', () => {
    expect(lstm(1, 2).init(t.key(1), [3, 1]).params.bias.toArray()).toEqual([0, 0, 1, 1, 0, 0, 0, 0])
    const { bias } = lstm(1, 1, { forgetBias: 0, bias: (_, shape) => t.full(shape, 5) }).init(
      t.key(1),
      [3, 1],
    ).params
    expect(bias.toArray()).toEqual([5, 5, 5, 5])
  })
})

describe('resetRecurrentState', () => {
  test('leaves what is no recurrent state', () => {
    const model = sequential(gru(1, 2, { statefulRows: 3 }), batchNorm(), linear(2, 1))
    const { params, state } = model.init(t.key(1), [4, 1])
    const after = model.apply(params, state, t.normal(t.key(2), [3, 4, 1]), ctx).state
    expect(after.layers[0].hidden.toArray()).not.toEqual(state.layers[0].hidden.toArray())
    const fresh = resetRecurrentState(after)
    expect(fresh.layers[0].hidden.toArray()).toEqual(state.layers[0].hidden.toArray())
    expect(fresh.layers[1].movingMean).toBe(after.layers[1].movingMean)
    expect(fresh.layers[2]).toBe(null)
  })
})
