import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { isObservable, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { Asked } from './remote.ts'
import { requireSendable } from './sendable.ts'
import { parseTravel, type TravelName } from './travel.ts'

/** How the outside takes part in a run in a worker. */
export interface FitInWorkerOptions {
  /**
   * What travels with events beside their numbers: `['weights', 'gradients:layers.0.*', 'activations', 'gradientNorm',
   * 'checkpoints']`; nothing by default. Tensors come as arrays: `event.weights.snapshot()`. A pattern that matches nothing is an
   * error.
   */
  readonly watch?: readonly TravelName[]
  /** Tensors travel with the steps whose number is a multiple of it; 1 by default. Weights also do with all other events that show them. */
  readonly every?: number
  /** Commands, as `fit` takes them; they are merged with those of the module. Snapshots in them are cloned. */
  readonly commands?: Observable<TrainCommand>
}

const known = ['watch', 'every', 'commands']

/**
 * Checks what was passed to `fitInWorker`, before anything starts.
 *
 * @param more names of options that this platform has besides
 * @throws TypeError or RangeError: says what is wrong
 */
export function requireAsked(
  module: string | undefined,
  options: unknown,
  given: FitInWorkerOptions,
  more: readonly string[] = [],
): Asked {
  if (typeof given !== 'object' || given === null) {
    failType(
      'fitInWorker',
      `the third argument must be an object, got ${kindOf(given)}`,
      'pass { watch, commands }',
    )
  }
  const names = [...known, ...more]
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue
    failRange(
      'fitInWorker',
      `unknown option '${name}'`,
      `use ${names.join(', ')}; fit's own are the module's to return`,
    )
  }
  const { watch = [], every = 1, commands } = given
  parseTravel(watch, every)
  if (commands !== undefined && !isObservable(commands)) {
    failType('fitInWorker', `commands must be an Observable, got ${kindOf(commands)}`)
  }
  requireSendable(options)
  return { module, options, watch, every }
}
