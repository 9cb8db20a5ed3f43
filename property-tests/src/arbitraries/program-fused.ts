import * as t from '@tapeflow/autodiff'
import {
  type Caller,
  constantIndices,
  indicesBelow,
  isRowed,
  type Known,
  last,
  magnitude,
  ofOne,
  pick,
  type Range,
  range,
} from './program-calls.ts'
import { call, literal } from './program-lines.ts'

// What is shifted to mean 0 and scaled to variance 1 is at most the root of the number of elements.
const normalised = (_: Range, shape: t.Shape): Range => {
  const most = Math.sqrt(t.sizeOf(shape) + 1)
  return range(-most, most)
}

/** Fused operations, called on values of the pool. */
export const fused: Readonly<Record<string, Caller>> = {
  batchNorm: (pool, draw) => {
    const x = pick(pool, draw, ({ shape }) => shape.length > 0 && !shape.includes(0))
    if (x === null) return null
    const features = ({ shape }: Known): boolean => t.sameShape(shape, [last(x.shape)])
    const gamma = pick(pool, draw, features)
    const part = draw.pick(['y', 'y', 'mean', 'variance'])
    return {
      operands: gamma === null ? [x] : [x, gamma],
      call: (...given) => ({ ...call('batchNorm', ...given), part }),
      range: (own, factor = range(1, 1)) => {
        if (part !== 'y')
          return part === 'mean' ? range(own.low, own.high) : range(0, (own.high - own.low) ** 2)
        const most = magnitude(normalised(own, x.shape)) * magnitude(factor)
        return range(-most, most)
      },
    }
  },
  layerNorm: ofOne('layerNorm', isRowed, normalised),
  linear: (pool, draw) => {
    const w = pick(pool, draw, ({ shape }) => shape.length === 2)
    if (w === null) return null
    const [size, out] = w.shape as [number, number]
    const x = pick(pool, draw, ({ shape }) => shape.length > 0 && last(shape) === size)
    if (x === null) return null
    const b = pick(pool, draw, ({ shape }) => t.sameShape(shape, [out]))
    return {
      operands: b === null ? [x, w] : [x, w, b],
      call: (...given) => call('linear', ...given),
      range: (left, right, shift = range(0, 0)) => {
        const most = size * magnitude(left) * magnitude(right) + magnitude(shift)
        return range(-most, most)
      },
    }
  },
  scaledDotProductAttention: (pool, draw) => {
    const q = pick(pool, draw, ({ shape }) => shape.length >= 2)
    if (q === null) return null
    // `q` itself always fits.
    const k = pick(pool, draw, ({ shape }) => t.sameShape(shape, q.shape))!
    const v = pick(pool, draw, ({ shape }) => t.sameShape(shape, q.shape))!
    const options = draw.integer(0, 1) === 0 ? [] : [literal({ causal: true, scale: 0.5 })]
    return {
      operands: [q, k, v],
      call: (...given) => call('scaledDotProductAttention', ...given, ...options),
      range: (_q, _k, { low, high }) => range(low, high),
    }
  },
  softmaxCrossEntropy: (pool, draw) => {
    const x = pick(pool, draw, isRowed)
    if (x === null) return null
    const target = pick(pool, draw, ({ shape }) => t.sameShape(shape, x.shape))!
    return {
      operands: [x, target],
      call: (logits, targets) => call('softmaxCrossEntropy', logits, targets),
      range: (own, other) => {
        const n = last(x.shape)
        const most = n * magnitude(other) * (own.high - own.low + Math.log(n + 1))
        return range(-most, most)
      },
    }
  },
  sparseSoftmaxCrossEntropy: (pool, draw) => {
    const x = pick(pool, draw, (known) => isRowed(known) && last(known.shape) > 0)
    if (x === null) return null
    const [classes, leading] = [last(x.shape), x.shape.slice(0, -1)]
    const fits = ({ shape }: Known): boolean => t.sameShape(shape, leading)
    const labels = indicesBelow(classes, pool, draw, fits) ?? constantIndices(leading, classes, draw)
    return {
      operands: [x],
      call: (logits) => call('sparseSoftmaxCrossEntropy', logits, labels.argument),
      range: (own) => range(0, own.high - own.low + Math.log(classes)),
    }
  },
}
