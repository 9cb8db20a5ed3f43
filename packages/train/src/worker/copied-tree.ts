import type { Snapshot } from '@tapeflow/autodiff'

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
