import { failRange, failType, kindOf, showShape, Tensor, tensor } from '@tapeflow/autodiff'
import type { Control, Hyper, Schedule } from './optimizer.ts'
import { checkNumber, count, notNegative, type Range } from './range.ts'

/** A run that nobody steers. */
const untouched: Control = { rateScale: 1, overrides: {} }

/** The numbers that an optimizer or a transform was made with, by name; `learningRate` may follow a schedule. */
export interface Settings<N extends string> {
  /** The name of the function that made it, for errors. */
  readonly operation: string
  /** Left out where the numbers have no rate among them, as those of most transforms. */
  readonly learningRate?: number | Schedule
  readonly values: { readonly [n in N]: number }
  readonly ranges: { readonly [n in N]: Range }
}

/** The names that may be overridden: the learning rate, where there is one, and what else is set. */
export function namesOf({ learningRate, values }: Settings<string>): readonly string[] {
  return [...(learningRate === undefined ? [] : ['learningRate']), ...Object.keys(values)]
}

/** Checks what a user passed to an optimizer, and returns it. */
export function checkSettings<N extends string>(settings: Settings<N>): Settings<N> {
  const { operation, learningRate, values, ranges } = settings
  // Where the rate was forgotten, as JavaScript can, it is there as undefined.
  if ('learningRate' in settings && typeof learningRate !== 'function') {
    if (typeof learningRate !== 'number') {
      failType(operation, `learningRate must be a number or a schedule, got ${kindOf(learningRate)}`)
    }
    checkNumber(operation, 'learningRate', learningRate, notNegative)
  }
  for (const name in values) checkNumber(operation, name, values[name], ranges[name])
  return settings
}

/**
 * The settings as they are at `step` under `control`: overrides win; the rate is schedule(step) * rateScale unless it
 * is overridden itself.
 *
 * @throws RangeError where the schedule or an override gives a number out of range, or an override has an unknown name
 */
export function settingsAt<N extends string>(
  settings: Settings<N>,
  step: number,
  control: Control = untouched,
): { [n in N | 'learningRate']: number } {
  const { operation, learningRate, values, ranges } = settings
  checkNumber(operation, 'step', step, count)
  const { rateScale, overrides } = control
  for (const name in overrides) {
    if ((name === 'learningRate' && learningRate !== undefined) || Object.hasOwn(values, name)) continue
    failUnknown(operation, name, namesOf(settings))
  }
  const result: Record<string, number> = {}
  if (learningRate !== undefined) {
    const scheduled = typeof learningRate === 'number' ? learningRate : learningRate(step)
    if (typeof learningRate !== 'number')
      checkNumber(operation, `the schedule's rate at step ${step}`, scheduled, notNegative)
    const scaled = scheduled * checkNumber(operation, 'rateScale', rateScale, notNegative)
    result.learningRate = checkNumber(
      operation,
      'learningRate',
      overrides.learningRate ?? scaled,
      notNegative,
    )
  }
  for (const name in values) {
    const value = overrides[name]
    result[name] = value === undefined ? values[name] : checkNumber(operation, name, value, ranges[name])
  }
  return result as { [n in N | 'learningRate']: number }
}

/** Refuses an override of a name that there is not. */
export function failUnknown(operation: string, name: string, names: readonly string[]): never {
  return failRange(
    operation,
    `unknown hyperparameter in overrides, got '${name}'`,
    names.length === 0 ? 'it has none' : `use ${names.join(', ')}`,
  )
}

/**
 * The `hyper` of an optimizer whose numbers know the step by the schedule alone. Where the rate follows none, all steps under
 * one control get the same frozen object: nothing is made at a step.
 */
export function hyperOf<N extends string>(
  settings: Settings<N>,
): (step: number, control?: Control) => { [n in N | 'learningRate']: number } {
  const { operation, learningRate } = settings
  if (typeof learningRate === 'function') return (step, control) => settingsAt(settings, step, control)
  let known: Control | null = null
  let numbers = Object.freeze(settingsAt(settings, 0))
  return (step, control = untouched) => {
    checkNumber(operation, 'step', step, count)
    if (control !== known) numbers = Object.freeze(settingsAt(settings, step, control))
    known = control
    return numbers
  }
}

/**
 * One of `hyper`'s numbers as a scalar tensor; one that is a tensor already stays itself, and its tape sees the use.
 *
 * @throws RangeError where it is missing or has axes
 */
export function scalar(operation: string, hyper: Hyper, name: string): Tensor {
  const value = hyper[name]
  if (typeof value === 'number') return tensor(value)
  if (!(value instanceof Tensor)) {
    failRange(
      operation,
      `${name} is missing in hyper, got ${Object.keys(hyper).join(', ') || 'nothing'}`,
      'pass what hyper(step, control) returned',
    )
  }
  if (value.rank !== 0)
    failRange(operation, `${name} must be a scalar, got shape ${showShape(value.shape)}`, 'reshape it to []')
  return value
}
