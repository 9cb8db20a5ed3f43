import { fromSnapshot, type Restored, scope, type Tree } from '@tapeflow/autodiff'
import fc from 'fast-check'
import type { SnapshotTree } from './arbitraries/trees.ts'

/** What a law's function gets: the plain data with tensors made of it; any tree where that is all that is known. */
export type Inputs<S> = SnapshotTree extends S ? Tree : Restored<S>

/** What laws return: a property for `fc.assert`. */
export type Law<S> = fc.IPropertyWithHooks<[inputs: S]>

/**
 * The property that `check` throws for no inputs of an arbitrary: tensors are made of the plain data, and freed after.
 *
 * @param arbitrary makes trees whose tensors are plain data, `{ shape, values }`
 * @param check throws where the law is broken
 * @example
 * const law = holds(tensors({ shape: [2] }), (x) => expect(t.sub(x, x).toArray()).toEqual([0, 0]))
 * fc.assert(law, { numRuns: 5 })
 */
export function holds<S>(arbitrary: fc.Arbitrary<S>, check: (inputs: Inputs<S>) => void): Law<S> {
  return fc.property(arbitrary, (plain) => {
    scope(() => check(fromSnapshot<unknown>(plain) as Inputs<S>))
  })
}
