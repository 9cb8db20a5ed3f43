import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { type GradientRatioOptions, gradientRatio } from './gradient-ratio.ts'
import { shown } from './window.ts'

/**
 * An operator that tells when the gradient grows on its way to the first layer: root mean square of the first layer's gradient
 * over the last one's is above `threshold`, in the median of `window` looks; or, at once, when a gradient is no finite number.
 * Weights are compared, and biases where there are some: the larger of both ratios counts, as that of weights hides it where outputs
 * explode as well. Of ReLUs whose layers have no biases that stays unseen. Layers that commands have frozen are left out. The run needs
 * `watch: ['gradients']`; gradients are read of every `every`-th step alone. Growth from step to step, at an equal
 * ratio, is seen by `lossSpike`.
 *
 *     first / last   1  1  1e4  1e4  1e4  NaN  1
 *     emits                      d                        window: 3
 *
 * @param options.threshold 100 by default
 * @throws RangeError for options out of range, or, as the stream's error, for layers that have no weights
 * @example
 * const broken = { type: 'step', step: 0, epoch: 0, gradients: { tree: [tensor([[NaN]]), tensor([[1]])] } }
 * const found = []
 * of(broken).pipe(explodingGradient()).subscribe(({ path, value }) => found.push([path, value]))
 * found // => [['0', Infinity]]
 *
 * Pascanu et al. 2013, On the difficulty of training recurrent neural networks.
 */
export function explodingGradient(
  options: GradientRatioOptions = {},
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  knownOptions('explodingGradient', options, 'threshold every window layers')
  return gradientRatio(options, {
    name: 'explodingGradient',
    threshold: 100,
    pick: Math.max,
    isIll: (ratio, threshold) => ratio > threshold,
    advice: (ratio, first, last) =>
      ratio === Number.POSITIVE_INFINITY
        ? `the gradient of ${first} is no finite number: try clipByGlobalNorm(1), a lower learning rate, or terminateOnNaN to see where it began.`
        : `the gradient of ${first} is ${shown(ratio)} times that of ${last}: try clipByGlobalNorm(1), smaller initial weights (heNormal, glorotUniform), or batchNorm.`,
  })
}
