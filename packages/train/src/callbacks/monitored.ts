import { failRange, kindOf } from '@tapeflow/autodiff'
import type { EpochEvent, RunInfo, TrainEvent, ValidationEvent } from '../events.ts'
import { namedMeasures, numbersOf } from '../measures.ts'

/**
 * What a run measures: `validation.loss`, `validation.losses.<name>` of several losses, `validation.accuracy` or another metric's name;
 * or the same of `epoch`, and with `evaluateTraining` of `training`.
 */
export type MonitorName = `${Place}.${string}`

type Place = (typeof places)[number]
const places = ['validation', 'epoch', 'training'] as const

/** What callbacks take that look at one measure. */
export interface MonitorOptions {
  /**
   * `validation.loss` (by default), `validation.losses.<name>` of several losses, `validation.accuracy` or another metric's name; or
   * the same of `epoch`, and with `evaluateTraining` of `training`.
   */
  readonly monitor?: MonitorName
  /** Whether less or more is better; `min` by default. */
  readonly mode?: 'min' | 'max'
}

/** An event with what it measures. */
export interface Measured {
  readonly event: EpochEvent | ValidationEvent
  readonly value: number
}

/** One measure of a run, and what is better in it. */
export interface Monitored {
  readonly monitor: MonitorName
  /** What any number is better than. */
  readonly worst: number
  /** @throws RangeError where a run does not measure it */
  requireIn(info: RunInfo): void
  /** Null for an event that does not measure it. */
  measured(event: TrainEvent): Measured | null
  /** Whether `value` is better than another by more than `by`, 0 by default; NaN never is. */
  isBetter(value: number, than: number, by?: number): boolean
}

/**
 * The measure that a callback was asked to look at.
 *
 * @param operation the callback's name, for its errors
 * @throws RangeError where the monitor or the mode is not one
 */
export function monitored(
  operation: string,
  { monitor = 'validation.loss', mode = 'min' }: MonitorOptions,
): Monitored {
  if (mode !== 'min' && mode !== 'max')
    failRange(operation, `mode must be 'min' or 'max', got '${String(mode)}'`)
  const [place, name] = parse(operation, monitor)
  const sign = mode === 'min' ? 1 : -1
  return {
    monitor,
    worst: sign * Number.POSITIVE_INFINITY,
    requireIn: (info) => requireMeasured(operation, place, name, info),
    measured: (event) => {
      if (event.type !== 'epoch' && event.type !== 'validation') return null
      const training = event.type === 'epoch' && place === 'training' ? event.training : undefined
      const found = event.type === place ? event : training
      return found === undefined ? null : { event, value: numbersOf(found)[name]! }
    },
    isBetter: (value, than, by = 0) => sign * (than - value) > by,
  }
}

function parse(operation: string, monitor: unknown): readonly [Place, name: string] {
  const [first, ...rest] = typeof monitor === 'string' ? monitor.split('.') : []
  const place = places.find((one) => one === first)
  if (place === undefined || rest.length === 0) {
    failRange(
      operation,
      `cannot monitor ${typeof monitor === 'string' ? `'${monitor}'` : kindOf(monitor)}`,
      "use 'validation.loss', 'epoch.loss' or a metric in place of loss",
    )
  }
  return [place, rest.join('.')]
}

function requireMeasured(operation: string, place: string, name: string, info: RunInfo): void {
  if (place === 'validation' && !info.hasValidation) {
    failRange(
      operation,
      `'validation.${name}' needs validation data`,
      "pass validation to fit, or monitor 'epoch.loss'",
    )
  }
  if (place === 'training' && !info.evaluatesTraining) {
    failRange(
      operation,
      `'training.${name}' needs another look at the training data`,
      "pass evaluateTraining: true to fit, or monitor 'epoch.loss'",
    )
  }
  const names = namedMeasures(info).map((one) => one.name)
  if (!names.includes(name)) {
    failRange(operation, `no metric '${name}' is measured`, `monitor ${names.join(', ')}, or pass it to fit`)
  }
}
