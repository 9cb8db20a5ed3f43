import { failRange, failType, kindOf } from '@tapeflow/autodiff'

/** What the option `watch` may ask for; `activations:` is followed by a pattern of layer paths. */
export type WatchName = 'gradients' | 'gradientNorm' | 'activations' | `activations:${string}`

/** What a run keeps for its step events beside the weights. */
export interface Watch {
  readonly gradients: boolean
  readonly gradientNorm: boolean
  /** Whether the output of the layer at `path` is kept; null where no activation is. */
  readonly activations: ((path: string) => boolean) | null
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
