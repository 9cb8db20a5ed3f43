import {
  failRange,
  failType,
  isTensor,
  kindOf,
  mapTensors,
  mapTree,
  paths,
  type Tensor,
  visitLeaves,
} from '@tapeflow/autodiff'

/** Whether a leaf at a path is chosen: `(path) => path.endsWith('weight')`. */
export type PathPredicate = (path: string) => boolean

/** Refuses what is no predicate of paths. */
export function checkPredicate(operation: string, name: string, at: unknown): asserts at is PathPredicate {
  if (typeof at === 'function') return
  failType(
    operation,
    `${name} must be a function of paths, got ${kindOf(at)}`,
    "pass (path) => path.endsWith('weight')",
  )
}

/** Refuses a predicate that chooses none of a tree's leaves: mostly a path is misspelled. */
export function checkChoosesSome(operation: string, name: string, at: PathPredicate, tree: unknown): void {
  const known = paths(tree)
  if (known.some(at)) return
  failRange(operation, `${name} is on no leaf`, `there are ${known.join(', ') || 'no tensors'}`)
}

/** The tree with null for the tensors whose paths are not chosen. */
export function leavesAt<P>(tree: P, at: PathPredicate): P {
  // Rules pass null over, as any leaf that is no tensor: for what they do it is a P.
  return mapTree(tree, (leaf, path) => (isTensor(leaf) && !at(path) ? null : leaf)) as P
}

/** The tree with those tensors replaced that `made`, a tree like it but for nulls, has one for. */
export function withLeavesOf<P>(tree: P, made: unknown): P {
  const found = new Map<string, Tensor>()
  visitLeaves(made, (leaf, path) => {
    if (isTensor(leaf)) found.set(path, leaf)
  })
  return mapLeaves(tree, (x, path) => found.get(path) ?? x)
}

/** The tree with every tensor replaced by one. */
export function mapLeaves<P>(tree: P, change: (x: Tensor, path: string) => Tensor): P {
  // A tensor in place of each tensor: still a P.
  return mapTensors(tree, change) as P
}
