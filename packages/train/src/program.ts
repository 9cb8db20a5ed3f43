import { leaves } from '@tapeflow/autodiff'
import type { Pull } from '@tapeflow/data'
import { type TrainBatch, weightOf } from './batch.ts'
import type { EpochRecord, RunInfo } from './events.ts'
import { stepFailureOf } from './failure.ts'
import { awaited, checked, close, failEmpty } from './reading.ts'
import { freeRetired, metricValues, noSums, replaceCarry, runSnapshot } from './run-state.ts'
import { type Session, show, shownNow } from './session.ts'
import { PassingEvent, PassingStep } from './showing.ts'
import type { Program } from './slices.ts'
import type { Outcome } from './steps.ts'

/** The first pass over the data, with the batch that the model was initialised for. */
export interface Opened {
  readonly pull: Pull<TrainBatch>
  readonly first: TrainBatch
}

/**
 * A training run: what happens to a batch, from top to bottom. It may be put down wherever it yields.
 *
 * @param opened read first; this program closes it
 */
export function* training<P, S>(session: Session<P, S>, info: RunInfo, opened: Opened): Program {
  const { run, flow, boundary, history } = session
  let first: Opened | null = opened
  try {
    show(session, { type: 'start', step: run.step, epoch: run.epoch, info })
    yield* interruptible(session)
    while (flow.stop === null && !isComplete(session)) {
      if (flow.rewound && first !== null) close(first.pull, session.log)
      const pass: Opened | null = flow.rewound ? null : first
      first = null
      flow.rewound = false
      yield* epoch(session, pass)
    }
  } finally {
    if (first !== null) close(first.pull, session.log)
  }

  flow.phase = 'finishing'
  const reason = flow.stop ?? 'completed'
  const finishing = new PassingEvent('finishing', run.step, run.epoch, shownNow(session), session.take)
  show(session, Object.assign(finishing, { reason }))
  yield
  flow.phase = 'ended'
  const result = runSnapshot(run)
  show(session, { type: 'end', step: run.step, epoch: run.epoch, reason, result, history })
  boundary.end()
}

function isComplete<P, S>({ run, options }: Session<P, S>): boolean {
  return options.epochs === undefined ? run.step >= options.steps! : run.epoch >= options.epochs
}

/** Lets others have their turn; acts on what came meanwhile, and waits while the run is paused. */
function* interruptible<P, S>(session: Session<P, S>): Program {
  const { flow, boundary } = session
  yield
  boundary.settle()
  if (flow.paused) yield* paused(session)
}

function* paused<P, S>({ flow, boundary, time }: Session<P, S>): Program {
  time.hold()
  while (flow.paused && flow.stop === null) {
    yield 'hold'
    boundary.settle()
  }
  time.go()
}

/** Reads the data once, or what a restored run has left of it, and makes a step with each batch. */
function* epoch<P, S>(session: Session<P, S>, opened: Opened | null): Program {
  const { run, flow, boundary, options, time } = session
  const interrupted = (): boolean => flow.stop !== null || flow.rewound
  const nowInterrupted = (): boolean => {
    boundary.settle()
    return interrupted()
  }
  session.rows = 0
  session.since = time.seconds()
  const pull = opened?.pull ?? options.data.iterate(run.epoch)
  let batch = opened?.first
  let skip = run.batch
  let ended = false
  try {
    while (!isComplete(session)) {
      if (batch === undefined) {
        const pulled = pull.next()
        const arrived = checked(pulled instanceof Promise ? yield* awaited(pulled, nowInterrupted) : pulled)
        if (flow.paused) yield* interruptible(session)
        if (arrived === undefined || interrupted()) return
        ended = arrived.done === true
        if (arrived.done) break
        batch = arrived.value
      }
      if (skip > 0) skip--
      else {
        show(session, step(session, batch))
        // As `interruptible`, with no garbage at every step.
        if (session.isDue()) yield
        boundary.settle()
        if (flow.paused) yield* paused(session)
        if (interrupted()) return
      }
      batch = undefined
    }
  } finally {
    if (!ended) close(pull, session.log)
  }
  if (run.batch === 0) failEmpty(`data of epoch ${run.epoch}`)
  yield* endOfEpoch(session, ended || run.batch === options.data.length)
}

