import type { TrainEvent } from './events.ts'
import { copyOf } from './snapshots.ts'

/**
 * An event as it is handed to the owner and the callbacks: in the place of a snapshot, which the run keeps, writes and goes back to,
 * there is a copy, made where it is first looked at. Other events are handed out as they are.
 */
export function handed<P, S>(event: TrainEvent<P, S>): TrainEvent<P, S> {
  if (event.type === 'checkpoint') return showing(event, 'snapshot')
  if (event.type === 'end') return showing({ ...event, history: [...event.history] }, 'result')
  return event
}

/** An event as it is handed to one monitor. Commands are copied, too: a callback may send the same again, and keep its snapshot. */
export function handedToMonitor<P, S>(event: TrainEvent<P, S>): TrainEvent<P, S> {
  if (event.type !== 'command') return handed(event)
  const { command, refused } = event
  const shows = command.type === 'restore' && typeof command.from === 'object' && refused === undefined
  return { ...event, command: shows ? showing(command, 'from') : { ...command } }
}

function showing<O extends object>(object: O, name: keyof O): O {
  let copy: unknown
  const get = (): unknown => (copy ??= copyOf(object[name]))
  return Object.defineProperty({ ...object }, name, { enumerable: true, get })
}
