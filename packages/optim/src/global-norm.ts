import { leaves, norm, stack, type Tensor, tensor } from '@tapeflow/autodiff'

/** The length of a tree as one vector: a scalar, 0 where it has no tensors. */
export function globalNorm(tree: unknown): Tensor {
  const lengths = leaves(tree).map((x) => norm(x))
  return lengths.length === 0 ? tensor(0) : norm(stack(lengths))
}
