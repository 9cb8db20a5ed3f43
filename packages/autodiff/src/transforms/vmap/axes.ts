import { failRange, failType, kindOf } from '../../fail.ts'
import { Key } from '../../key.ts'
import { showShape } from '../../shape.ts'
import { isTensor, type Tensor } from '../../tensor.ts'
import { isPlain, put } from '../../tree.ts'

/**
 * Along which axis the examples of a tree stand: a number for all of its tensors, null where all examples share it, or a tree of
 * those that branches where the other one does.
 */
export type Axes = number | null | readonly Axes[] | { readonly [key: string]: Axes }

/**
 * A copy of a tree with other leaves.
 *
 * @param change is given tensors and keys, with the axis that is meant for them; all other leaves stay
 */
export function mapAxes(
  tree: unknown,
  axes: Axes,
  change: (leaf: Tensor | Key, axis: number | null, path: string) => unknown,
  path: string,
): unknown {
  if (typeof axes !== 'number' && axes !== null && !Array.isArray(axes) && !isPlain(axes)) {
    failType(
      'vmap',
      `an axis must be a number or null, got ${kindOf(axes)} at '${path}'`,
      'pass 0, or null to share',
    )
  }
  if (isTensor(tree) || tree instanceof Key) {
    if (typeof axes === 'number' || axes === null) return change(tree, axes, path)
    return failType('vmap', `axes are a tree where there is one leaf, at '${path}'`, 'pass a number or null')
  }
  const inner = (key: string, child: unknown): unknown => {
    const at = path === '' ? key : `${path}.${key}`
    if (typeof axes === 'number' || axes === null) return mapAxes(child, axes, change, at)
    const found: unknown = Object.hasOwn(axes, key) ? Reflect.get(axes, key) : undefined
    if (found === undefined)
      failType('vmap', `no axis is given for '${at}'`, 'pass a number, or null to share it')
    return mapAxes(child, found as Axes, change, at)
  }
  if (Array.isArray(tree)) return Array.from(tree, (child, i) => inner(`${i}`, child))
  if (!isPlain(tree)) return tree
  const made: Record<string, unknown> = {}
  for (const key of Object.keys(tree)) put(made, key, inner(key, tree[key]))
  return made
}

/** An axis of `x` counted from 0. */
export function checkedAxis(x: Tensor, axis: number, rank: number, path: string): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const what = `the tensor at '${path}' has shape ${showShape(x.shape)}`
    failRange('vmap', `${what}, and no axis ${axis} for examples`, 'pass null to share it')
  }
  return axis < 0 ? axis + rank : axis
}
