import { knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { StepEvent, TrainEvent } from '../events.ts'
import { requireFlags } from '../require-numbers.ts'
import type { Callback } from './callback.ts'

/** What `terminateOnNaN` takes. */
export interface TerminateOnNaNOptions {
  /** Whether the norm of the gradients is looked at too, with `watch: ['gradientNorm']`; false by default. */
  readonly gradientNorm?: boolean
}

/**
 * A callback that stops a run at the first step whose loss, penalty or (where asked for) gradient norm is NaN or infinite. The
 * reason says which and where; `t.debug` on model and loss with that batch names the operation that made it (docs/debugging.md).
 *
 *     loss        0.9  0.5  NaN
 *     commands     -    -   stop
 *
 * A loss is that of the weights before its step: they, or the batch, hold what made it. The step's update is done by then, so that
 * the weights of the result are of no use, and nothing is restored: put `keepBest` beside it to end with the best ones. A norm of
 * float32 gradients is infinite as well where their squares are too large. Keras looks at batch losses only.
 *
 * @throws TypeError as the run's error where `gradientNorm` is asked for and not watched
 * @example
 * terminateOnNaN().name // => 'terminateOnNaN'
 */
export function terminateOnNaN(options: TerminateOnNaNOptions = {}): Callback {
  const { gradientNorm = false } = knownOptions('terminateOnNaN', options, 'gradientNorm')
  requireFlags('terminateOnNaN', { gradientNorm })
  return {
    name: 'terminateOnNaN',
    run(events$): Observable<TrainCommand> {
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type !== 'step') return []
        const wrong = wrongOf(event, gradientNorm)
        if (wrong === null) return []
        const { step, epoch, batch } = event
        const where = `at step ${step} (batch ${batch} of epoch ${epoch})`
        const reason = `${wrong} ${where}; t.debug on model and loss with that batch names the operation, see docs/debugging.md`
        return [{ type: 'stop', reason }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function wrongOf(event: StepEvent, gradientNorm: boolean): string | null {
  const { loss, penalty } = event
  if (!Number.isFinite(loss)) return `loss is ${loss}`
  if (!Number.isFinite(penalty)) return `penalty is ${penalty}`
  // Read even where it is not needed to decide: a norm that is not watched is an error at the first step.
  const norm = gradientNorm ? event.gradientNorm : 0
  return Number.isFinite(norm) ? null : `gradientNorm is ${norm}`
}
