import { failRange, failType, kindOf, paths } from '@tapeflow/autodiff'
import type { MachineEvent } from '@tapeflow/optim'
import type { Sourced, TrainCommand } from './commands.ts'
import type { TrainEvent } from './events.ts'
import { restoreAll, restoreParameters } from './restore.ts'
import { type Session, snapshotOf } from './session.ts'
import type { RunSnapshot } from './snapshots.ts'
import { glob } from './watch.ts'

// In memory: each is as large as weights, slots and layer state together.
const checkpointsKept = 16

/** Whether there is nothing left to do for a command: it is as if it had not come. */
export function isIdle<P, S>({ flow }: Session<P, S>, { command: { type } }: Sourced): boolean {
  const isOver = flow.phase !== 'training'
  if (type === 'stop') return isOver || flow.stop !== null
  return flow.phase === 'ended' || (isOver && (type === 'pause' || type === 'resume'))
}

/** Whether a command waits until steps are no longer made again: it would be another way than the run had come. */
export function isDeferred<P, S>({ flow }: Session<P, S>, { command, lenient }: Sourced): boolean {
  if (flow.replay === null || !lenient) return false
  return command.type !== 'stop' && command.type !== 'pause' && command.type !== 'resume'
}

/**
 * Acts on a command and returns what tells of it. One that is wrong throws, unless it is lenient: then it is refused,
 * and the run is as it was.
 */
export function act<P, S>(session: Session<P, S>, sourced: Sourced): readonly TrainEvent<P, S>[] {
  const { run } = session
  const { command, source, lenient } = sourced
  const told = { type: 'command', command, source } as const
  try {
    const more = perform(session, command)
    const { step, epoch } = run
    session.travel?.heard(step, sourced)
    return [{ ...told, step, epoch }, ...more]
  } catch (error) {
    if (!lenient) throw error
    const { step, epoch } = run
    return [{ ...told, step, epoch, refused: error instanceof Error ? error.message : String(error) }]
  }
}

function perform<P, S>(session: Session<P, S>, command: TrainCommand): TrainEvent<P, S>[] {
  const { flow, run, checkpoints } = session
  switch (command.type) {
    case 'malformed':
      throw new TypeError(command.problem)
    case 'stop':
      flow.stop = command.reason ?? 'stopped'
      break
    case 'pause':
      flow.paused = true
      break
    case 'resume':
      flow.paused = false
      break
    case 'setLearningRate':
      steer(session, { type: 'setLearningRate', value: command.learningRate })
      break
    case 'scaleLearningRate':
      // Set, not multiplied: the last of several in one boundary wins, and none is lost.
      steer(session, { type: 'restore', state: { ...run.machine.state, rateScale: command.scale } })
      break
    case 'setHyperparameter':
      steer(session, { type: 'setHyperparameter', name: command.name, value: command.value })
      break
    case 'freeze':
    case 'unfreeze':
      freeze(session, command.type === 'freeze', command.path)
      break
    case 'checkpoint': {
      const snapshot = snapshotOf(session)
      // Taken out first: the latest is the last one put in.
      checkpoints.delete(run.step)
      checkpoints.set(run.step, snapshot)
      for (const step of [...checkpoints.keys()].slice(0, -checkpointsKept)) checkpoints.delete(step)
      session.writer?.write(snapshot)
      return [{ type: 'checkpoint', step: run.step, epoch: run.epoch, snapshot }]
    }
    case 'restore':
      restore(session, command)
  }
  return []
}

// The optimizer has the last word on its numbers: what it refuses is taken back.
function steer<P, S>({ run, recipe }: Session<P, S>, event: MachineEvent): void {
  const before = run.machine.state
  const { state } = run.machine.send(event)
  try {
    recipe.optimizer.hyper(run.step, state)
  } catch (error) {
    run.machine.send({ type: 'restore', state: before })
    throw error
  }
}

function freeze<P, S>({ run }: Session<P, S>, isFrozen: boolean, path: unknown): void {
  if (typeof path !== 'string') failType('fit', `the path to freeze must be a string, got ${kindOf(path)}`)
  const pattern = glob(path)
  const all = paths(run.carry.params)
  const named = all.filter((one) => pattern.test(one))
  if (named.length === 0) failRange('fit', `no parameter is at '${path}'`, `there are ${all.join(', ')}`)
  const others = run.frozen.filter((one) => !named.includes(one))
  run.frozen = Object.freeze(isFrozen ? [...others, ...named].sort() : others)
}

function restore<P, S>(session: Session<P, S>, command: TrainCommand & { type: 'restore' }): void {
  const { run, flow, time, options, recipe } = session
  if (command.what === 'parameters') {
    const { from } = command
    restoreParameters(run, typeof from === 'object' ? from : checkpoint(session, from), recipe.optimizer)
    return
  }
  if (command.what !== undefined && command.what !== 'all') {
    failRange('fit', `cannot restore '${String(command.what)}'`, "use 'all' or 'parameters'")
  }
  const { from } = command
  // What comes next is all that there is of live data: no step is made again, and the pass goes on.
  const isLive = options.data.live === true
  const found = typeof from === 'number' && !isLive ? onTheWay(session, from) : undefined
  const snapshot = found ?? (typeof from === 'object' ? from : checkpoint(session, from))
  restoreAll(run, snapshot, session.log)
  time.advance(snapshot.seconds)
  const to = found === undefined ? snapshot.step : (from as number)
  session.travel?.forget(snapshot.step, false)
  session.travel?.forget(to, true)
  flow.replay = to > snapshot.step ? { from: snapshot.step, to } : null
  if (flow.phase === 'training') flow.rewound = !isLive
}

/** The snapshot from which a step can be reached that is no checkpoint itself; undefined where there is none. */
function onTheWay<P, S>(
  { travel, checkpoints, run, flow }: Session<P, S>,
  step: number,
): RunSnapshot<P, S> | undefined {
  if (travel === null || checkpoints.has(step)) return undefined
  if (!Number.isSafeInteger(step) || step < 0 || step > run.step) {
    failRange('fit', `the step to restore must be one from 0 to ${run.step}, got ${step}`)
  }
  if (flow.phase !== 'training') {
    failRange('fit', `steps are no longer made, which restoring ${step} needs`, 'restore a checkpoint')
  }
  return travel.nearest(step)
}

function checkpoint<P, S>({ checkpoints }: Session<P, S>, from: number | 'latest'): RunSnapshot<P, S> {
  const steps = [...checkpoints.keys()]
  const step = from === 'latest' ? steps.at(-1) : from
  const found = step === undefined ? undefined : checkpoints.get(step)
  if (found !== undefined) return found
  if (from !== 'latest' && typeof from !== 'number') {
    failRange('fit', `restore needs a snapshot, a step or 'latest', got ${kindOf(from)}`)
  }
  const there = steps.length === 0 ? 'there is none' : `there are ${steps.join(', ')}`
  return failRange(
    'fit',
    `no checkpoint '${from}' to restore: ${there}`,
    "send { type: 'checkpoint' } first, or restore a snapshot",
  )
}
