import { Key, key, type Snapshot } from '@tapeflow/autodiff'
import type { TrainCommand } from '../commands.ts'

/** Whether something stands in the place of a tensor. */
export function isCopied(value: unknown): value is Snapshot {
  return (
    typeof value === 'object' && value !== null && 'values' in value && value.values instanceof Float32Array
  )
}

/** Where the copies of tensors are in a tree, keys in sorted order: as `paths` says of the tensors themselves. */
export function copiedPaths(tree: unknown, path = ''): string[] {
  if (isCopied(tree)) return [path]
  if (typeof tree !== 'object' || tree === null) return []
  const within = (key: string): string => (path === '' ? key : `${path}.${key}`)
  const keys = Array.isArray(tree) ? Object.keys(tree) : Object.keys(tree).sort()
  return keys.flatMap((key) => copiedPaths(Reflect.get(tree, key), within(key)))
}

/** What stands in trees that travel: copies of tensors, and keys, which are words on their way: a clone has no class. */
export type CopiedLeaf = Snapshot | Key | Uint32Array

/** A tree with others in the place of these leaves. */
export function mapCopied(tree: unknown, replace: (leaf: CopiedLeaf) => unknown): unknown {
  if (isCopied(tree) || tree instanceof Key || tree instanceof Uint32Array) return replace(tree)
  if (typeof tree !== 'object' || tree === null) return tree
  if (Array.isArray(tree)) return tree.map((inner) => mapCopied(inner, replace))
  return Object.fromEntries(Object.entries(tree).map(([name, inner]) => [name, mapCopied(inner, replace)]))
}

/** Before the way. */
export function keyToWords(leaf: CopiedLeaf): CopiedLeaf {
  return leaf instanceof Key ? Uint32Array.of(leaf.high, leaf.low) : leaf
}

/** After it. */
export function wordsToKey(leaf: CopiedLeaf): Snapshot | Key {
  return leaf instanceof Uint32Array ? key([leaf[0]!, leaf[1]!]) : leaf
}

/** A snapshot of a run or of its parameters, before or after its way. */
export function mapRun<R extends object>(run: R, replace: (leaf: CopiedLeaf) => CopiedLeaf): R {
  const trees = Object.entries(run).filter(([name]) => ['params', 'state', 'slots'].includes(name))
  return { ...run, ...Object.fromEntries(trees.map(([name, tree]) => [name, mapCopied(tree, replace)])) }
}

/** A command, likewise: there may be a snapshot in it. */
export function mapCommand<C extends TrainCommand | null | undefined>(
  command: C,
  replace: (leaf: CopiedLeaf) => CopiedLeaf,
): C {
  if (command?.type !== 'restore' || typeof command.from !== 'object' || command.from === null) return command
  return { ...command, from: mapRun(command.from, replace) } as C
}
