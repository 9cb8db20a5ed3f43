import { failRange, failType, kindOf } from '@tapeflow/autodiff'

/** What the option `watch` may ask for; `activations:` is followed by a pattern of layer paths. */
export type WatchName = 'gradients' | 'gradientNorm' | 'activations' | `activations:${string}`

/** What a run keeps for its step events beside the weights. */
export interface Watch {
  readonly gradients: boolean
  readonly gradientNorm: boolean
  /** Whether the output of the layer at `path` is kept; null where no activation is. */
  readonly activations: ((path: string) => boolean) | null
  /** The names themselves. */
  readonly names: readonly string[]
}

/**
 * The meaning of the option `watch`.
 *
 * @param names `['gradients', 'gradientNorm', 'activations:layers.*']`: `*` stands for one part of a path, `**` for any
 * @throws RangeError for another name
 * @example
 * const watch = parseWatch(['activations:layers.*'])
 * watch.activations?.('layers.0') // => true
 * watch.activations?.('layers.0.inner') // => false
 */
export function parseWatch(names: unknown = []): Watch {
  if (!Array.isArray(names)) {
    failType('fit', `watch must be an array of names, got ${kindOf(names)}`, "pass watch: ['gradients']")
  }
  const patterns: RegExp[] = []
  for (const name of names) {
    if (name === 'activations') patterns.push(glob('**'))
    else if (typeof name === 'string' && name.startsWith('activations:')) patterns.push(glob(name.slice(12)))
    else if (name !== 'gradients' && name !== 'gradientNorm') {
      failRange(
        'fit',
        `cannot watch '${String(name)}'`,
        "use 'gradients', 'gradientNorm' or 'activations:**'",
      )
    }
  }
  return {
    gradients: names.includes('gradients'),
    gradientNorm: names.includes('gradientNorm'),
    activations: patterns.length === 0 ? null : (path) => patterns.some((pattern) => pattern.test(path)),
    names,
  }
}

/**
 * Throws where a name such as `activations:layers.0` is of nothing that there is; `**` is of all, be it none.
 *
 * @param names of which those are looked at that begin with `prefix` and a colon
 * @param paths what there is
 * @throws RangeError: names the pattern, and what there is
 */
export function requireMatches(
  operation: string,
  names: readonly string[],
  prefix: string,
  paths: readonly string[],
): void {
  for (const name of names) {
    if (!name.startsWith(`${prefix}:`)) continue
    const pattern = name.slice(prefix.length + 1)
    if (pattern === '**' || paths.some((path) => glob(pattern).test(path))) continue
    const there = paths.length === 0 ? 'there is nothing to match' : `use one of ${paths.join(', ')}`
    failRange(operation, `nothing matches '${name}' in watch`, there)
  }
}

/**
 * A pattern of paths: `*` stands for one part of a path, `**` for any.
 *
 * @example
 * glob('layers.*.weight').test('layers.0.weight') // => true
 */
export function glob(pattern: string): RegExp {
  const source = pattern
    .split('**')
    .map((part) => part.split('*').map(escaped).join('[^.]*'))
    .join('.*')
  return new RegExp(`^${source}$`)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')
}
