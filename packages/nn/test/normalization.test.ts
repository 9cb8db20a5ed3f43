import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type BatchNormParams,
  type BatchNormState,
  batchNorm,
  type Context,
  type GroupNormParams,
  groupNorm,
  type Layer,
  type LayerNormParams,
  type LinearParams,
  layerNorm,
  linear,
  mse,
  prelu,
  rmsNorm,
  type SizePreserving,
  sequential,
  tanh,
} from '../src/index.ts'
import { expectClose, refusal } from './float64.ts'

const inference: Context = { training: false, path: '' }
const inside: Context = { training: true, path: 'layers.1' }
const bits = (x: t.Tensor): number[] => [...x.toFloat32Array()]

describe('layers that normalise samples', () => {
  const image = t.add(t.mul(t.normal(t.key(1), [2, 3, 2, 4]), 3), 5)

  test('are the same over all axes: groupNorm of one group, layerNorm of three axes', () => {
    const grouped = groupNorm(1, { center: false, scale: false })
    const layered = layerNorm({ axes: 3, center: false, scale: false })
    expectClose(
      bits(grouped.apply({}, null, image, inference).y),
      bits(layered.apply({}, null, image, inference).y),
    )
  })

  test('are the same over a single row: groupNorm of one group, layerNorm', () => {
    const rows = t.normal(t.key(2), [5, 6])
    const gamma = t.normal(t.key(3), [6])
    const beta = t.normal(t.key(4), [6])
    const grouped = groupNorm(1).apply({ gamma, beta }, null, rows, inference).y
    expectClose(bits(grouped), bits(layerNorm().apply({ gamma, beta }, null, rows, inference).y))
  })

  test('normalise each channel of each image: groupNorm of as many groups as channels', () => {
    const { y } = groupNorm(4, { epsilon: 0 }).apply(
      groupNorm(4).init(t.key(1), [3, 2, 4]).params,
      null,
      image,
      inference,
    )
    expectClose(bits(t.mean(y, { axis: [1, 2] })), new Array(8).fill(0))
    expectClose(bits(t.std(y, { axis: [1, 2] })), new Array(8).fill(1))
  })

  test('do not see what samples are multiplied by, nor, but for rmsNorm, what is added to them', () => {
    const rows = t.normal(t.key(5), [4, 8])
    const layers = [layerNorm({ epsilon: 0 }), groupNorm(2, { epsilon: 0 }), rmsNorm({ epsilon: 0 })] as const
    for (const [i, layer] of layers.entries()) {
      const { params } = layer.init(t.key(1), [8])
      const apply = (x: t.Tensor): number[] => bits(layer.apply(params as never, null, x, inference).y)
      const plain = apply(rows)
      expectClose(apply(t.mul(rows, 8)), plain)
      const isFree = i < 2
      const moved = apply(t.add(rows, 2))
      if (isFree) expectClose(moved, plain, 1e-5)
      else expect(Math.abs(moved[0]! - plain[0]!)).toBeGreaterThan(0.1)
    }
  })

  test('agree where the mean is 0: rmsNorm and layerNorm', () => {
    const rows = t.normal(t.key(6), [4, 8])
    const centred = t.sub(rows, t.mean(rows, { axis: -1, keepDims: true }))
    const gamma = t.normal(t.key(7), [8])
    expectClose(
      bits(rmsNorm().apply({ gamma }, null, centred, inference).y),
      bits(layerNorm({ center: false }).apply({ gamma }, null, centred, inference).y),
    )
  })

  test('give zeros for zeros, with finite gradients', () => {
    const zeros = t.zeros([2, 4])
    for (const layer of [layerNorm(), groupNorm(2), rmsNorm()] as const) {
      const { params } = layer.init(t.key(1), [4])
      const apply = (x: t.Tensor): t.Tensor => layer.apply(params as never, null, x, inference).y
      expect(bits(apply(zeros)).map(Math.abs)).toEqual(new Array(8).fill(0))
      const gradient = t.grad((x: t.Tensor) => t.sum(t.mul(apply(x), t.normal(t.key(8), [2, 4]))))(zeros)
      expect(bits(gradient).every(Number.isFinite)).toBe(true)
    }
  })

  test('begin with ones and zeros in the sizes of what they scale, and leave out what is not wanted', () => {
    const shapes = (params: unknown): unknown => t.mapTensors(params, ({ shape }: t.Tensor) => shape)
    const layered = layerNorm({ axes: 2 }).init(t.key(1), [2, 3]).params
    expect([layered.gamma.toArray(), layered.beta.toArray()]).toEqual([
      [
        [1, 1, 1],
        [1, 1, 1],
      ],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ])
    const { params } = groupNorm(2).init(t.key(1), [3, 3, 4])
    expect(shapes(params)).toEqual({ gamma: [4], beta: [4] })
    expectTypeOf(params).toEqualTypeOf<GroupNormParams>()
    expectTypeOf(layered).toEqualTypeOf<LayerNormParams>()
    expectTypeOf(layered).toEqualTypeOf<{ readonly gamma: t.Tensor } & { readonly beta: t.Tensor }>()
    const scaled = layerNorm({ center: false }).init(t.key(1), [3]).params
    expectTypeOf(scaled).toEqualTypeOf<{ readonly gamma: t.Tensor }>()
    expect(t.paths(scaled)).toEqual(['gamma'])
    const moved = groupNorm(3, { scale: false }).init(t.key(1), [3]).params
    expectTypeOf(moved).toEqualTypeOf<{ readonly beta: t.Tensor }>()
    expect(t.paths(moved)).toEqual(['beta'])
    const root = rmsNorm().init(t.key(1), [3]).params
    expectTypeOf(root).toEqualTypeOf<{ readonly gamma: t.Tensor }>()
    expect(shapes(root)).toEqual({ gamma: [3] })
  })

  test('keep the size, for the type checker', () => {
    sequential(linear(3, 4), layerNorm(), groupNorm(2), rmsNorm(), prelu(), linear(4, 1))
    // @ts-expect-error takes 5 features, but the layer before gives 4
    const wrong = sequential(linear(3, 4), layerNorm(), groupNorm(2), rmsNorm(), prelu(), linear(5, 1))
    expect(() => wrong.init(t.key(1), [3])).toThrow(RangeError)
  })

  test('refuse what they cannot take', () => {
    const refuses = (run: () => unknown, message: string): void => {
      expect(run).toThrow(refusal(RangeError, message))
    }
    refuses(() => layerNorm({ axes: 0 }), 'layerNorm: axes must be an integer from 1 on, got 0; count axes')
    refuses(() => layerNorm({ epsilon: -1 }), 'layerNorm: epsilon must be finite and not negative, got -1')
    refuses(() => groupNorm(1.5), 'groupNorm: groups must be an integer from 1 on, got 1.5; count groups')
    refuses(
      () => groupNorm(2, { epsilon: Number.NaN }),
      'groupNorm: epsilon must be finite and not negative, got NaN',
    )
    refuses(
      () => rmsNorm({ epsilon: Number.POSITIVE_INFINITY }),
      'rmsNorm: epsilon must be finite and not negative, got Infinity',
    )
    refuses(
      () => layerNorm({ axes: 2 }).init(t.key(1), [3]),
      'layerNorm: samples must have at least 2 axes, got samples of shape [3]; normalise over fewer axes',
    )
    refuses(
      () => layerNorm().init(t.key(1), []),
      'layerNorm: samples must have at least 1 axis, got samples of shape []; normalise over fewer axes',
    )
    refuses(
      () => groupNorm(3).init(t.key(1), [4]),
      'groupNorm: channels must be a multiple of 3 groups, got samples of shape [4]; choose groups that divide the last axis',
    )
    refuses(
      () => rmsNorm().init(t.key(1), []),
      'rmsNorm: samples must have features, got scalars; give them an axis: [1]',
    )
    const { params } = layerNorm().init(t.key(1), [3])
    refuses(
      () => layerNorm().apply(params, null, t.ones([2, 4]), inside),
      "layerNorm: the layer at 'layers.1' takes last axes [3], got an input of shape [2,4]; pass samples like those of init",
    )
    refuses(
      () => layerNorm({ axes: 2, scale: false, center: false }).apply({}, null, t.ones([2]), inside),
      "layerNorm: the layer at 'layers.1' takes at least 2 axes, got an input of shape [2]; pass samples like those of init",
    )
    refuses(
      () => groupNorm(3).apply(params, null, t.ones([2, 6]), inside),
      "groupNorm: the layer at 'layers.1' takes batches of 3 channels, got an input of shape [2,6]; pass [rows, …, channels]",
    )
    refuses(
      () => groupNorm(3, { scale: false, center: false }).apply({}, null, t.ones([2, 4]), inside),
      "groupNorm: the layer at 'layers.1' takes batches of channels in 3 groups, got an input of shape [2,4]; pass [rows, …, channels]",
    )
    refuses(
      () => rmsNorm().apply({ gamma: t.ones([3]) }, null, t.ones([2, 1]), inside),
      "rmsNorm: the layer at 'layers.1' takes 3 features, got an input of shape [2,1]; pass samples like those of init",
    )
  })
})

