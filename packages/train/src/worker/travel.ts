import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { glob, type WatchName } from '../watch.ts'

/** What of a run in a worker travels with its events, beside numbers; a pattern of paths may follow. */
export type TravelName = WatchName | 'weights' | `weights:${string}` | `gradients:${string}` | 'checkpoints'

/** Which paths travel; null for none. */
export type Travels = ((path: string) => boolean) | null

/** What travels. */
export interface Travel {
  readonly weights: Travels
  readonly gradients: Travels
  readonly activations: Travels
  readonly gradientNorm: boolean
  readonly checkpoints: boolean
  /** Tensors of a step travel where its number is a multiple of this. */
  readonly every: number
  /** What was asked for, by name. */
  readonly names: readonly TravelName[]
  /** What the run inside has to watch for that. */
  readonly inside: readonly WatchName[]
}

/**
 * The meaning of `watch` and `every` of `fitInWorker`.
 *
 * @throws RangeError for another name, or `every` that is no integer from 1 on
 * @example
 * const travel = parseTravel(['weights:layers.0.*', 'gradientNorm'], 10)
 * travel.weights?.('layers.0.bias') // => true
 * travel.inside // => ['gradientNorm']
 */
export function parseTravel(names: unknown = [], every: unknown = 1): Travel {
  if (!Array.isArray(names)) {
    failType(
      'fitInWorker',
      `watch must be an array of names, got ${kindOf(names)}`,
      "pass watch: ['weights']",
    )
  }
  if (typeof every !== 'number' || !Number.isSafeInteger(every) || every < 1) {
    failRange('fitInWorker', `every must be an integer from 1 on, got ${String(every)}`)
  }
  const patterns: Readonly<Record<'weights' | 'gradients' | 'activations', RegExp[]>> = {
    weights: [],
    gradients: [],
    activations: [],
  }
  for (const name of names) {
    const [what, pattern] = splitName(name)
    if (what === 'weights' || what === 'gradients' || what === 'activations') {
      patterns[what].push(glob(pattern ?? '**'))
    } else if ((what !== 'gradientNorm' && what !== 'checkpoints') || pattern !== undefined) {
      failRange(
        'fitInWorker',
        `cannot watch '${String(name)}'`,
        "use 'weights', 'gradients', 'activations', each alone or with a pattern of paths (weights:layers.0.*), 'gradientNorm' or 'checkpoints'",
      )
    }
  }
  const gradients = travels(patterns.gradients)
  const gradientNorm = names.includes('gradientNorm')
  return {
    weights: travels(patterns.weights),
    gradients,
    activations: travels(patterns.activations),
    gradientNorm,
    checkpoints: names.includes('checkpoints'),
    every,
    names,
    inside: [
      ...(gradients === null ? [] : ['gradients' as const]),
      ...(gradientNorm ? ['gradientNorm' as const] : []),
      ...names.filter((name): name is WatchName => splitName(name)[0] === 'activations'),
    ],
  }
}

function splitName(name: unknown): readonly [what: string | undefined, pattern: string | undefined] {
  if (typeof name !== 'string') return [undefined, undefined]
  const colon = name.indexOf(':')
  return colon < 0 ? [name, undefined] : [name.slice(0, colon), name.slice(colon + 1)]
}

function travels(patterns: readonly RegExp[]): Travels {
  return patterns.length === 0 ? null : (path) => patterns.some((pattern) => pattern.test(path))
}
