import { knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireCounts, requireNumber, requireNumbers } from '../require-numbers.ts'
import { bestOf } from './best.ts'
import type { Callback } from './callback.ts'
import { type MonitorOptions, monitored } from './monitored.ts'
import { restoredFrom } from './restored.ts'

/** What `reduceLROnPlateau` takes. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by, between 0 and 1; 0.1 by default. */
  readonly factor?: number
  /** After how many measurements in a row without a better one the rate is reduced; 10 by default. */
  readonly patience?: number
  /** How many measurements after a reduction are not counted; 0 by default. */
  readonly cooldown?: number
  /** By how much a better value must be better; 0.0001 by default. */
  readonly minDelta?: number
  /** Below which no rate is brought; 0 by default. */
  readonly minLearningRate?: number
}

interface Plateau {
  readonly waited: number
  readonly resting: number
  /** Of the schedule's rate, whoever scaled it last. */
  readonly scale: number
  /** What was asked for and has not been acted on. */
  readonly asked: number | null
}

/**
 * A callback that reduces the learning rate when a measure has stopped getting better.
 *
 *     validation  0.9  0.5  0.6  0.7  0.6  0.5
 *     scale to     -    -    -   1/10  -   1/100      patience: 2
 *
 * It scales what the optimizer's schedule says; rates that others have scaled, `lrWarmup` say, it reduces from where they are. In a
 * warm-up that goes on the next step takes a reduction back, so let `patience` be longer. A rate set by `setLearningRate` is not
 * scaled by anyone. `minLearningRate` bounds the rate that follows a reduction; a schedule may go on below it.
 *
 * Defaults are those of Keras. It differs in `cooldown`, of which Keras counts the last measurement again (here as in PyTorch none),
 * and PyTorch reduces one measurement later and takes its threshold 0.0001 as a share of the best.
 *
 * @throws RangeError where factor is not between 0 and 1, patience no integer from 1 on, cooldown none from 0 on, minDelta or
 * minLearningRate negative; as the run's error where `monitor` names something that the run does not measure
 * @example
 * reduceLROnPlateau({ factor: 0.5, patience: 3 }).name // => 'reduceLROnPlateau'
 */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const {
    factor = 0.1,
    patience = 10,
    cooldown = 0,
    minDelta = 1e-4,
    minLearningRate = 0,
  } = knownOptions(
    'reduceLROnPlateau',
    options,
    'factor patience cooldown minDelta minLearningRate monitor mode',
  )
  checkNumbers({ factor, patience, cooldown, minDelta, minLearningRate })
  const measure = monitored('reduceLROnPlateau', options)

  return {
    name: 'reduceLROnPlateau',
    run(events$, info): Observable<TrainCommand> {
      measure.requireIn(info)
      const best = bestOf(info, measure, { minDelta, weights: false })
      const kept = info.keep<Plateau>('plateau', { waited: 0, resting: 0, scale: 1, asked: null })
      const change = (changes: Partial<Plateau>): void => {
        kept.value = { ...kept.value, ...changes }
      }
      const rate = info.keep('rate', Number.NaN)

      const reduce = (): readonly TrainCommand[] => {
        change({ waited: 0, resting: cooldown })
        if (rate.value <= minLearningRate) return []
        // Unknown where the run goes on behind its first step.
        const least = rate.value > 0 ? minLearningRate / rate.value : 0
        const asked = kept.value.scale * Math.max(factor, least)
        change({ asked })
        return [{ type: 'scaleLearningRate', scale: asked }]
      }
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'step') {
          rate.value = event.learningRate
          return []
        }
        if (event.type === 'command') return hear(event)
        if (event.type === 'start') return askAgain()
        const measured = measure.measured(event)
        if (measured === null) return []
        const { resting, waited } = kept.value
        if (best.improves(measured)) change({ waited: 0, resting: Math.max(0, resting - 1) })
        else if (resting > 0) change({ resting: resting - 1 })
        else if (waited + 1 < patience) change({ waited: waited + 1 })
        else return reduce()
        return []
      }
      // A snapshot may have been taken after the decision to reduce, and before it was acted on.
      const askAgain = (): readonly TrainCommand[] => {
        const { asked } = kept.value
        return asked === null ? [] : [{ type: 'scaleLearningRate', scale: asked }]
      }
      const hear = (event: TrainEvent & { type: 'command' }): readonly TrainCommand[] => {
        const { command, refused } = event
        if (command.type === 'scaleLearningRate' && refused === undefined)
          change({ scale: command.scale, asked: null })
        const from = restoredFrom(event)
        if (typeof from === 'object' && from !== null) change({ scale: from.control.rateScale })
        return from === null ? [] : askAgain()
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function checkNumbers(numbers: Required<Omit<ReduceLROnPlateauOptions, keyof MonitorOptions>>): void {
  const name = 'reduceLROnPlateau'
  const { factor, patience, cooldown, minDelta, minLearningRate } = numbers
  requireNumbers(name, { factor }, 1)
  requireCounts(name, { patience })
  requireCounts(name, { cooldown }, 0)
  for (const [of, value] of Object.entries({ minDelta, minLearningRate })) {
    requireNumber(name, of, value, 'a number from 0 on', (number) => number >= 0)
  }
}