describe('prelu', () => {
  const x = t.tensor([
    [-4, 2],
    [0, -8],
  ])

  test('begins with slopes of a quarter, one for each feature or one for all', () => {
    const { params } = prelu().init(t.key(1), [3, 2])
    expectTypeOf(params).toEqualTypeOf<{ readonly slope: t.Tensor }>()
    expect(params.slope.toArray()).toEqual([0.25, 0.25])
    expect(prelu({ shared: true, initial: 0.5 }).init(t.key(1), []).params.slope.toArray()).toBe(0.5)
  })

  test('trains its slopes by what is below 0, each by its own feature', () => {
    for (const [layer, slope, wanted] of [
      [prelu(), [0.5, 0.25], [-4, -8]],
      [prelu({ shared: true }), 0.5, -12],
    ] as const) {
      const gradients = t.grad((p: { readonly slope: t.Tensor }) =>
        t.sum(layer.apply(p, null, x, inference).y),
      )
      expect(gradients({ slope: t.tensor(slope) }).slope.toArray()).toEqual(wanted)
    }
  })

  test('refuses what it cannot take', () => {
    expect(() => prelu({ initial: Number.NaN })).toThrow(
      refusal(RangeError, 'prelu: initial must be a finite number, got NaN; leave it out for 0.25'),
    )
    expect(() => prelu().init(t.key(1), [])).toThrow(
      refusal(
        RangeError,
        'prelu: samples must have features, got scalars; share one slope: { shared: true }',
      ),
    )
    expect(() => prelu().apply({ slope: t.ones([2]) }, null, t.ones([2, 1]), inside)).toThrow(
      refusal(
        RangeError,
        "prelu: the layer at 'layers.1' takes 2 features, got an input of shape [2,1]; pass samples like those of init",
      ),
    )
  })
})

