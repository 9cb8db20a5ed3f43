import type { Key, Snapshot } from '@tapeflow/autodiff'
import fc from 'fast-check'
import { tensors } from './tensors.ts'

/** A tree whose tensors are plain data: what `toSnapshot` returns, and what laws take. */
export type SnapshotTree =
  | Snapshot
  | Key
  | number
  | null
  | readonly SnapshotTree[]
  | { readonly [key: string]: SnapshotTree }

/**
 * Trees like those of parameters: plain objects and arrays, up to three deep, that end in `leaf`. They shrink to one leaf.
 *
 * @param leaf an arbitrary of leaves; small tensors by default
 * @example
 * const sumOfSquares = (tree) => t.leaves(tree).map((x) => t.sum(t.square(x))).reduce(t.add, t.tensor(0))
 * fc.assert(gradientIsCorrect(sumOfSquares, trees()), { numRuns: 5 })
 */
export function trees(
  leaf: fc.Arbitrary<SnapshotTree> = tensors({ shape: [3] }),
): fc.Arbitrary<SnapshotTree> {
  const names = fc.constantFrom('weight', 'bias', 'layers', '0', 'a b')
  const deeper = (inner: fc.Arbitrary<SnapshotTree>): fc.Arbitrary<SnapshotTree> =>
    fc.oneof(
      { withCrossShrink: true },
      leaf,
      fc.array(inner, { maxLength: 3 }),
      fc.dictionary(names, inner, { maxKeys: 3, noNullPrototype: true }),
    )
  return deeper(deeper(leaf))
}
