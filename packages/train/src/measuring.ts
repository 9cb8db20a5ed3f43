import type { Pull } from '@tapeflow/data'
import type { TrainBatch } from './batch.ts'
import { evaluation } from './evaluation.ts'
import type { Measures } from './events.ts'
import { stepFailureOf } from './failure.ts'
import { frozen } from './frozen.ts'
import { interruptible } from './interruptible.ts'
import { measuresOf } from './measures.ts'
import type { Pulling } from './reading.ts'
import { lossValues, metricValues } from './run-state.ts'
import { isComplete, measure, type Session, show, shownNow } from './session.ts'
import { PassingEvent } from './showing.ts'
import type { Program } from './slices.ts'

/** What a pass came to, and how many rows it had. */
interface Measured extends Measures {
  readonly rows: number
}

/** Whether the step that has just been made is one after which the run validates, within its epoch. */
export function isDueWithin<P, S>({ run, options }: Session<P, S>): boolean {
  const { validation, validateEvery, data } = options
  if (validation === undefined || validateEvery === undefined) return false
  if (validateEvery.steps !== undefined) return run.step % validateEvery.steps === 0
  if (validateEvery.epochs >= 1) return false
  // After the last batch of the epoch it is told first how that went.
  const [parts, batches] = [Math.round(1 / validateEvery.epochs), data.length!]
  if (run.batch === batches) return false
  return Math.floor((run.batch * parts) / batches) > Math.floor(((run.batch - 1) * parts) / batches)
}

/** Whether the run validates when it has told how the epoch went: when it is due, and in any case after the last one. */
export function isDueAfterEpoch<P, S>(session: Session<P, S>, epoch: number): boolean {
  const { run, options } = session
  const { validation, validateEvery: { steps, epochs } = { epochs: 1 } } = options
  if (validation === undefined) return false
  if (isComplete(session)) return run.lastValidation?.step !== run.step
  return steps === undefined && (epochs < 1 || (epoch + 1) % epochs === 0)
}

/**
 * Reads the validation data once, and tells what it came to. Commands that come meanwhile act at its end; where its next batch is
 * awaited, a `stop` is its end.
 */
export function* validation<P, S>(session: Session<P, S>): Program {
  const { run, options, time, boundary } = session
  const found = yield* measured(session, options.validation!.iterate(0), 'validation data')
  if (found === null) return boundary.settle()
  const epoch = run.batch === 0 ? run.epoch - 1 : run.epoch
  const measures = measuresOf(found)
  run.awaitsValidation = false
  run.lastValidation = frozen({ step: run.step, epoch, ...measures })
  measure(run, 'validation', found)
  const last = run.history.at(-1)
  if (last?.epoch === epoch) run.history[run.history.length - 1] = frozen({ ...last, validation: measures })
  const event = new PassingEvent('validation', run.step, epoch, shownNow(session), session.take)
  show(session, Object.assign(event, found, { seconds: time.seconds() }))
  yield* interruptible(session)
}

/** What the training data of this epoch comes to with the weights as they are, and the model as it is at inference. */
export function* evaluatedOnTraining<P, S>(
  session: Session<P, S>,
): Pulling<Measures | undefined, 'hold' | undefined> {
  const { run, options } = session
  const found = yield* measured(session, options.data.iterate(run.epoch), 'training data')
  return found === null ? undefined : measuresOf(found)
}

/** Reads a pass to its end, forward only; null where the run is stopped while a batch is awaited. */
function* measured<P, S>(
  { run, recipe, steps, log, boundary }: Session<P, S>,
  pull: Pull<TrainBatch>,
  what: string,
): Pulling<Measured | null, 'hold' | undefined> {
  const sums = yield* evaluation(pull, {
    operation: 'fit',
    log,
    giveUp: boundary.isStopAsked,
    steps,
    metrics: recipe.metrics,
    carry: () => run.carry,
    failed: (_, cause) => stepFailureOf(`validation after step ${run.step}`, cause, steps.compiled),
    what,
  })
  if (sums === null) return null
  return {
    loss: sums.loss / sums.weight,
    ...lossValues(sums),
    metrics: metricValues(recipe.metrics, sums.metrics),
    rows: sums.rows,
  }
}