/** One optimizer step, and the event that tells of it. */
function step<P, S>(session: Session<P, S>, batch: TrainBatch): PassingStep<P, S> {
  const { run, steps, recipe, time } = session
  let outcome: Outcome<P, S>
  try {
    outcome = steps.train(run, batch)
  } catch (cause) {
    throw stepFailureOf(`step ${run.step} of epoch ${run.epoch}`, cause, steps.compiled)
  }
  replaceCarry(run, outcome.carry)
  if (!steps.compiled) {
    freeRetired(run)
    const { gradients, squares, activations } = outcome
    run.retired.push(...leaves([gradients, squares, activations]))
  }

  const loss = outcome.loss.item()
  const { learningRate, metrics } = steps.readings
  const rows = batch.x.shape[0]!
  const weight = weightOf(batch)
  const { sums } = run
  sums.loss += loss * weight
  sums.weight += weight
  sums.rows += rows
  sums.metrics = metrics
  session.learningRate = learningRate
  session.rows += rows

  const seconds = time.seconds()
  const event = new PassingStep(
    run,
    outcome,
    session.take,
    rows,
    loss,
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

function rate(rows: number, seconds: number): number {
  return seconds > 0 ? rows / seconds : 0
}

/** Tells how the epoch went, then validates. */
function* endOfEpoch<P, S>(session: Session<P, S>, whole: boolean): Program {
  const { run, flow, recipe, options, time, history } = session
  const { epoch: number, batch: batches, sums } = run
  if (whole) {
    run.epoch++
    run.batch = 0
    run.sums = noSums(recipe.metrics)
  }
  const seconds = time.seconds()
  const record: EpochRecord = {
    epoch: number,
    loss: sums.loss / sums.weight,
    metrics: metricValues(recipe.metrics, sums.metrics),
    learningRate: session.learningRate,
    seconds,
  }
  history.push(record)
  const event = new PassingEvent('epoch', run.step, number, shownNow(session), session.take)
  const samplesPerSecond = rate(session.rows, seconds - session.since)
  show(session, Object.assign(event, record, { batches, rows: sums.rows, samplesPerSecond }))
  yield* interruptible(session)
  if (options.validation === undefined || flow.stop !== null || flow.rewound) return
  yield* validation(session, number)
}

function evaluated<P, S>(
  { run, steps }: Session<P, S>,
  batch: TrainBatch,
  metrics: readonly unknown[],
): number {
  try {
    return steps.evaluate(run.carry, batch, metrics)
  } catch (cause) {
    throw stepFailureOf(`validation after step ${run.step}`, cause, steps.compiled)
  }
}

/** Reads the validation data once, forward only. Commands that come meanwhile act at its end. */
function* validation<P, S>(session: Session<P, S>, number: number): Program {
  const { run, recipe, steps, options, time, history } = session
  const pull = options.validation!.iterate(0)
  const sums = noSums(recipe.metrics)
  let ended = false
  try {
    while (!ended) {
      const pulled = pull.next()
      const arrived = checked(pulled instanceof Promise ? yield* awaited(pulled, () => false) : pulled)
      if (arrived === undefined || arrived.done) {
        ended = true
        break
      }
      const weight = weightOf(arrived.value)
      sums.loss += evaluated(session, arrived.value, sums.metrics) * weight
      sums.weight += weight
      sums.rows += arrived.value.x.shape[0]!
      sums.metrics = steps.readings.metrics
      yield
    }
  } finally {
    if (!ended) close(pull, session.log)
  }
  if (sums.rows === 0) failEmpty('validation data')
  const found = { loss: sums.loss / sums.weight, metrics: metricValues(recipe.metrics, sums.metrics) }
  const last = history.pop()!
  history.push({ ...last, validation: found })
  const event = new PassingEvent('validation', run.step, number, shownNow(session), session.take)
  show(session, Object.assign(event, found, { rows: sums.rows, seconds: time.seconds() }))
  yield* interruptible(session)
}
