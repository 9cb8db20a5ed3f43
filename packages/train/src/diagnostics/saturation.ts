import { failRange, knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireNumbers } from '../require-numbers.ts'
import { type ActivationOptions, activationWindows } from './activation-windows.ts'
import { shown } from './window.ts'

/** What `saturation` takes. */
export interface SaturationOptions extends ActivationOptions {
  /** Whose limits: -1 and 1, or 0 and 1. */
  readonly of: 'tanh' | 'sigmoid'
  /** The share of a layer's outputs that may be near the limits; 0.5 by default. */
  readonly threshold?: number
  /** What is near, as a share of the way between the limits; 0.01 by default. */
  readonly margin?: number
}

/**
 * An operator that tells when too many outputs of a sigmoid or tanh are near its limits, where the slope is almost 0: with the
 * margin of 0.01 below a twenty-fifth of its greatest. The run needs `watch: ['activations:**']`, or the layers in question among
 * its activations. Layers with an output beyond the limits are others, and are left out; a ReLU or a softmax may
 * stay within them: `layers` leaves those out.
 *
 *     saturated   .1  .1  .8  .8  .1  .1
 *     emits                   d                     window: 2
 *
 * @throws RangeError for options out of range, or, as the stream's error, where no watched layer matches `layers`
 * @example
 * const ill = { type: 'step', step: 0, epoch: 0, activations: { tree: { 'layers.1': tensor([[1, -0.99, 0.3, 1]]) } } }
 * const found = []
 * of(ill).pipe(saturation({ of: 'tanh', window: 1 })).subscribe(({ path, value }) => found.push([path, value]))
 * found // => [['layers.1', 0.75]]
 *
 * Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks, section 3.
 */
export function saturation(options: SaturationOptions): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const {
    of,
    threshold = 0.5,
    margin = 0.01,
  } = knownOptions('saturation', options, 'of threshold margin layers every window')
  if (of !== 'tanh' && of !== 'sigmoid') {
    failRange('saturation', `of must be 'tanh' or 'sigmoid', got '${String(of)}'`)
  }
  requireNumbers('saturation', { threshold }, 1)
  requireNumbers('saturation', { margin }, 0.5)
  const low = of === 'tanh' ? -1 : 0
  const near = margin * (1 - low)
  return activationWindows('saturation', options, {
    begin: () => ({ near: 0, beyond: false, count: 0 }),
    add: (sums, values) => {
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!
        if (value < low + near || value > 1 - near) sums.near++
        // A NaN is beyond, too.
        if (!(value >= low && value <= 1)) sums.beyond = true
      }
      sums.count += values.length
    },
    judge: (path, sums) => {
      if (sums.beyond) return undefined
      const value = sums.near / sums.count
      return {
        value,
        threshold,
        ill: value > threshold,
        advice: () =>
          `${shown(100 * value)} % of the outputs of ${path} are at the limits of ${of}: try smaller initial weights (glorotUniform), inputs of mean 0 and deviation 1, batchNorm before it, or a lower learning rate.`,
      }
    },
  })
}
