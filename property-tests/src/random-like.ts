import { foldIn, key, leaves, normal, type Tensor } from '@tapeflow/autodiff'

/**
 * Normal random numbers in the shapes of a tree's tensors: a cotangent, or a direction. The same each time.
 *
 * @param tree any tree of tensors
 * @param seed another seed gives others
 * @returns one tensor for each tensor of the tree, in the order of `leaves`
 * @example
 * randomLike({ w: t.ones([2, 3]), b: t.ones([3]) }, 1).map((x) => x.shape) // => [[3], [2, 3]]
 */
export function randomLike(tree: unknown, seed: number): Tensor[] {
  return leaves(tree).map((x, i) => normal(foldIn(key(seed), i), x.shape))
}
