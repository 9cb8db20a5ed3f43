import { failType } from '@tapeflow/autodiff'
import type { CheckpointEvent, TrainEvent } from '../events.ts'
import { rowWidth, stepNames } from './columns.ts'
import { mapCommand, mapRun, wordsToKey } from './copied-tree.ts'
import type { EventBatch, OtherEvent } from './messages.ts'
import { type Journey, ReceivedEvent, ReceivedStep } from './received.ts'
import type { Travel } from './travel.ts'

/** Who gets the events. */
export interface Receiver<P, S> {
  readonly closed: boolean
  next(event: TrainEvent<P, S>): void
}

/**
 * Makes events of batches again, and hands over one after the other, until the receiver is closed. What tensors somebody made of
 * an event is freed when it has passed.
 */
export function unpacking<P, S>(travel: Travel, receiver: Receiver<P, S>): (batch: EventBatch) => void {
  let journey: Journey = { travel, names: { losses: [], metrics: [] } }

  const other = ({ fields, shows, weights }: OtherEvent): void => {
    if (shows) {
      const event = new ReceivedEvent<P, S>(fields, weights)
      // The fields of an event that fit emitted, and what it shows.
      receiver.next(event as unknown as TrainEvent<P, S>)
      event.pass()
      return
    }
    // As above.
    const event = fields as unknown as TrainEvent<P, S>
    if (event.type === 'start') journey = { travel, names: stepNames(event.info) }
    receiver.next(withKeys(event))
  }

  const withKeys = (event: TrainEvent<P, S>): TrainEvent<P, S> => {
    if (event.type === 'end') return { ...event, result: mapRun(event.result, wordsToKey) }
    if (event.type === 'command') return { ...event, command: mapCommand(event.command, wordsToKey) }
    if (event.type !== 'checkpoint') return event
    if (!travel.checkpoints) return withoutSnapshot(event)
    return { ...event, snapshot: mapRun(event.snapshot, wordsToKey) }
  }

  return ({ steps, others, shown }) => {
    let [row, nextOther, nextShown] = [0, 0, 0]
    while (!receiver.closed) {
      if (others[nextOther]?.at === row) {
        other(others[nextOther++]!)
        continue
      }
      const at = row * rowWidth(journey.names, travel.gradientNorm)
      if (at >= steps.length) return
      const isShown = shown[nextShown]?.at === row
      const event = new ReceivedStep<P, S>(steps, at, isShown ? shown[nextShown++]! : null, journey)
      row++
      receiver.next(event)
      event.pass()
    }
  }
}

function withoutSnapshot<P, S>(event: Omit<CheckpointEvent<P, S>, 'snapshot'>): CheckpointEvent<P, S> {
  return {
    ...event,
    get snapshot() {
      return failType(
        'fitInWorker',
        'checkpoints are not watched',
        "pass watch: ['checkpoints'] to fitInWorker",
      )
    },
  }
}
