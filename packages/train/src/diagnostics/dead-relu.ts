import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireNumbers } from '../require-numbers.ts'
import { type ActivationOptions, activationWindows } from './activation-windows.ts'
import { shown } from './window.ts'

/** What `deadReLU` takes. */
export interface DeadReLUOptions extends ActivationOptions {
  /** The share of a layer's units that may be dead; 0.4 by default. */
  readonly threshold?: number
}

/**
 * An operator that tells when too many units of a ReLU are dead: their output was 0 for all rows of all `window` looks. Such a unit
 * has no gradient, and stays as it is. Looks that meet one batch again and again, of data in the order of its classes, see units dead
 * that others need: see `every`. A unit is a place of the last axis, so of an image a channel. The run needs
 * `watch: ['activations:**']`, or the ReLUs among its layers: other layers are hardly ever 0.
 *
 *     dead      0  0  .9  .9  .9  .9  0  0
 *     emits               d                     window: 2
 *
 * @param options.threshold 0.4 by default, by the course CS231n, which met it with learning rates that were too high
 * @throws RangeError for options out of range, or, as the stream's error, where no watched layer matches `layers`
 * @example
 * const dead = { type: 'step', step: 0, epoch: 0, activations: { tree: { 'layers.1': tensor([[0, 0, 1], [0, 0, 2]]) } } }
 * const found = []
 * of(dead).pipe(deadReLU({ window: 1 })).subscribe(({ path, value }) => found.push([path, value]))
 * found // => [['layers.1', 2 / 3]]
 *
 * Lu et al. 2019, Dying ReLU and initialization.
 */
export function deadReLU(options: DeadReLUOptions = {}): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { threshold = 0.4 } = knownOptions('deadReLU', options, 'threshold layers every window')
  requireNumbers('deadReLU', { threshold }, 1)
  return activationWindows('deadReLU', options, {
    begin: (units) => new Uint8Array(units),
    add: (alive, values, units) => {
      for (let row = 0; row < values.length; row += units) {
        for (let unit = 0; unit < units; unit++) if (values[row + unit] !== 0) alive[unit] = 1
      }
    },
    judge: (path, alive) => {
      const value = alive.filter((one) => one === 0).length / alive.length
      return {
        value,
        threshold,
        ill: value > threshold,
        advice: () =>
          `${shown(100 * value)} % of the units of ${path} were 0 for every row: try a lower learning rate, heNormal with zero biases, or leakyRelu.`,
      }
    },
  })
}
