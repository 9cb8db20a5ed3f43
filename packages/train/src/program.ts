import type { Pull } from '@tapeflow/data'
import { act } from './act.ts'
import { advance } from './advance.ts'
import { digestOf, type TrainBatch } from './batch.ts'
import type { EpochRecord, RunInfo } from './events.ts'
import { frozen } from './frozen.ts'
import { interruptible, isHeld, paused } from './interruptible.ts'
import { measuresOf } from './measures.ts'
import { evaluatedOnTraining, isDueAfterEpoch, isDueWithin, validation } from './measuring.ts'
import type { Log } from './monitors/guard.ts'
import { granted } from './pacing.ts'
import { awaited, checked, close, failEmpty, given } from './reading.ts'
import { lossValues, metricValues, noSums } from './run-state.ts'
import { type Flow, isComplete, measure, rate, type Session, show, shownNow, snapshotOf } from './session.ts'
import { PassingEvent } from './showing.ts'
import type { Program } from './slices.ts'
import type { TimeTravel } from './time-travel.ts'

/** The first pass over the data, with the batch that the model was initialised for. */
export interface Opened {
  readonly pull: Pull<TrainBatch>
  readonly first: TrainBatch
}

/** Why a run ends whose live data gives nothing more. */
export const dataIsOver = 'the live data is over'

/**
 * A training run: what happens to a batch, from top to bottom. It may be put down wherever it yields.
 *
 * @param opened read first; this program closes it
 */
export function* training<P, S>(session: Session<P, S>, info: RunInfo, opened: Opened): Program {
  const { run, flow, options } = session
  let first: Opened | null = opened
  try {
    show(session, { type: 'start', step: run.step, epoch: run.epoch, info })
    if (run.ended !== null) return yield* ending(session, run.ended)
    yield* interruptible(session)
    while (flow.stop === null && (run.awaitsValidation || !isComplete(session) || owesEpoch(session))) {
      if (run.awaitsValidation) {
        yield* validation(session)
        continue
      }
      if (isComplete(session)) {
        yield* endOfEpoch(session, run.batch === options.data.length)
        continue
      }
      if (flow.rewound && first !== null) close(first.pull, session.log)
      const pass: Opened | null = flow.rewound ? null : first
      first = null
      flow.rewound = false
      yield* epoch(session, pass)
    }
  } finally {
    if (first !== null) close(first.pull, session.log)
  }

  if (flow.replay !== null) askAgain(session, session.travel!, { ...flow.replay, to: run.step })
  flow.phase = 'finishing'
  const reason = flow.stop ?? 'completed'
  const finishing = new PassingEvent('finishing', run.step, run.epoch, shownNow(session), session.take)
  show(session, Object.assign(finishing, { reason }))
  yield
  session.boundary.settle()
  yield* ending(session, reason)
}

/** Tells what the run came to, once that is on its way into the store. */
function* ending<P, S>(session: Session<P, S>, reason: string): Program {
  const { run, flow, boundary, writer } = session
  flow.phase = 'ended'
  const isNew = run.ended === null
  run.ended = reason
  const result = snapshotOf(session)
  if (isNew) writer?.write(result)
  // Whoever hears of the end may open the store.
  writer?.close()
  show(session, { type: 'end', step: run.step, epoch: run.epoch, reason, result, history: result.history })
  const written = writer?.flushed() ?? null
  if (written !== null) yield* awaited(written, () => false)
  boundary.end()
}

/** Whether the run goes on behind its last step, and before it was told how that epoch went. */
function owesEpoch<P, S>({ run }: Session<P, S>): boolean {
  return run.batch > 0 && run.history.at(-1)?.epoch !== run.epoch
}

