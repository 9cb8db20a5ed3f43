import { failType, type Padding, type PerAxis } from '@tapeflow/autodiff'
import type { LayerOptions } from './layer-options.ts'

/** A number for each axis, or one for both, out of a file. The layer checks how large. */
export function perAxis(options: LayerOptions, name: string, otherwise?: PerAxis): PerAxis {
  const value = options.data(name, otherwise)
  return isPerAxis(value) ? value : failType('windows', `${name} must be a number or a pair of them`)
}

/** Those of `stride`, `padding`, `dilation` and `groups` that a file has, for images. */
export function windowsOf(options: LayerOptions): {
  stride?: PerAxis
  padding?: Padding
  dilation?: PerAxis
} {
  return {
    ...(options.has('stride') && { stride: perAxis(options, 'stride') }),
    ...(options.has('padding') && { padding: paddingOf(options, isPadding) }),
    ...(options.has('dilation') && { dilation: perAxis(options, 'dilation') }),
  }
}

/** The same for sequences. */
export function windows1dOf(options: LayerOptions): {
  stride?: number
  padding?: 'valid' | 'same' | number | readonly [before: number, after: number]
} {
  return {
    ...(options.has('stride') && { stride: options.number('stride') }),
    ...(options.has('padding') && { padding: paddingOf(options, isPadding1d) }),
  }
}

function paddingOf<T>(options: LayerOptions, is: (value: unknown) => value is T): T {
  const value = options.data('padding')
  return is(value) ? value : failType('windows', "padding must be 'valid', 'same' or numbers")
}

const isPair = (value: unknown): value is readonly [unknown, unknown] =>
  Array.isArray(value) && value.length === 2
const isNumber = (value: unknown): value is number => typeof value === 'number'
const isPerAxis = (value: unknown): value is PerAxis =>
  isNumber(value) || (isPair(value) && value.every(isNumber))
const isPadding = (value: unknown): value is Padding =>
  value === 'valid' || value === 'same' || isNumber(value) || (isPair(value) && value.every(isPerAxis))
const isPadding1d = (
  value: unknown,
): value is 'valid' | 'same' | number | readonly [before: number, after: number] =>
  value === 'valid' || value === 'same' || isPerAxis(value)
