import { sameShape } from '../shape.ts'
import type { Output, Value } from './graph.ts'
import type { Leaf } from './signature.ts'

/**
 * Which donated input each computed output is written over: one of its shape, by preference the one with its path, then the
 * next in order.
 *
 * @param isDonated whether the memory of an input may be written to
 */
export function pair(
  outputs: readonly (Output | null)[],
  leaves: readonly Leaf[],
  isDonated: (leaf: number) => boolean,
): ReadonlyMap<Value, number> {
  const byPath = new Map<string, number>()
  const byShape = new Map<string, number[]>()
  for (const [index, { path, shape }] of leaves.entries()) {
    if (!isDonated(index)) continue
    if (!byPath.has(path)) byPath.set(path, index)
    const text = shape.join()
    const same = byShape.get(text)
    if (same === undefined) byShape.set(text, [index])
    else same.push(index)
  }
  const paired = new Map<Value, number>()
  const taken = new Set<number>()
  const take = (value: Value, leaf: number | undefined): void => {
    if (leaf === undefined || taken.has(leaf) || paired.has(value)) return
    if (!sameShape(leaves[leaf]!.shape, value.shape)) return
    taken.add(leaf)
    paired.set(value, leaf)
  }
  const computed = outputs.filter((output) => output !== null && isComputed(output.value))
  for (const output of computed) take(output!.value, byPath.get(output!.path))
  // `[carry, loss]`: what is carried has its path below the place where it is returned.
  for (const output of computed)
    take(output!.value, byPath.get(output!.path.slice(output!.path.indexOf('.') + 1)))
  for (const output of computed) {
    const { value } = output!
    const same = byShape.get(value.shape.join())
    while (same !== undefined && same.length > 0 && taken.has(same[0]!)) same.shift()
    take(value, same?.[0])
  }
  return paired
}

function isComputed({ root, source }: Value): boolean {
  return source.kind === 'computed' && root.at === 0
}
