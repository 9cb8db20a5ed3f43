import { leaves, type Tensor, type Tree } from '@tapeflow/autodiff'
import { referenceValues, type Values } from '@tapeflow/autodiff/testing'

/** What `f` returns, in float64, where its inputs have gone `by` times the direction. */
function moved<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  direction: readonly Tensor[],
  by: number,
): readonly Values[] {
  const at = leaves(inputs).map((x, i): Values => {
    const d = direction[i]!.toFloat32Array()
    return { shape: x.shape, values: Float64Array.from(x.toFloat32Array(), (value, j) => value + by * d[j]!) }
  })
  return referenceValues(f, inputs, at)
}

/** How each output of `f` changes along a direction: central differences of the float64 references. */
export function differencesAlong<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  direction: readonly Tensor[],
  step: number,
): readonly (readonly number[])[] {
  const above = moved(f, inputs, direction, step)
  const below = moved(f, inputs, direction, -step)
  return above.map(({ values }, i) =>
    Array.from(values, (up, j) => {
      const down = below[i]!.values[j]!
      // What stays infinite, or NaN, does not move.
      return Object.is(up, down) ? 0 : (up - down) / (2 * step)
    }),
  )
}

/** The products of two lists of tensors' numbers, one by one. */
export function products(
  a: readonly ArrayLike<number>[],
  b: readonly ArrayLike<number>[],
): readonly number[] {
  return a.flatMap((values, i) => Array.from(values, (x, j) => x * b[i]![j]!))
}

export const total = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0)
