import type { Sourced, TrainCommand } from './commands.ts'
import type { RunSnapshot } from './snapshots.ts'

/** How a run can be brought back to any of its steps. */
export interface TimeTravelOptions {
  /** Every how many steps a snapshot is kept: so many are made again at most, at first. */
  readonly every: number
  /**
   * How many snapshots are kept in memory, 16 by default; each is as large as weights, slots and layer state. When there are
   * more, every other one goes, and from then on they are taken half as often.
   */
  readonly keep?: number
}

/** The way that a run has come: snapshots, and what was asked of it from outside between them. */
export interface TimeTravel<P, S> {
  /** Before each step: keeps a snapshot where one is due. */
  note(step: number, take: () => RunSnapshot<P, S>): void
  /** Notes a command that acted. */
  heard(step: number, sourced: Sourced): void
  /** The last snapshot at or before a step; undefined where that has not been kept. */
  nearest(step: number): RunSnapshot<P, S> | undefined
  /** What came from outside before a step was made, in order: to be noted again when it acts again. */
  takeCommands(step: number): Sourced[]
  /** Forgets what came after a step, and with `alsoCommands` what was asked for then. */
  forget(after: number, alsoCommands: boolean): void
}

const keptByDefault = 16

// Those that change what steps are made; callbacks ask for theirs again.
const steering: readonly TrainCommand['type'][] = [
  'setLearningRate',
  'scaleLearningRate',
  'setHyperparameter',
  'freeze',
  'unfreeze',
  'restore',
]

/** A way that has not begun. */
export function timeTravel<P, S>({ every, keep = keptByDefault }: TimeTravelOptions): TimeTravel<P, S> {
  let interval = every
  let snapshots: RunSnapshot<P, S>[] = []
  let commands: { readonly step: number; readonly sourced: Sourced }[] = []
  return {
    note(step, take) {
      if (step % interval !== 0 && snapshots.length > 0) return
      const last = snapshots.at(-1)
      if (last !== undefined && last.step >= step) return
      snapshots.push(take())
      if (snapshots.length <= keep) return
      interval *= 2
      // The first stays: from there every step can be reached.
      snapshots = snapshots.filter((snapshot, i) => i === 0 || snapshot.step % interval === 0)
    },
    heard(step, sourced) {
      const { command, lenient } = sourced
      if (!lenient || !steering.includes(command.type)) return
      // Of all it is a way of its own; of parameters it is on this one.
      if (command.type === 'restore' && command.what !== 'parameters') return
      commands.push({ step, sourced })
    },
    nearest: (step) => snapshots.findLast((snapshot) => snapshot.step <= step),
    takeCommands(step) {
      const taken = commands.filter((one) => one.step === step).map(({ sourced }) => sourced)
      commands = commands.filter((one) => one.step !== step)
      return taken
    },
    forget(after, alsoCommands) {
      snapshots = snapshots.filter(({ step }) => step <= after)
      if (alsoCommands) commands = commands.filter(({ step }) => step <= after)
    },
  }
}
