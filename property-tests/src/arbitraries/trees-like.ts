import { leaves, mapTensors, paths, type Replaced, type Snapshot } from '@tapeflow/autodiff'
import type { Domain } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { tensors } from './tensors.ts'

/** Where the numbers of a tree lie. */
export interface TreesLikeOptions {
  /** The domain of the tensor at a path; between -3 and 3 by default. */
  readonly within?: (path: string) => Domain
}

/**
 * Trees of the structure and shapes of another one, with other numbers, as plain data: parameters of a layer, slots of an
 * optimizer. Keys, numbers and null stay as they are.
 *
 * @param tree any tree of tensors; only its shapes are looked at
 * @param options.within the domain of the tensor at a path
 * @example
 * const params = { weight: t.zeros([3, 2]), bias: t.zeros([2]) }
 * const [drawn] = fc.sample(treesLike(params), 1)
 * drawn.weight.shape // => [3, 2]
 * drawn.bias.values.length // => 2
 */
export function treesLike<P>(tree: P, options: TreesLikeOptions = {}): fc.Arbitrary<Replaced<P, Snapshot>> {
  const { within = () => ({ low: -3, high: 3 }) } = options
  const names = paths(tree)
  const drawn = leaves(tree).map(({ shape }, i) => tensors({ shape, domain: within(names[i]!) }))
  return fc.tuple(...drawn).map((plain) => {
    let next = 0
    return mapTensors<P, Snapshot>(tree, () => plain[next++]!)
  })
}
