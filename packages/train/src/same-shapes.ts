import { failRange, leaves, paths, showShape } from '@tapeflow/autodiff'

/** The shape of each tensor in a tree by its path, as text. */
export function shapesByPath(tree: unknown): ReadonlyMap<string, string> {
  const tensors = leaves(tree)
  return new Map(paths(tree).map((path, i) => [path, showShape(tensors[i]!.shape)]))
}

/**
 * Throws a RangeError that names the first path where shapes differ.
 *
 * @param words who has which: `{ given: 'the snapshot to restore has', wanted: 'the run has' }`
 */
export function requireSameShapes(
  operation: string,
  given: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
  words: { readonly given: string; readonly wanted: string; readonly remedy: string },
): void {
  for (const path of new Set([...wanted.keys(), ...given.keys()])) {
    const [got, want] = [given.get(path) ?? 'nothing', wanted.get(path) ?? 'nothing']
    if (got === want) continue
    failRange(operation, `${words.given} ${got} at '${path}', ${words.wanted} ${want}`, words.remedy)
  }
}
