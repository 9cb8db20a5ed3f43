import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose, type Finding } from './diagnose.ts'
import { layerWeights } from './layer-norms.ts'
import { median, shown, Window } from './window.ts'

/** What `updateRatio` takes. */
export interface UpdateRatioOptions {
  /** The least ratio; 1e-4 by default. */
  readonly lowest?: number
  /** The largest ratio; 1e-2 by default. */
  readonly highest?: number
  /** Weights are compared after the steps whose number it divides and after the next ones; 100 by default. */
  readonly every?: number
  /** The median of so many comparisons decides; 3 by default. */
  readonly window?: number
  /** Which layers; all that have weights by default. */
  readonly layers?: readonly string[]
}

/**
 * An operator that tells when a layer's weights are changed too little or too much by a step: the norm of the update over that of
 * the weights is outside of `lowest` to `highest`. Weights are copied after two steps in a row, of each `every`. Layers that were not
 * changed at all (frozen ones) and those that are all 0 are left out. `watch` needs nothing.
 *
 *     ratio   1e-3  1e-3  0.5  0.5  1e-3  1e-3
 *     emits                    d                     window: 3
 *
 * A rule of thumb: a ratio of about 1e-3 is usual. A run that has converged, or whose schedule ends at 0, falls below it and is well.
 *
 * @throws RangeError for options out of range, or, as the stream's error, for layers that have no weights, and where a worker's steps
 * come without them (`every` of `fitInWorker`)
 * @example
 * const at = (step, value) => ({ type: 'step', step, epoch: 0, weights: { tree: { layers: [{ weight: tensor([[value]]) }] } } })
 * const found = []
 * of(at(0, 1), at(1, 1.5)).pipe(updateRatio({ window: 1 })).subscribe(({ path, value }) => found.push([path, value]))
 * found // => [['layers.0', 0.5]]
 *
 * The course CS231n, Neural networks part 3: babysitting the learning process.
 */
export function updateRatio(options: UpdateRatioOptions = {}): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const {
    lowest = 1e-4,
    highest = 1e-2,
    every = 100,
    window = 3,
    layers,
  } = knownOptions('updateRatio', options, 'lowest highest every window layers')
  requireNumbers('updateRatio', { lowest, highest })
  requireNumbers('updateRatio', { lowest }, highest)
  requireCounts('updateRatio', { every, window })
  return diagnose({
    name: 'updateRatio',
    looksAt: ['step'],
    isDue: (step) => step % every === 0 || step % every === 1,
    comparesSteps: true,
    calm: window,
    begin: () => {
      const ratios = new Map<string, Window>()
      let kept: { readonly step: number; readonly copies: Map<string, readonly Float32Array[]> } | null = null

      const judge = (path: string, ratio: number): readonly Finding[] => {
        const of = ratios.get(path) ?? new Window(window)
        ratios.set(path, of)
        of.push(ratio)
        if (!of.isFull) return []
        const value = median(of.values)
        const seen = `a step changes the weights of ${path} by ${shown(value)} of themselves`
        const about = { path, value }
        return [
          {
            ...about,
            kind: 'low',
            threshold: lowest,
            ill: value < lowest,
            advice: () =>
              `${seen}, which is little: try a higher learning rate, or look for vanishingGradient.`,
          },
          {
            ...about,
            kind: 'high',
            threshold: highest,
            ill: value > highest,
            advice: () =>
              `${seen}, which is much: try a lower learning rate, lrWarmup or clipByGlobalNorm(1).`,
          },
        ]
      }
      return ({ step, weights }) => {
        const copies = new Map(
          layerWeights('updateRatio', weights.tree, layers).map(
            ({ path, tensors }) => [path, tensors.map((x) => x.toFloat32Array())] as const,
          ),
        )
        const before = kept
        kept = { step, copies }
        if (before?.step !== step - 1) return []
        return [...copies].flatMap(([path, now]) => {
          const ratio = relativeChange(before.copies.get(path)!, now)
          return ratio > 0 && ratio < Number.POSITIVE_INFINITY ? judge(path, ratio) : []
        })
      }
    },
  })
}

/** The norm of what changed over the norm of what was there. */
function relativeChange(before: readonly Float32Array[], now: readonly Float32Array[]): number {
  let changed = 0
  let size = 0
  for (let k = 0; k < now.length; k++) {
    const [was, is] = [before[k]!, now[k]!]
    for (let i = 0; i < is.length; i++) {
      changed += (is[i]! - was[i]!) ** 2
      size += was[i]! ** 2
    }
  }
  return Math.sqrt(changed / size)
}
