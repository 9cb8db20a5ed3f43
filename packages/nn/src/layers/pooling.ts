import * as t from '@tapeflow/autodiff'
import type { ConfigValue, SizePreserving } from '../layer.ts'
import { checkCounts, checkPlaces, checkSamples } from './samples.ts'

/** How windows slide over sequences. */
export interface Pool1dOptions {
  /** How far apart windows are; as far as they are long by default. */
  readonly stride?: number
  /** 'valid' (none, the default), 'same', or how much: on both sides, or [before, after]; smaller than the window. */
  readonly padding?: 'valid' | 'same' | number | readonly [before: number, after: number]
}

/** A layer without parameters that makes fewer places of many, channel by channel: y = pool(x). */
export function pooling(
  operation: string,
  axes: readonly string[],
  options: { readonly [option: string]: ConfigValue },
  pool: (x: t.Tensor) => t.Tensor,
): SizePreserving<null, null> {
  const samples = { operation, axes }
  return {
    name: operation,
    config: { type: operation, ...options },
    init: (_key, inputShape) => {
      checkSamples(samples, inputShape)
      return { params: null, state: null, outputShape: t.evalShape(pool, [1, ...inputShape]).slice(1) }
    },
    apply: (_params, state, x, ctx) => {
      checkSamples(samples, x.shape, ctx)
      return { y: t.scope(() => pool(x)), state }
    },
  }
}

/** The layer that pools sequences as images one row high, on the same memory. */
export function pooling1d(
  operation: string,
  size: number,
  { stride = size, padding = 'valid', ...others }: Pool1dOptions & { readonly [option: string]: ConfigValue },
  pool: (x: t.Tensor, size: t.PerAxis, options: t.PoolOptions) => t.Tensor,
): SizePreserving<null, null> {
  checkCounts(operation, { size, stride })
  const along: t.Padding = typeof padding === 'string' ? padding : [0, padding]
  return pooling(operation, ['length'], { size, stride, padding, ...others }, (x) => {
    const [rows, length, channels] = x.shape as [number, number, number]
    const images = t.reshape(x, [rows, 1, length, channels])
    const y = pool(images, [1, size], { stride: [1, stride], padding: along })
    return t.reshape(y, [rows, y.shape[2]!, channels])
  })
}

/** The layer that makes one place of all there are, in sequences, images or volumes. */
export function globalPooling(
  operation: string,
  reduce: (x: t.Tensor, options: { readonly axis: readonly number[] }) => t.Tensor,
): SizePreserving<null, null> {
  return {
    name: operation,
    config: { type: operation },
    init: (_key, inputShape) => {
      checkPlaces(operation, inputShape)
      return { params: null, state: null, outputShape: inputShape.slice(-1) }
    },
    apply: (_params, state, x, ctx) => {
      checkPlaces(operation, x.shape, ctx)
      const axis = Array.from({ length: x.rank - 2 }, (_, i) => i + 1)
      return { y: reduce(x, { axis }), state }
    },
  }
}
