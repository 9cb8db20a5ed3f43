import { failRange } from '@tapeflow/autodiff'
import { filter, map, takeWhile } from 'rxjs'
import type { Callback } from './callback.ts'

/** What `lrWarmup` takes: one of the two. */
export type LrWarmupOptions =
  | { readonly steps: number; readonly epochs?: never }
  | { readonly epochs: number; readonly steps?: never }

/**
 * A callback that raises the learning rate in a straight line: step k, from 0 on, is made with (k + 1) / n of what the schedule
 * says, from step n - 1 on with all of it.
 *
 *     start    step 0   step 1   step 2
 *     scale to 1/3      2/3      1                steps: 3
 *
 * It scales whatever schedule the optimizer has, so a schedule needs no warm-up of its own.
 *
 * @throws RangeError unless steps is an integer from 1 on, or epochs a number above 0; as the run's error where epochs are given
 * and the data does not know its length
 * @example
 * lrWarmup({ steps: 100 }).name // => 'lrWarmup'
 *
 * Goyal et al. 2017, Accurate, large minibatch SGD, section 2.2.
 */
export function lrWarmup({ steps, epochs }: LrWarmupOptions): Callback {
  if ((steps === undefined) === (epochs === undefined)) {
    const got = steps === undefined ? 'neither' : 'both'
    failRange('lrWarmup', `steps or epochs must be given, got ${got}`, 'pass steps: 100')
  }
  if (steps !== undefined && (!Number.isInteger(steps) || steps < 1)) {
    failRange('lrWarmup', `steps must be an integer from 1 on, got ${steps}`)
  }
  if (epochs !== undefined && !(epochs > 0 && Number.isFinite(epochs))) {
    failRange('lrWarmup', `epochs must be a number above 0, got ${epochs}`)
  }
  return {
    name: 'lrWarmup',
    run(events$, { stepsPerEpoch }) {
      if (steps === undefined && stepsPerEpoch === undefined) {
        failRange('lrWarmup', 'epochs need data that knows its length', 'pass steps')
      }
      const total = steps ?? Math.max(1, Math.round(epochs! * stepsPerEpoch!))
      return events$.pipe(
        filter((event) => event.type === 'start' || event.type === 'step'),
        map((event) => (event.type === 'start' ? event.step : event.step + 1)),
        takeWhile((next) => next < total),
        map((next) => ({ type: 'scaleLearningRate', scale: (next + 1) / total }) as const),
      )
    },
  }
}
