import type { RunInfo, TrainEvent } from '../events.ts'
import { glob } from '../watch.ts'

/** What is known of a run beside the event that is looked at: what it said at its start, and what is frozen since. */
export class KnownRun {
  /** Undefined where the start was not heard. */
  info: RunInfo | undefined
  #frozen: readonly string[] = []
  /** The oldest first: of all that name a parameter the last one counts. */
  #commands: { readonly step: number; readonly pattern: RegExp; readonly freezes: boolean }[] = []

  hear(event: TrainEvent): void {
    if (event.type === 'start') {
      this.info = event.info
      this.#begin(event.info?.resumed?.frozen)
    }
    if (event.type !== 'command' || event.refused !== undefined) return
    const { command, step } = event
    if (command.type === 'freeze' || command.type === 'unfreeze') {
      this.#commands.push({ step, pattern: glob(command.path), freezes: command.type === 'freeze' })
    } else if (command.type === 'restore' && command.what !== 'parameters') {
      if (typeof command.from === 'object') this.#begin(command.from.frozen)
      else this.#commands = this.#commands.filter((one) => one.step <= step)
    }
  }

  /** The paths of the parameters in the order in which the model made them; undefined where that is not known. */
  get parameters(): readonly string[] | undefined {
    return this.info === undefined ? undefined : Object.keys(this.info.parameters)
  }

  isFrozen(path: string): boolean {
    const last = this.#commands.findLast(({ pattern }) => pattern.test(path))
    return last?.freezes ?? this.#frozen.includes(path)
  }

  #begin(frozen: readonly string[] = []): void {
    this.#frozen = frozen
    this.#commands = []
  }
}