/** Reads the data once, or what a restored run has left of it, and makes a step with each batch. */
function* epoch<P, S>(session: Session<P, S>, opened: Opened | null): Program {
  const { run, flow, boundary, options, time } = session
  const { data } = options
  const interrupted = (): boolean => flow.stop !== null || flow.rewound
  const nowInterrupted = (): boolean => {
    boundary.settle()
    return interrupted()
  }
  session.rows = 0
  session.since = time.seconds()
  const pull = opened?.pull ?? data.iterate(run.epoch)
  let batch = opened?.first
  let skip = data.live === true ? 0 : run.batch
  let ended = false
  // What the other run was trained with is not counted twice.
  if (session.resumes) time.hold()
  session.resumes = false
  try {
    while (!isComplete(session)) {
      if (batch === undefined) {
        const pulled = pull.next()
        const arrived = checked(
          pulled instanceof Promise ? yield* awaited(pulled.then(given), nowInterrupted) : given(pulled),
        )
        if (isHeld(flow)) yield* interruptible(session)
        if (arrived === undefined || interrupted()) return
        ended = arrived.done === true
        if (arrived.done) break
        batch = arrived.value
      }
      if (skip > 0) {
        skip--
        if (skip === 0) recognise(session, batch)
        if (session.isDue()) yield* interruptible(session)
        if (interrupted()) return
      } else {
        time.go()
        if (flow.replay !== null) {
          askAgain(session, session.travel!, flow.replay)
          if (isHeld(flow)) yield* paused(session)
        }
        if (session.pacing !== null && flow.replay === null) yield* granted(session)
        if (interrupted()) return
        session.travel?.note(run.step, () => snapshotOf(session))
        const event = advance(session, batch)
        run.awaitsValidation = isDueWithin(session)
        show(session, event)
        // As `interruptible`, with no garbage at every step.
        if (session.isDue()) yield
        boundary.settle()
        if (isHeld(flow)) yield* paused(session)
        if (interrupted()) return
        if (run.awaitsValidation) {
          yield* validation(session)
          if (interrupted()) return
        }
      }
      batch = undefined
    }
  } finally {
    time.go()
    if (!ended) close(pull, session.log)
  }
  if (ended && skip > 0) {
    const left = `${run.batch - skip} batches, not ${run.batch} or more`
    tellOtherData(session.log, `epoch ${run.epoch} ends before batch ${run.batch}`, left)
  }
  if (run.batch === 0) {
    // Live data that went on after a restore to the epoch's start, and is over: this epoch is to come.
    if (session.rows > 0) return
    // A pass of the run's own had a batch already: `opened` always has one.
    if (data.live !== true) failEmpty(`data of epoch ${run.epoch}`)
    flow.stop ??= dataIsOver
    return
  }
  yield* endOfEpoch(session, ended || run.batch === data.length)
}

/** Where steps are made again: what had been asked for before this one is asked for again, and at the end what came meanwhile. */
function askAgain<P, S>(
  session: Session<P, S>,
  travel: TimeTravel<P, S>,
  { from, to }: NonNullable<Flow['replay']>,
): void {
  const { run, flow, boundary } = session
  // What came before the snapshot is in it.
  const again = run.step === from ? [] : travel.takeCommands(run.step)
  const isThere = run.step >= to
  flow.replay = null
  if (isThere) again.push(...session.deferred.splice(0))
  for (const sourced of again) for (const event of act(session, sourced)) boundary.deliver(event)
  if (!isThere) flow.replay = { from, to }
}

/** Tells where the data is not what the snapshot was taken with, by the last batch that it had seen. */
function recognise<P, S>({ run, log }: Session<P, S>, batch: TrainBatch): void {
  const { lastBatch } = run
  if (lastBatch === null || !('digest' in lastBatch) || lastBatch.digest === digestOf(batch)) return
  tellOtherData(
    log,
    `batch ${run.batch - 1} of epoch ${run.epoch} is another`,
    `digest ${digestOf(batch)}, not ${lastBatch.digest}`,
  )
}

function tellOtherData(log: Log, what: string, detail: string): void {
  const words = `fit: the data is not what the snapshot was taken with: ${what}`
  log(`${words}; the run goes on, but not as it would have`, detail)
}

/** Tells how the epoch went, then validates where that is due. */
function* endOfEpoch<P, S>(session: Session<P, S>, whole: boolean): Program {
  const { run, flow, recipe, options, time } = session
  const training = options.evaluateTraining === true ? yield* evaluatedOnTraining(session) : undefined
  const { epoch: number, batch: batches, sums } = run
  if (whole) {
    run.epoch++
    run.batch = 0
    run.lastBatch = null
    run.sums = noSums(recipe.metrics)
  }
  run.awaitsValidation = isDueAfterEpoch(session, number)
  const seconds = time.seconds()
  const within = run.lastValidation?.epoch === number ? run.lastValidation : null
  const record: EpochRecord = frozen({
    epoch: number,
    loss: sums.loss / sums.weight,
    ...lossValues(sums),
    metrics: metricValues(recipe.metrics, sums.metrics),
    learningRate: run.learningRate,
    seconds,
    ...(training === undefined ? {} : { training }),
    ...(within === null ? {} : { validation: measuresOf(within) }),
  })
  // A run of so many steps that had ended within its epoch, and goes on, tells of it anew.
  if (run.history.at(-1)?.epoch === number) run.history.pop()
  run.history.push(record)
  measure(run, 'epoch', record)
  if (training !== undefined) measure(run, 'training', training)
  const event = new PassingEvent('epoch', run.step, number, shownNow(session), session.take)
  const samplesPerSecond = rate(session.rows, seconds - session.since)
  const more = { batches, rows: sums.rows, samplesPerSecond, validates: run.awaitsValidation }
  show(session, Object.assign(event, record, more))
  yield* interruptible(session)
  if (!run.awaitsValidation || flow.stop !== null || flow.rewound) return
  yield* validation(session)
}
