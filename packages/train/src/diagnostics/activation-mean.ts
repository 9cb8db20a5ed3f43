import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireNumbers } from '../require-numbers.ts'
import { type ActivationOptions, activationWindows } from './activation-windows.ts'
import { addToUnits, energies, unitSums } from './unit-sums.ts'
import { shown } from './window.ts'

/** What `activationMean` takes. */
export interface ActivationMeanOptions extends ActivationOptions {
  /** How large the units' means may be, as a share of the root mean square of all outputs; 0.95 by default. */
  readonly threshold?: number
}

/**
 * An operator that tells when a layer's outputs are not centred on zero: the root mean square of its units' means, over that of
 * all its outputs, is above `threshold`. It is 0 where each unit's mean is 0, and 1 where no unit ever changes. A ReLU of
 * standard normal inputs lies at 0.56, and those of networks that train well at up to 0.82 (measured: digits, 2 to 10 layers; 0.92 in an
 * autoencoder), so that they pass; a sigmoid around 0.5 does not, nor do averages of many outputs, as of `globalAvgPool`. The run needs `watch: ['activations:**']`, or the layers in question. The outputs of the
 * last layer follow the targets, and are left out where the event `start` was heard.
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
  const { threshold = 0.95 } = knownOptions('activationMean', options, 'threshold layers every window')
  requireNumbers('activationMean', { threshold }, 1)
  return activationWindows('activationMean', options, {
    asInputs: true,
    begin: (units) => ({ ...unitSums(units), lowest: 0 }),
    add: (sums, values, units) => {
      addToUnits(sums, values, units)
      for (let i = 0; i < values.length; i++) sums.lowest = Math.min(sums.lowest, values[i]!)
    },
    judge: (path, sums) => {
      const { means, variances } = energies(sums)
      if (!(means + variances > 0)) return undefined
      const value = Math.sqrt(means / (means + variances))
      return {
        value,
        threshold,
        ill: value > threshold,
        advice: () =>
          `the outputs of ${path} are not centred on zero, their means make ${shown(100 * value)} % of their size: try ${sums.lowest < 0 ? 'batchNorm after it, or inputs of mean 0' : 'tanh in place of sigmoid, or batchNorm before it'}.`,
      }
    },
  })
}
