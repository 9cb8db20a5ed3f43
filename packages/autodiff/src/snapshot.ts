import type { Key } from './key.ts'
import { checkShape, type Shape } from './shape.ts'
import { type Tensor, tensor } from './tensor.ts'
import { inScope, isPlain, mapTensors, mapTree, type Replaced } from './tree.ts'

/** A tensor's numbers outside of the heap: plain data, garbage collected, safe to keep, post and clone. */
export interface Snapshot {
  readonly shape: Shape
  readonly values: Float32Array<ArrayBuffer>
}

/** A tree whose snapshots have become tensors again. */
export type Restored<S> = S extends Snapshot
  ? Tensor
  : S extends Key | number | null
    ? S
    : { [K in keyof S]: Restored<S[K]> }

/**
 * The tree with every tensor copied out of the heap into `{ shape, values }`.
 *
 * @example
 * t.toSnapshot({ w: t.tensor([1, 2]) }) // => { w: { shape: [2], values: new Float32Array([1, 2]) } }
 */
export function toSnapshot<P>(tree: P): Replaced<P, Snapshot> {
  return mapTensors<P, Snapshot>(tree, (x) => ({ shape: x.shape, values: x.toFloat32Array() }))
}

/**
 * The tree with every `{ shape, values }` made a tensor again.
 *
 * @throws RangeError where the values do not fit the shape
 * @example
 * const saved = t.toSnapshot([t.tensor([[1, 2]])])
 * t.fromSnapshot(saved)[0].toArray() // => [[1, 2]]
 */
export function fromSnapshot<S>(snapshot: S): Restored<S> {
  return inScope(() => restore(snapshot)) as Restored<S>
}

function restore(tree: unknown, path = ''): unknown {
  if (isSnapshot(tree)) return tensor(tree.values, checkShape('fromSnapshot', tree.shape))
  const within = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)
  if (Array.isArray(tree)) return Array.from(tree, (inner, i) => restore(inner, within(i)))
  if (isPlain(tree)) {
    return Object.fromEntries(Object.entries(tree).map(([key, inner]) => [key, restore(inner, within(key))]))
  }
  return mapTree(tree, (leaf) => leaf, path)
}

function isSnapshot(tree: unknown): tree is Snapshot {
  return (
    typeof tree === 'object' &&
    tree !== null &&
    'shape' in tree &&
    'values' in tree &&
    tree.values instanceof Float32Array
  )
}
