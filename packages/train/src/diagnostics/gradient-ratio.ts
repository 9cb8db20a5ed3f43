import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose } from './diagnose.ts'
import { layerWeights, rootMeanSquare } from './layer-norms.ts'
import { median, Window } from './window.ts'

/** What `vanishingGradient` and `explodingGradient` take. */
export interface GradientRatioOptions {
  /** The limit of the first layer's gradient norm over the last one's; 1e-3 for vanishing, 100 for exploding. */
  readonly threshold?: number
  /** Gradients are read of the steps whose number it divides; 10 by default. */
  readonly every?: number
  /** The median of so many looks decides; 5 by default. */
  readonly window?: number
  /** Layers from input to output, `['embed', 'layers.0', 'head']`; all that have weights, in the order of their paths, by default. */
  readonly layers?: readonly string[]
}

/** How one of the two judges a ratio. */
export interface RatioVerdict {
  readonly name: string
  readonly threshold: number
  readonly isIll: (ratio: number, threshold: number) => boolean
  readonly advice: (ratio: number, first: string, last: string) => string
}

/**
 * Compares the gradient of the first layer's weights with that of the last's: root mean squares, so that sizes do not matter. A
 * look where the last layer's is 0 says nothing and is left out; one with an Infinity or a NaN is an infinite ratio.
 */
export function gradientRatio(
  options: GradientRatioOptions,
  verdict: RatioVerdict,
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { name, isIll, advice } = verdict
  const { threshold = verdict.threshold, every = 10, window = 5, layers } = options
  requireNumbers(name, { threshold })
  requireCounts(name, { every, window })
  if (layers !== undefined) requireCounts(name, { 'the number of layers': layers.length }, 2)
  return diagnose({
    name,
    looksAt: ['step'],
    isDue: (step) => step % every === 0,
    calm: window,
    begin: () => {
      const ratios = new Window(window)
      return ({ gradients }) => {
        const found = layerWeights(name, gradients.tree, layers)
        if (found.length < 2) return []
        const norms = found.map(({ tensors }) => rootMeanSquare(tensors.map((x) => x.toFloat32Array())))
        const broken = norms.findIndex((norm) => !Number.isFinite(norm))
        const first = found[Math.max(0, broken)]!.path
        const last = found.at(-1)!.path
        const ratio = broken >= 0 ? Number.POSITIVE_INFINITY : norms[0]! / norms.at(-1)!
        if (broken < 0 && norms.at(-1) === 0) return []
        ratios.push(ratio)
        if (!ratios.isFull && broken < 0) return []
        const value = broken >= 0 ? ratio : median(ratios.values)
        return [
          {
            path: first,
            value,
            threshold,
            ill: isIll(value, threshold),
            advice: () => advice(value, first, last),
          },
        ]
      }
    },
  })
}
