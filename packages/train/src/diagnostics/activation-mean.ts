import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireNumbers } from '../require-numbers.ts'
import { type ActivationOptions, activationWindows } from './activation-windows.ts'
import { addToUnits, energies, unitSums } from './unit-sums.ts'
import { shown } from './window.ts'

/** What `activationMean` takes. */
export interface ActivationMeanOptions extends ActivationOptions {
  /** How large the units' means may be, as a share of the root mean square of all outputs; 0.75 by default. */
  readonly threshold?: number
}

/**
 * An operator that tells when a layer's outputs are not centred on zero: the root mean square of its units' means, over that of
 * all its outputs, is above `threshold`. It is 0 where each unit's mean is 0, and 1 where no unit ever changes. A ReLU of
 * standard normal inputs lies at 0.56 and passes; a sigmoid around 0.5 does not. The run needs `watch: ['activations:**']`, or the
 * layers in question; the outputs of the last layer follow the targets, and are best left out.
 *
 *     share of means   0.2  0.2  0.9  0.9  0.2
 *     emits                           d                     window: 2
 *
 * @throws RangeError for options out of range, or, as the stream's error, where no watched layer matches `layers`
 * @example
 * const ill = { type: 'step', step: 0, epoch: 0, activations: { tree: { 'layers.1': tensor([[0.5], [0.7]]) } } }
 * const found = []
 * of(ill).pipe(activationMean({ window: 1 })).subscribe(({ path, value }) => found.push([path, value.toFixed(2)]))
 * found // => [['layers.1', '0.99']]
 *
 * LeCun et al. 1998, Efficient backprop, section 4.3: inputs whose mean is not 0 bias the direction of updates, in each layer.
 */
export function activationMean(
  options: ActivationMeanOptions = {},
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { threshold = 0.75 } = knownOptions('activationMean', options, 'threshold layers every window')
  requireNumbers('activationMean', { threshold }, 1)
  return activationWindows('activationMean', options, {
    begin: unitSums,
    add: addToUnits,
    judge: (path, sums) => {
      const { means, variances } = energies(sums)
      if (!(means + variances > 0)) return undefined
      const value = Math.sqrt(means / (means + variances))
      return {
        value,
        threshold,
        ill: value > threshold,
        advice: () =>
          `the outputs of ${path} are not centred on zero, their means make ${shown(100 * value)} % of their size: try tanh in place of sigmoid, batchNorm, or inputs of mean 0.`,
      }
    },
  })
}
