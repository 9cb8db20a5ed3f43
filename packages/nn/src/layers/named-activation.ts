import type { Tensor } from '@tapeflow/autodiff'

/** Functions that a layer takes for its activation, by the name that a file gives them. */
export type NamedActivations = { readonly [name: string]: (x: Tensor) => Tensor }

/** What a file says of an activation: null where it is a function of the user's, which cannot be written down. */
export function namedActivation(
  f: (x: Tensor) => Tensor,
  known: NamedActivations,
): { readonly activation: string } | null {
  const found = Object.entries(known).find(([, one]) => one === f)
  return found === undefined ? null : { activation: found[0] }
}
