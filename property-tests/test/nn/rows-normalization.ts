import { batchNorm, groupNorm, layerNorm, linear, prelu, rmsNorm, sequential, tanh } from '@tapeflow/nn'
import type { LayerRow } from './layer-row.ts'

type Reference = NonNullable<LayerRow['reference']>

type Affine = { readonly gamma?: unknown; readonly beta?: unknown }

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length

/** Numbers that share a name, each normalised by the mean and the variance of those. */
function normalizedBy(name: (i: number) => string, x: readonly number[], epsilon = 1e-5): readonly number[] {
  const families = new Map<string, number[]>()
  for (const [i, value] of x.entries()) families.set(name(i), [...(families.get(name(i)) ?? []), value])
  return x.map((value, i) => {
    const own = families.get(name(i))!
    const variance = mean(own.map((other) => (other - mean(own)) ** 2))
    return (value - mean(own)) / Math.sqrt(variance + epsilon)
  })
}

/** gamma x + beta, of the last axes, which they repeat over. */
function affine({ gamma, beta }: Affine, x: readonly number[]): readonly number[] {
  const [factors, offsets] = [gamma, beta].map((one) => [one].flat(3) as (number | undefined)[])
  return x.map(
    (value, i) => value * (factors![i % factors!.length] ?? 1) + (offsets![i % offsets!.length] ?? 0),
  )
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

const layerNormOver =
  (axes: number): Reference =>
  (params, x, shape) => {
    const size = sizeOf(shape.slice(-axes))
    return affine(
      params as Affine,
      normalizedBy((i) => `${Math.floor(i / size)}`, x),
    )
  }

const groupNormOf =
  (groups: number): Reference =>
  (params, x, shape) => {
    const channels = shape[shape.length - 1]!
    const sample = sizeOf(shape.slice(1))
    const group = (i: number): number => Math.floor((i % channels) / (channels / groups))
    return affine(
      params as Affine,
      normalizedBy((i) => `${Math.floor(i / sample)} ${group(i)}`, x),
    )
  }

const rmsNormRows: Reference = (params, x, shape) => {
  const size = shape[shape.length - 1]!
  const divided = x.map((value, i) => {
    const own = x.slice(i - (i % size), i - (i % size) + size)
    return value / Math.sqrt(mean(own.map((one) => one * one)) + 1e-5)
  })
  return affine(params as Affine, divided)
}

const preluRows: Reference = (params, x) => {
  const slopes = [(params as { slope: number | readonly number[] }).slope].flat()
  return x.map((value, i) => Math.max(0, value) + slopes[i % slopes.length]! * Math.min(0, value))
}

/** Normalisations of samples, and slopes that are trained. */
export const rows: readonly LayerRow[] = [
  { name: 'layerNorm', layer: layerNorm(), sample: [5], reference: layerNormOver(1) },
  { name: 'layerNorm of sequences', layer: layerNorm(), sample: [2, 4], reference: layerNormOver(1) },
  {
    name: 'layerNorm over two axes',
    layer: layerNorm({ axes: 2 }),
    sample: [2, 3],
    reference: layerNormOver(2),
  },
  {
    name: 'layerNorm without beta',
    layer: layerNorm({ center: false }),
    sample: [4],
    reference: layerNormOver(1),
  },
  {
    name: 'layerNorm without parameters',
    layer: layerNorm({ center: false, scale: false }),
    sample: [4],
    reference: layerNormOver(1),
  },
  { name: 'groupNorm of images', layer: groupNorm(2), sample: [2, 3, 4], reference: groupNormOf(2) },
  { name: 'groupNorm of features', layer: groupNorm(2), sample: [6], reference: groupNormOf(2) },
  { name: 'groupNorm, one group', layer: groupNorm(1), sample: [2, 3], reference: groupNormOf(1) },
  {
    name: 'groupNorm, as many groups as channels, without gamma',
    layer: groupNorm(2, { scale: false }),
    sample: [3, 2],
    reference: groupNormOf(2),
  },
  { name: 'rmsNorm', layer: rmsNorm(), sample: [5], reference: rmsNormRows },
  { name: 'rmsNorm without gamma', layer: rmsNorm({ scale: false }), sample: [2, 3], reference: rmsNormRows },
  { name: 'prelu', layer: prelu(), sample: [4], reference: preluRows },
  { name: 'prelu of images', layer: prelu({ initial: -0.5 }), sample: [2, 2, 3], reference: preluRows },
  { name: 'prelu, one slope', layer: prelu({ shared: true }), sample: [2, 3], reference: preluRows },
  {
    name: 'batchNorm before the activation',
    layer: sequential(linear(3, 4), batchNorm(), tanh(), linear(4, 2)),
    sample: [3],
    rowsMix: true,
  },
  {
    name: 'batchNorm after the activation',
    layer: sequential(linear(3, 4), tanh(), batchNorm(), linear(4, 2)),
    sample: [3],
    rowsMix: true,
  },
]
