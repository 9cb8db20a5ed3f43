import type { EpochEvent, EpochRecord, StartEvent, TrainEvent } from '../events.ts'
import { measuresOf } from '../measures.ts'

/**
 * A function of a run's events that calls `tell` with what each epoch came to: after its validation, or once it is known that
 * none comes. Records are copies, which stay.
 */
export function epochRecords(tell: (record: EpochRecord) => void): (event: TrainEvent) => void {
  let waiting: EpochRecord | null = null
  const told = (validation?: EpochRecord['validation']): void => {
    const record = waiting
    waiting = null
    if (record !== null) tell(validation === undefined ? record : { ...record, validation })
  }
  return (event) => {
    if (event.type === 'start') {
      // What waited was of a run before, which was given up.
      waiting = standing(event).waiting
      return
    }
    if (isRewind(event) && waiting !== null && waiting.epoch >= event.epoch) waiting = null
    if (event.type === 'command') return
    if (event.type === 'validation') told(measuresOf(event))
    else if (event.type !== 'checkpoint') told()
    if (event.type === 'epoch') {
      waiting = recordOf(event)
      if (!event.validates) told()
    }
  }
}

/** The epochs that a run has behind it where it starts, and the one among them that has yet to be validated. */
export function standing({ epoch, info: { resumed } }: StartEvent): {
  readonly told: readonly EpochRecord[]
  readonly waiting: EpochRecord | null
} {
  if (resumed === undefined) return { told: [], waiting: null }
  const { history, awaitsValidation, batch } = resumed
  const last = history.at(-1)
  // Within an epoch the last of history is the one before.
  const isWaiting = awaitsValidation && last?.epoch === (batch === 0 ? epoch - 1 : epoch)
  return isWaiting ? { told: history.slice(0, -1), waiting: last } : { told: history, waiting: null }
}

function recordOf(event: EpochEvent): EpochRecord {
  const { epoch, learningRate, seconds, training, validation } = event
  return {
    epoch,
    ...measuresOf(event),
    learningRate,
    seconds,
    ...(training === undefined ? {} : { training }),
    ...(validation === undefined ? {} : { validation }),
  }
}

/** Whether the run is back at an earlier place, which is the event's: what was measured from there on does not count. */
export function isRewind(event: TrainEvent): boolean {
  if (event.type !== 'command' || event.refused !== undefined) return false
  return event.command.type === 'restore' && event.command.what !== 'parameters'
}
