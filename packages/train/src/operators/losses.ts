import { filter, map, type OperatorFunction } from 'rxjs'
import type { TrainEvent } from '../events.ts'
import { type LossRecord, lossRecord, PassingStep } from '../showing.ts'

/**
 * An operator from a run's events to the loss of each step, with the running loss and the learning rate: plain objects,
 * safe before `throttleTime`, `bufferTime` and `shareReplay`. A step has one record, which all who ask are given.
 *
 *     fit      start step step epoch step end
 *     losses         l    l          l
 *
 * @example
 * const seen = []
 * of({ type: 'step', step: 0, epoch: 0, batch: 0, loss: 2, runningLoss: 2, learningRate: 0.1 }).pipe(losses()).subscribe((l) => seen.push(l.loss))
 * seen // => [2]
 */
export function losses(): OperatorFunction<TrainEvent, LossRecord> {
  return (events$) =>
    events$.pipe(
      filter((event) => event.type === 'step'),
      map((event) => (event instanceof PassingStep ? event.record : lossRecord(event))),
    )
}
