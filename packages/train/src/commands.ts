import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { ParametersSnapshot, RunSnapshot } from './snapshots.ts'

/**
 * What callbacks and the outside may ask of a run.
 *
 * - `stop`: no further step; `finishing` and `end` follow, with this reason. The first one counts
 * - `pause`, `resume`: between two steps; a paused run costs nothing
 * - `setLearningRate`: this rate from the next step on, whatever the schedule says; null gives it back to the schedule
 * - `scaleLearningRate`: the schedule's rate times `scale`
 * - `setHyperparameter`: one of the optimizer's numbers, by name; null gives it back to the optimizer's options
 * - `freeze`, `unfreeze`: parameters whose path the pattern names (`layers.0.**`) stay as they are, with their slots, or are trained
 * - `checkpoint`: keeps a snapshot of the run, and shows it in a `checkpoint` event
 * - `restore`: back to a checkpoint (its step, or the latest) or to a snapshot. `parameters` is weights and layer state, with which
 *   the optimizer begins where no step was made;
 *   `all` is the whole run: optimizer, kept values, step, and the place in the data
 * - `malformed`: nobody gives it. It stands in an event in the place of what came from outside and is no command
 */
export type TrainCommand =
  | { readonly type: 'stop'; readonly reason?: string }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  | { readonly type: 'checkpoint' }
  | { readonly type: 'setLearningRate'; readonly learningRate: number | null }
  | { readonly type: 'scaleLearningRate'; readonly scale: number }
  | { readonly type: 'setHyperparameter'; readonly name: string; readonly value: number | null }
  | { readonly type: 'freeze' | 'unfreeze'; readonly path: string }
  | { readonly type: 'restore'; readonly from: number | 'latest' | RunSnapshot; readonly what?: 'all' }
  | {
      readonly type: 'restore'
      readonly from: number | 'latest' | ParametersSnapshot
      readonly what: 'parameters'
    }
  | { readonly type: 'malformed'; readonly problem: string }

/** A command and who gave it: a callback's name, or `commands` for the outside. */
export interface Sourced {
  readonly command: TrainCommand
  readonly source: string
  /** Whether a refusal is only reported: what comes from the outside must not end a run by a slip. */
  readonly lenient: boolean
}

/**
 * The commands of one boundary by kind, the last of each first: where that is refused, the one before is next. A `stop` is
 * alone where there is one (the last). Kinds are in the order in which their last ones came. `pause` and `resume` are of one kind;
 * each hyperparameter is a kind of its own, and each path that is frozen or not.
 *
 * @example
 * const given = [{ type: 'pause' }, { type: 'setLearningRate', learningRate: 0.1 }, { type: 'resume' }]
 * const decided = decide(given.map((command) => ({ command, source: 'test', lenient: false })))
 * decided.map((kind) => kind.map(({ command }) => command.type)) // => [['setLearningRate'], ['resume', 'pause']]
 */
export function decide(given: readonly Sourced[]): readonly (readonly Sourced[])[] {
  const stop = given.findLast(({ command }) => command.type === 'stop')
  if (stop !== undefined) return [[stop]]
  const kinds = new Map<string, Sourced[]>()
  for (const sourced of given.toReversed()) {
    const name = kind(sourced.command)
    const same = kinds.get(name)
    if (same === undefined) kinds.set(name, [sourced])
    else same.push(sourced)
  }
  return [...kinds.values()].reverse()
}

function kind(command: TrainCommand): string {
  if (command.type === 'pause' || command.type === 'resume') return 'pause or resume'
  if (command.type === 'freeze' || command.type === 'unfreeze') return `freeze ${command.path}`
  return command.type === 'setHyperparameter' ? `set ${command.name}` : command.type
}

const known: readonly string[] = [
  'stop',
  'pause',
  'resume',
  'checkpoint',
  'setLearningRate',
  'scaleLearningRate',
  'setHyperparameter',
  'freeze',
  'unfreeze',
  'restore',
] satisfies TrainCommand['type'][]

/** Throws unless `command` is one by its form; its numbers are checked where it is acted on. */
export function requireCommand(command: unknown): asserts command is TrainCommand {
  if (typeof command !== 'object' || command === null || !('type' in command)) {
    failType(
      'fit',
      `a command must be an object with a type, got ${kindOf(command)}`,
      "emit { type: 'stop' }",
    )
  }
  if (command.type === 'malformed') return
  if (typeof command.type !== 'string' || !known.includes(command.type)) {
    failRange('fit', `unknown command '${String(command.type)}'`, `use one of ${known.join(', ')}`)
  }
  if (command.type !== 'stop' || !('reason' in command) || command.reason === undefined) return
  if (typeof command.reason !== 'string') {
    failType('fit', `the reason of stop must be a string, got ${kindOf(command.reason)}`)
  }
}

/** What is refused in the place of a command, for what was wrong with that. */
export function malformed(error: unknown): TrainCommand {
  return { type: 'malformed', problem: error instanceof Error ? error.message : String(error) }
}
