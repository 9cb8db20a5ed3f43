import type { TrainEvent } from '../events.ts'
import type { RunSnapshot } from '../snapshots.ts'

/** What the whole run was restored from, if the event tells of that. */
export function restoredFrom(event: TrainEvent): number | 'latest' | RunSnapshot | null {
  if (event.type !== 'command' || event.refused !== undefined) return null
  const { command } = event
  return command.type === 'restore' && command.what !== 'parameters' ? command.from : null
}
