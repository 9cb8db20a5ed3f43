import type { EpochEvent, EpochRecord, TrainEvent } from '../events.ts'

/**
 * A function of a run's events that calls `tell` with what each epoch came to: after its validation, or once it is known that
 * none comes. Records are copies, which stay.
 */
export function epochRecords(tell: (record: EpochRecord) => void): (event: TrainEvent) => void {
  let waiting: EpochRecord | null = null
  let validated = true
  const told = (validation?: EpochRecord['validation']): void => {
    const record = waiting
    waiting = null
    if (record !== null) tell(validation === undefined ? record : { ...record, validation })
  }
  return (event) => {
    if (event.type === 'start') {
      // Of a run before, which was given up.
      waiting = null
      validated = event.info.hasValidation
    }
    if (isRewind(event) && waiting !== null && waiting.epoch >= event.epoch) waiting = null
    if (event.type === 'command') return
    if (event.type === 'validation') told({ loss: event.loss, metrics: event.metrics })
    else if (event.type !== 'checkpoint') told()
    if (event.type === 'epoch') {
      waiting = recordOf(event)
      if (!validated) told()
    }
  }
}

function recordOf({ epoch, loss, metrics, learningRate, seconds }: EpochEvent): EpochRecord {
  return { epoch, loss, metrics, learningRate, seconds }
}

/** Whether the run is back at an earlier place, which is the event's: what was measured from there on does not count. */
export function isRewind(event: TrainEvent): boolean {
  if (event.type !== 'command' || event.refused !== undefined) return false
  return event.command.type === 'restore' && event.command.what !== 'parameters'
}
