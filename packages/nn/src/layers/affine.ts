import { failRange, ones, type Shape, type Tensor, zeros } from '@tapeflow/autodiff'

/** Factors and offsets behind a normalisation: gamma unless `scale` is off, beta unless `center` is. */
export type AffineParams<Center extends boolean = true, Scale extends boolean = true> = (Scale extends true
  ? { readonly gamma: Tensor }
  : unknown) &
  (Center extends true ? { readonly beta: Tensor } : unknown)

/** Which of the two there are, unknown to the type checker. */
export type Affine = { readonly gamma?: Tensor; readonly beta?: Tensor }

/** Ones and zeros, so that a normalisation begins as nothing else. */
export function startOfAffine(shape: Shape, center: boolean, scale: boolean): Affine {
  return { ...(scale && { gamma: ones(shape) }), ...(center && { beta: zeros(shape) }) }
}

/** Checks the number that is added to a variance. */
export function checkEpsilon(operation: string, epsilon: number): void {
  if (epsilon >= 0 && epsilon < Number.POSITIVE_INFINITY) return
  failRange(operation, `epsilon must be finite and not negative, got ${epsilon}`)
}
