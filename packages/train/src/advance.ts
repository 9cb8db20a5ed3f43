import { leaves } from '@tapeflow/autodiff'
import { rowsOf, type TrainBatch, weightOf } from './batch.ts'
import { stepFailureOf } from './failure.ts'
import { addLosses, freeRetired, metricValues, replaceCarry } from './run-state.ts'
import { rate, type Session } from './session.ts'
import { PassingStep } from './showing.ts'
import type { RunSnapshot } from './snapshots.ts'
import type { Outcome } from './steps.ts'

/** What steps are made with. */
export type Stepping<P, S> = Pick<
  Session<P, S>,
  'run' | 'steps' | 'recipe' | 'time' | 'take' | 'log' | 'expected' | 'rows' | 'since'
>

/** Tells, once, where steps are not what they were when the snapshot was taken, by the programs of batches of one shape. */
function recogniseSteps<P, S>(session: Stepping<P, S>, expected: RunSnapshot['programs']): void {
  const made = session.steps.programs()
  const other = Object.keys(made).find((batch) => (expected[batch] ?? made[batch]) !== made[batch])
  // As long as nothing is other, batches of other shapes are waited for.
  if (other !== undefined || Object.keys(expected).every((batch) => batch in made)) session.expected = null
  if (other === undefined) return
  session.log(
    'fit: the steps are not what the snapshot was taken with: model, loss or optimizer are others; ' +
      'the run goes on, but not as it would have',
    `program ${made[other]}, not ${expected[other]}, for a batch of ${other}`,
  )
}

/** One optimizer step, and the event that tells of it. The run is then at the next. */
export function advance<P, S>(session: Stepping<P, S>, batch: TrainBatch): PassingStep<P, S> {
  const { run, steps, recipe, time } = session
  const { recorded } = steps
  let outcome: Outcome<P, S>
  try {
    outcome = steps.train(run, batch)
  } catch (cause) {
    throw stepFailureOf(`step ${run.step} of epoch ${run.epoch}`, cause, steps.compiled)
  }
  replaceCarry(run, outcome.carry)
  if (session.expected !== null && steps.recorded !== recorded) recogniseSteps(session, session.expected)
  if (!steps.compiled) {
    freeRetired(run)
    const { gradients, squares, activations } = outcome
    run.retired.push(...leaves([gradients, squares, activations]))
  }

  const loss = outcome.loss.item()
  const { learningRate, metrics } = steps.readings
  const rows = rowsOf(batch)
  const weight = weightOf(batch)
  const { sums } = run
  sums.loss += loss * weight
  addLosses(sums, steps.readings.losses, weight)
  sums.weight += weight
  sums.rows += rows
  sums.metrics = metrics
  run.learningRate = learningRate
  run.lastBatch = batch
  session.rows += rows

  const seconds = time.seconds()
  const event = new PassingStep(
    run,
    outcome,
    session.take,
    rows,
    loss,
    steps.readings.losses,
    outcome.penalty === null ? 0 : outcome.penalty.item(),
    learningRate,
    metricValues(recipe.metrics, metrics),
    seconds,
    rate(session.rows, seconds - session.since),
  )
  run.step++
  run.batch++
  return event
}
