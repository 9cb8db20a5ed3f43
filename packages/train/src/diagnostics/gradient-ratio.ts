import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose, type Finding } from './diagnose.ts'
import { layerWeights, rootMeanSquare } from './layer-norms.ts'
import { median, Window } from './window.ts'

/** What `vanishingGradient` and `explodingGradient` take. */
export interface GradientRatioOptions {
  /** The limit of the first layer's gradient over the last one's, by their root mean squares; 1e-3 for vanishing, 100 for exploding. */
  readonly threshold?: number
  /** Gradients are read of the steps whose number it divides; 10 by default. */
  readonly every?: number
  /** The median of so many looks decides; 5 by default. */
  readonly window?: number
  /**
   * Layers from input to output, `['embed', 'layers.0', 'head']`. By default all that have weights, in the order in which the model's
   * `init` makes them; where the event `start` was not heard, as in a `trainLoop`, in the order of their paths.
   */
  readonly layers?: readonly string[]
}

/** How one of the two judges a ratio. */
export interface RatioVerdict {
  readonly name: string
  readonly threshold: number
  /** Of the ratio by weights and that by biases, which counts. */
  readonly pick: (...ratios: readonly number[]) => number
  readonly isIll: (ratio: number, threshold: number) => boolean
  readonly advice: (ratio: number, first: string, last: string) => string
}

/**
 * Compares the gradient of the first layer with that of the last: root mean squares, so that sizes do not matter. A layer that is
 * frozen is none. A look where the last one's weights have a gradient of 0 says nothing and is left out; one with an Infinity or a NaN,
 * be it of a single layer, is an infinite ratio.
 */
export function gradientRatio(
  options: GradientRatioOptions,
  verdict: RatioVerdict,
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { name, pick, isIll, advice } = verdict
  const { threshold = verdict.threshold, every = 10, window = 5, layers } = options
  requireNumbers(name, { threshold })
  requireCounts(name, { every, window })
  if (layers !== undefined) requireCounts(name, { 'the number of layers': layers.length }, 2)
  return diagnose({
    name,
    looksAt: ['step'],
    isDue: (step) => step % every === 0,
    calm: window,
    begin: (run) => {
      const ratios = new Window(window)
      return ({ gradients }) => {
        const found = layerWeights(name, gradients.tree, layers, run.parameters)
          .filter(({ parameters }) => !parameters.every((path) => run.isFrozen(path)))
          .map(({ path, tensors, biases }) => ({
            path,
            weights: rootMeanSquare(tensors),
            biases: rootMeanSquare(biases),
          }))
        const last = found.at(-1)?.path ?? ''
        const judged = (path: string, value: number): readonly Finding[] => [
          { path, value, threshold, ill: isIll(value, threshold), advice: () => advice(value, path, last) },
        ]
        const broken = found.find(({ weights, biases }) => !Number.isFinite(weights + biases))
        if (broken !== undefined) {
          ratios.push(Number.POSITIVE_INFINITY)
          return judged(broken.path, Number.POSITIVE_INFINITY)
        }
        const of = ratiosOf(found)
        if (of.length === 0) return []
        ratios.push(pick(...of))
        return ratios.isFull ? judged(found[0]!.path, median(ratios.values)) : []
      }
    },
  })
}

/** Root mean squares of a layer's gradients; that of the biases is 0 where it has none. */
interface Norms {
  readonly weights: number
  readonly biases: number
}

/**
 * The gradient of weights is that of the layer's outputs times its inputs, which may grow on their way as gradients grow on theirs: with
 * ReLUs, and with tanh near 0, all weights of one size have gradients of one size, however steep the layers are. Biases have the
 * gradient of the outputs alone, which is that of the weights over the size of the inputs. Where a norm follows, that may be nothing but
 * rounding errors, or come from rows that are all 0 and that the norm divides by. So that of the first layer counts if its inputs seem
 * to be between 0.1 and 1,000 in size (measured: 1e6 before batchNorm, 0.2 to 5 in most networks without), and of the last two the larger.
 */
function ratiosOf(found: readonly Norms[]): readonly number[] {
  const [first, before, last] = [found[0], found.at(-2), found.at(-1)]
  if (!first || !before || !last || last.weights === 0) return []
  const biases = Math.max(before.biases, last.biases)
  const isLive = biases > 0 && first.weights >= 0.1 * first.biases && first.weights <= 1e3 * first.biases
  return [first.weights / last.weights, ...(isLive ? [first.biases / biases] : [])]
}
