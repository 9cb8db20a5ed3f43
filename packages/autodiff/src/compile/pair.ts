import { sameShape } from '../shape.ts'
import type { Output, Value } from './graph.ts'
import type { Leaf } from './signature.ts'

/**
 * Which donated input each computed output is written over: one of its shape, by preference the one with its path, then the
 * next in order.
 *
 * @param isDonated whether the memory of an input may be written to
 * @param named whether shape alone does not count: who gives an input away then knows by which name it comes back. Arguments
 * that are tensors themselves have no name, and come back in order, where it is clear as what.
 */
export function pair(
  outputs: readonly (Output | null)[],
  leaves: readonly Leaf[],
  isDonated: (leaf: number) => boolean,
  named: boolean,
): ReadonlyMap<Value, number> {
  const byPath = new Map<string, number>()
  const byShape = new Map<string, number[]>()
  for (const [index, { path, shape }] of leaves.entries()) {
    if (!isDonated(index)) continue
    if (!byPath.has(path)) byPath.set(path, index)
    if (named && path !== '') continue
    const text = shape.join()
    const same = byShape.get(text)
    if (same === undefined) byShape.set(text, [index])
    else same.push(index)
  }
  const paired = new Map<Value, number>()
  const taken = new Set<number>()
  // A view of all that was computed stands for that.
  const take = ({ root, shape, size }: Value, leaf: number | undefined): void => {
    if (leaf === undefined || taken.has(leaf) || paired.has(root)) return
    if (root.size !== size || !sameShape(leaves[leaf]!.shape, shape)) return
    taken.add(leaf)
    paired.set(root, leaf)
  }
  const computed = outputs.filter((output): output is Output => output?.value.source.kind === 'computed')
  for (const { value, path } of computed) take(value, byPath.get(path))
  // `[carry, loss]`: what is carried has its path below the place where it is returned.
  for (const { value, path } of computed) take(value, byPath.get(path.slice(path.indexOf('.') + 1)))
  for (const { value } of named ? clear(computed, byShape) : computed) {
    const same = byShape.get(value.shape.join())
    while (same !== undefined && same.length > 0 && taken.has(same[0]!)) same.shift()
    take(value, same?.[0])
  }
  return paired
}

/** The outputs that are returned side by side, where there are no more of their shape than inputs. */
function clear(
  outputs: readonly Output[],
  byShape: ReadonlyMap<string, readonly number[]>,
): readonly Output[] {
  const besides = outputs.filter(({ path }) => !path.includes('.'))
  const counts = new Map<string, number>()
  for (const { value } of besides) {
    const text = value.shape.join()
    counts.set(text, (counts.get(text) ?? 0) + 1)
  }
  return besides.filter(({ value }) => {
    const text = value.shape.join()
    return counts.get(text)! <= (byShape.get(text)?.length ?? 0)
  })
}
