import { norm, type Tensor } from '@tapeflow/autodiff'

/** What weights are made into: another tensor of the same shape. */
export type Constraint = (weights: Tensor) => Tensor

/** Which weights belong together. */
export interface NormAxes {
  /** All but the last by default: what comes into each unit. Of weights of one axis, that one. */
  readonly axis?: number | readonly number[]
}

/** The length of the weights that belong together, reduced axes kept with size 1. */
export function lengths(weights: Tensor, { axis }: NormAxes): Tensor {
  const incoming = weights.shape.map((_, i) => i).slice(0, Math.max(1, weights.rank - 1))
  return norm(weights, { axis: axis ?? incoming, keepDims: true })
}
