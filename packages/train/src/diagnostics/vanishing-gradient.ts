import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { type GradientRatioOptions, gradientRatio } from './gradient-ratio.ts'
import { shown } from './window.ts'

/**
 * An operator that tells when the gradient hardly reaches the first layer: root mean square of the first layer's gradient over
 * the last one's is below `threshold`, in the median of `window` looks. Weights are compared, and biases where there are some: the less of
 * both ratios counts, as that of weights hides it where outputs vanish as well. Layers that commands have frozen are left out. The run needs
 * `watch: ['gradients']`; gradients are read of every `every`-th step alone.
 *
 *     first / last   0.1  0.1  1e-5  1e-5  1e-5  0.1
 *     emits                           d                     window: 3
 *
 * @param options.threshold 1e-3 by default
 * @throws RangeError for options out of range, or, as the stream's error, for layers that have no weights
 * @example
 * const x = { shape: [4, 2], values: Float32Array.of(0, 0, 0, 1, 1, 0, 1, 1) }
 * const data = dataset({ x, y: { shape: [4, 1], values: Float32Array.of(0, 1, 1, 0) } }).batch(1)
 * const blocks = Array.from({ length: 8 }, () => sequential(sigmoid(), linear(8, 8)))
 * const deep = sequential(linear(2, 8), ...blocks, linear(8, 1))
 * const run$ = fit(deep, { data, loss: mse(), optimizer: sgd({ learningRate: 0.1 }), steps: 50, watch: ['gradients'] })
 * const { path } = await firstValueFrom(run$.pipe(vanishingGradient()))
 * path // => 'layers.0'
 *
 * Hochreiter 1991; Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.
 */
export function vanishingGradient(
  options: GradientRatioOptions = {},
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  knownOptions('vanishingGradient', options, 'threshold every window layers')
  return gradientRatio(options, {
    name: 'vanishingGradient',
    threshold: 1e-3,
    pick: Math.min,
    isIll: (ratio, threshold) => ratio < threshold,
    advice: (ratio, first, last) =>
      `the gradient of ${first} is ${shown(ratio)} of that of ${last}: try relu with heNormal in place of sigmoid or tanh, batchNorm, or residual connections.`,
  })
}
