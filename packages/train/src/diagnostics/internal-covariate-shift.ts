import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireNumbers } from '../require-numbers.ts'
import { type ActivationOptions, activationWindows } from './activation-windows.ts'
import { addToUnits, energies, movedMeans, unitSums } from './unit-sums.ts'
import { shown } from './window.ts'

/** What `internalCovariateShift` takes. */
export interface InternalCovariateShiftOptions extends ActivationOptions {
  /** By how many standard deviations the means, or by what factor e^threshold the deviation, may move; 1 by default. */
  readonly threshold?: number
}

/**
 * An operator that tells when the inputs of a layer drift while it learns: from one window to the next the means of the outputs
 * before it moved by more than `threshold` standard deviations, or the logarithm of their deviation by more than `threshold`. Both
 * are root mean squares over units. The path is that of the layer whose outputs drift, which are the next one's inputs: the model's own
 * outputs, which no layer with parameters reads, are left out where the event `start` was heard. The run needs
 * `watch: ['activations:**']`, or the layers in question.
 *
 *     mean of outputs   0  0  3  3  3  3
 *     emits                      d                     window: 2
 *
 * @throws RangeError for options out of range, or, as the stream's error, where no watched layer matches `layers`
 * @example
 * const at = (step, values) => ({ type: 'step', step, epoch: 0, activations: { tree: { 'layers.1': tensor(values) } } })
 * const found = []
 * const steps$ = of(at(0, [[1], [-1]]), at(1, [[3], [1]]))
 * steps$.pipe(internalCovariateShift({ every: 1, window: 1 })).subscribe(({ path, value }) => found.push([path, value]))
 * found // => [['layers.1', 2]]
 *
 * Ioffe & Szegedy 2015, Batch normalization. Whether it is this that batch normalization cures is disputed: Santurkar et al. 2018, How
 * does batch normalization help optimization?
 */
export function internalCovariateShift(
  options: InternalCovariateShiftOptions = {},
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { threshold = 1 } = knownOptions('internalCovariateShift', options, 'threshold layers every window')
  requireNumbers('internalCovariateShift', { threshold })
  return activationWindows('internalCovariateShift', options, {
    asInputs: true,
    begin: unitSums,
    add: addToUnits,
    judge: (path, now, before) => {
      if (before === undefined) return undefined
      const spread = [energies(before).variances, energies(now).variances] as const
      // Outputs that never changed have no deviation to measure by.
      if (!(spread[0] > 0 && spread[1] > 0)) return undefined
      const moved = Math.sqrt((2 * movedMeans(before, now)) / (spread[0] + spread[1]))
      const widened = Math.abs(Math.log(spread[1] / spread[0])) / 2
      const value = Math.max(moved, widened)
      const what = (): string =>
        moved >= widened
          ? `their means moved by ${shown(moved)} deviations`
          : `their deviation changed by a factor of ${shown(Math.exp(widened))}`
      return {
        value,
        threshold,
        ill: value > threshold,
        advice: () =>
          `the outputs of ${path} drift under the layer that reads them, ${what()}: try batchNorm or layerNorm after it, or a lower learning rate.`,
      }
    },
  })
}
