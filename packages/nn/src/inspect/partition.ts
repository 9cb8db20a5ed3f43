import { failRange, isTensor, Key, mapTree, Tensor } from '@tapeflow/autodiff'

/** A tree like `P` in which null may stand in the place of a tensor. */
export type Gapped<P> = P extends Tensor
  ? Tensor | null
  : P extends Key | number | null
    ? P
    : { [K in keyof P]: Gapped<P[K]> }

/** A tree in two: what was chosen, and the others. */
export interface Partition<P> {
  readonly chosen: Gapped<P>
  readonly others: Gapped<P>
}

/**
 * A tree in two, both of its structure: the tensors that are chosen by their paths, with null in the place of the others, and the
 * other way round. What is no tensor stays in both. The tensors are the same ones; `merge` puts them together again.
 *
 * Gradients and an optimizer that know one of the two leave the other bit for bit as it is, with no slots for it.
 *
 * @param tree parameters, such as a layer's
 * @param isChosen is asked for each tensor's path: `layers.0.weight`
 * @example
 * const { params, state } = sequential(linear(2, 2), linear(2, 1)).init(t.key(1), [2])
 * const { chosen, others } = partition(params, (path) => path.startsWith('layers.0.'))
 * t.paths(chosen) // => ['layers.0.bias', 'layers.0.weight']
 * t.paths(others) // => ['layers.1.bias', 'layers.1.weight']
 * t.paths(merge(chosen, others)) // => t.paths(params)
 */
export function partition<P>(tree: P, isChosen: (path: string) => boolean): Partition<P> {
  const where = (wanted: boolean): Gapped<P> =>
    // The same structure, with null where there is a tensor: that is a Gapped<P>.
    mapTree(tree, (leaf, path) => (isTensor(leaf) && isChosen(path) !== wanted ? null : leaf)) as Gapped<P>
  return { chosen: where(true), others: where(false) }
}

/**
 * The tree of which `partition` made two: from either the tensors that the other lacks.
 *
 * @throws RangeError where both have a tensor, or the two are not of one structure: names the path
 * @example
 * merge({ a: t.tensor(1), b: null }, { a: null, b: t.tensor(2) }).b.item() // => 2
 */
export function merge<P>(first: Gapped<P>, second: Gapped<P>): P {
  return merged(first, second, []) as P
}

function merged(first: unknown, second: unknown, path: readonly string[]): unknown {
  if (first === null || second === null) return first ?? second
  const remedy = 'pass what partition made'
  const place = path.length === 0 ? 'the root' : `'${path.join('.')}'`
  if (isTensor(first) && isTensor(second)) failRange('merge', `both trees have a tensor at ${place}`, remedy)
  const inner = (key: string | number, one: unknown, other: unknown): unknown =>
    merged(one, other, [...path, `${key}`])
  if (Array.isArray(first) && Array.isArray(second)) {
    if (first.length === second.length) return first.map((part: unknown, i) => inner(i, part, second[i]))
  } else if (isObject(first) && isObject(second)) {
    const keys = Object.keys(first)
    if (sameKeys(keys, Object.keys(second)))
      return Object.fromEntries(keys.map((key) => [key, inner(key, first[key], second[key])]))
  } else if (!isObject(first) && !isObject(second)) return first
  return failRange('merge', `the trees differ at ${place}`, remedy)
}

function sameKeys(keys: readonly string[], others: readonly string[]): boolean {
  return keys.length === others.length && keys.every((key) => others.includes(key))
}

function isObject(tree: unknown): tree is { readonly [key: string]: unknown } {
  return typeof tree === 'object' && tree !== null && !(tree instanceof Tensor) && !(tree instanceof Key)
}
