import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { connect, defer, merge, type OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'

/**
 * One operator of several diagnostics: what each of them finds, of one run.
 *
 *     fit            start step step epoch step end
 *     first                      d
 *     second                           e
 *     diagnostics                d     e
 *
 * As the subscriber's pipe it makes a stream of findings out of a run. To watch a run beside, pipe a Subject, and pass that among
 * `monitors`. It changes nothing of the run; a callback that maps its events to commands does.
 *
 * @param list diagnostics: `vanishingGradient()`, `lossSpike()`
 * @throws RangeError without any; TypeError where one is no operator
 * @example
 * const steps$ = from([1, 1.1, 0.9, 1, 90].map((loss, step) => ({ type: 'step', step, epoch: 0, loss })))
 * const found = []
 * steps$.pipe(diagnostics(plateau(), lossSpike({ window: 4 }))).subscribe(({ name, step }) => found.push([name, step]))
 * found // => [['lossSpike', 4]]
 */
export function diagnostics(
  ...list: readonly OperatorFunction<TrainEvent, DiagnosticEvent>[]
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  if (list.length === 0) failRange('diagnostics', 'nothing to look for', 'pass vanishingGradient() or others')
  for (const one of list) {
    if (typeof one === 'function') continue
    failType('diagnostics', `a diagnostic must be an operator, got ${kindOf(one)}`, 'pass lossSpike()')
  }
  return (run$) =>
    defer(() => run$.pipe(connect((events$) => merge(...list.map((one) => events$.pipe(one))))))
}
