import { failRange, knownOptions } from '@tapeflow/autodiff'
import { mergeMap } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import type { Callback } from './callback.ts'
import { restoredFrom } from './restored.ts'

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
 * It scales whatever schedule the optimizer has, so a schedule needs no warm-up of its own. A run that is restored to a step of
 * the warm-up goes on with that step's rate.
 *
 * @throws RangeError unless steps is an integer from 1 on, or epochs a number above 0; as the run's error where epochs are given
 * and the data does not know its length, or has no end
 * @example
 * lrWarmup({ steps: 100 }).name // => 'lrWarmup'
 *
 * Goyal et al. 2017, Accurate, large minibatch SGD, section 2.2.
 */
export function lrWarmup(options: LrWarmupOptions): Callback {
  const { steps, epochs } = knownOptions('lrWarmup', options, 'steps epochs')
  if ((steps === undefined) === (epochs === undefined)) {
    const got = steps === undefined ? 'neither' : 'both'
    failRange('lrWarmup', `steps or epochs must be given, got ${got}`, 'pass steps: 100')
  }
  if (steps !== undefined) requireCounts('lrWarmup', { steps })
  else requireNumbers('lrWarmup', { epochs })
  return {
    name: 'lrWarmup',
    run(events$, { stepsPerEpoch, keep }) {
      if (steps === undefined && stepsPerEpoch === undefined) {
        failRange('lrWarmup', 'epochs need data that knows its length, and has an end', 'pass steps')
      }
      const total = steps ?? Math.max(1, Math.round(epochs! * stepsPerEpoch!))
      const hasBegun = keep('hasBegun', false)
      // What was asked for and has not been acted on.
      const asked = keep<number | null>('asked', null)
      let isWarming = false
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (isScaling(event)) asked.value = null
        const next = nextStep(event)
        if (next === null) return []
        const before = isWarming
        isWarming = next < total
        if (event.type === 'start' && hasBegun.value) {
          // Whoever scaled the rate since, it stays; but the run may go on between what was asked and the act.
          return asked.value === null ? [] : [{ type: 'scaleLearningRate', scale: asked.value }]
        }
        hasBegun.value = true
        asked.value = isWarming ? (next + 1) / total : null
        if (asked.value !== null) return [{ type: 'scaleLearningRate', scale: asked.value }]
        const from = restoredFrom(event)
        if (!before || from === null) return []
        // Restored past the warm-up: what was asked for the step that did not come acts after the restore, and must not stay.
        return [{ type: 'scaleLearningRate', scale: typeof from === 'object' ? from.control.rateScale : 1 }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function isScaling(event: TrainEvent): boolean {
  return event.type === 'command' && event.command.type === 'scaleLearningRate' && event.refused === undefined
}

/** The step that follows, for the events that decide which; null for others. */
function nextStep(event: TrainEvent): number | null {
  if (event.type === 'step') return event.step + 1
  return event.type === 'start' || restoredFrom(event) !== null ? event.step : null
}
