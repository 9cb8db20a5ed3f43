import { failRange } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { RunInfo, TrainEvent } from '../events.ts'
import type { ParametersSnapshot } from '../snapshots.ts'
import type { Callback } from './callback.ts'

/** What `earlyStopping` takes. */
export interface EarlyStoppingOptions {
  /** `validation.loss` (by default), `validation.accuracy` or another metric's name, or the same of `epoch`. */
  readonly monitor?: `${'validation' | 'epoch'}.${string}`
  /** Whether less or more is better; `min` by default. */
  readonly mode?: 'min' | 'max'
  /** After how many measurements in a row without a better one the run is stopped. */
  readonly patience: number
  /** By how much a better value must be better; 0 by default. */
  readonly minDelta?: number
  /** Whether the run ends with the weights of its best measurement, even if it was not stopped; true by default. */
  readonly restoreBest?: boolean
}

interface Best {
  value: number
  step: number
  waited: number
  snapshot: ParametersSnapshot | null
}

/**
 * A callback that stops a run when a measure has stopped getting better, and brings the best weights back.
 *
 *     validation  0.9  0.5  0.4  0.6  0.7
 *     commands     -    -    -    -   stop       patience: 2
 *     finishing                      restore the weights of 0.4
 *
 * A value is better if it beats the best so far by more than `minDelta`; NaN never is. Weights and layer state are copied
 * when a better value is measured, and restored at any completion of the run, before `end`.
 *
 * @throws RangeError where patience is no integer from 1 on or minDelta is negative; as the run's error where `monitor` names
 * something that the run does not measure
 * @example
 * const callback = earlyStopping({ monitor: 'validation.accuracy', mode: 'max', patience: 3 })
 * callback.name // => 'earlyStopping'
 */
export function earlyStopping({
  monitor = 'validation.loss',
  mode = 'min',
  patience,
  minDelta = 0,
  restoreBest = true,
}: EarlyStoppingOptions): Callback {
  if (!Number.isInteger(patience) || patience < 1) {
    failRange('earlyStopping', `patience must be an integer from 1 on, got ${patience}`)
  }
  if (!(minDelta >= 0)) failRange('earlyStopping', `minDelta must be a number from 0 on, got ${minDelta}`)
  if (mode !== 'min' && mode !== 'max')
    failRange('earlyStopping', `mode must be 'min' or 'max', got '${String(mode)}'`)
  const [measured, name] = parse(monitor)
  const sign = mode === 'min' ? 1 : -1

  return {
    name: 'earlyStopping',
    run(events$, info): Observable<TrainCommand> {
      requireMeasured(measured, name, info)
      const best = info.keep<Best>('best', {
        value: sign * Number.POSITIVE_INFINITY,
        step: -1,
        waited: 0,
        snapshot: null,
      })

      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'finishing') {
          const { snapshot, step } = best.value
          if (snapshot === null || step === event.step) return []
          return [{ type: 'restore', from: snapshot, what: 'parameters' }]
        }
        if (event.type !== measured) return []
        const value = name === 'loss' ? event.loss : event.metrics[name]!
        if (sign * (best.value.value - value) > minDelta) {
          const snapshot = restoreBest ? event.snapshot('parameters') : null
          best.value = { value, step: event.step, waited: 0, snapshot }
          return []
        }
        best.value = { ...best.value, waited: best.value.waited + 1 }
        if (best.value.waited < patience) return []
        const reason = `${monitor} has not improved ${patience === 1 ? 'once' : `${patience} times`}, best ${Number(best.value.value.toPrecision(6))}`
        return [{ type: 'stop', reason }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function parse(monitor: string): readonly [measured: 'validation' | 'epoch', name: string] {
  const [measured, ...rest] = monitor.split('.')
  if ((measured !== 'validation' && measured !== 'epoch') || rest.length === 0) {
    failRange(
      'earlyStopping',
      `cannot monitor '${monitor}'`,
      "use 'validation.loss', 'epoch.loss' or a metric in place of loss",
    )
  }
  return [measured, rest.join('.')]
}

function requireMeasured(measured: string, name: string, info: RunInfo): void {
  if (measured === 'validation' && !info.hasValidation) {
    failRange(
      'earlyStopping',
      `'validation.${name}' needs validation data`,
      "pass validation to fit, or monitor 'epoch.loss'",
    )
  }
  const names = ['loss', ...info.metrics]
  if (!names.includes(name)) {
    failRange(
      'earlyStopping',
      `no metric '${name}' is measured`,
      `monitor ${names.join(', ')}, or pass it to fit`,
    )
  }
}