describe('batchNorm', () => {
  const x = t.normal(t.key(1), [64, 2])
  const target = t.sin(t.sum(x, { axis: 1, keepDims: true }))
  type Part =
    | Layer<LinearParams, null>
    | SizePreserving<BatchNormParams, BatchNormState>
    | SizePreserving<null, null>

  /** The loss of the last step, and of inference after it. */
  function fit(...parts: readonly Part[]): { trained: number; inferred: number } {
    const model = sequential(...parts)
    const { params: start, state: begin } = model.init(t.key(2), [2])
    type Carry = { readonly params: typeof start; readonly state: typeof begin }
    const step = t.compile(
      t.valueAndGrad((params: typeof start, state: typeof begin) => {
        const { y, state: aux } = model.apply(params, state, x, { training: true, path: '' })
        return { value: mse()(y, target), aux }
      }),
    )
    let trained = Number.NaN
    const carry: Carry = { params: start, state: begin }
    const { params, state } = t.fold(carry, Array.from({ length: 300 }), (at) => {
      const { value, gradients, aux } = step(at.params, at.state)
      trained = value.item()
      return { params: t.zipTensors([at.params, gradients], (p, g) => t.sub(p, t.mul(g, 0.03))), state: aux }
    })
    step.dispose()
    return { trained, inferred: mse()(model.apply(params, state, x, inference).y, target).item() }
  }

  test.each([
    ['before', [batchNorm(), tanh()]],
    ['after', [tanh(), batchNorm()]],
  ] as const)('trains a model %s the activation, and fits at inference too', (_, middle) => {
    const { trained, inferred } = fit(linear(2, 16), ...middle, linear(16, 1))
    // The best straight line leaves more than 0.2.
    expect(trained).toBeLessThan(0.04)
    expect(Math.abs(inferred - trained)).toBeLessThan(0.01)
  })
})
