import { failRange, failType, kindOf } from './fail.ts'
import type { Values } from './operation.ts'
import type { Tensor } from './tensor.ts'

/** The number below the root, rounded as a tensor would hold it. */
export function checkEpsilon(operation: string, epsilon: unknown): number {
  if (typeof epsilon !== 'number') failType(operation, `epsilon must be a number, got ${kindOf(epsilon)}`)
  if (!(epsilon >= 0 && epsilon < Number.POSITIVE_INFINITY))
    failRange(operation, `epsilon must be finite and not negative, got ${epsilon}`, 'pass 1e-5')
  return Math.fround(epsilon)
}

/** What of [x, gamma?, beta?] is given. */
export function affine<X>(
  [, first, second]: readonly X[],
  attributes: { readonly gamma: boolean; readonly beta: boolean },
): { gamma: X | undefined; beta: X | undefined } {
  const { gamma, beta } = attributes
  return { gamma: gamma ? first : undefined, beta: beta ? (gamma ? second : first) : undefined }
}

/** Where a tensor begins, 0 for none. */
export const offsetOf = (x: Tensor | undefined): number => (x === undefined ? 0 : x.offset)

/**
 * What rounding errors of a normalised tensor are relative to: to itself without beta, and to 1, its standard deviation. Of subnormal
 * numbers rounding may leave 0 or not, which with an infinite factor is NaN or infinite: nothing can be said.
 */
export function normalizedScale([x, ...further]: readonly Values[], output: ArrayLike<number>): number[] {
  const isSubnormal = (value: number): boolean => value !== 0 && Math.abs(value) < 2 ** -126
  const mayVanish = Array.from(x!.values).some(isSubnormal)
  const isInfinite = (j: number): boolean =>
    further.some(({ values }) => Math.abs(values[j % values.length]!) === Number.POSITIVE_INFINITY)
  let most = 1
  for (const { values } of further)
    for (const value of Array.from(values)) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value))
  return Array.from(output, (value, j) =>
    mayVanish && isInfinite(j) ? Number.NEGATIVE_INFINITY : Math.abs(value) + 2 * most,
  )
}
