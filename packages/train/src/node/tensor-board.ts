import { hostname } from 'node:os'
import { join } from 'node:path'
import { failType, kindOf, knownOptions, Tensor, visitLeaves } from '@tapeflow/autodiff'
import type { MetricValues, StepEvent, TrainEvent } from '../events.ts'
import { numbersOf } from '../measures.ts'
import { isRewind } from '../monitors/epoch-records.ts'
import { type FileLogger, logFile, makeFolder, requireEvery, requirePath } from './log-file.ts'
import { type EventContent, eventRecord, type SummaryValue } from './tensor-board-records.ts'

/** What `tensorBoard` takes beside the folder. */
export interface TensorBoardOptions {
  /** Numbers of every so many steps are written; 1 by default. Those of epochs and validations are written always. */
  readonly every?: number
  /**
   * Histograms of the weights after every so many steps, or after each epoch's first with 'epoch', and of the gradients where
   * `watch` has them; none by default. They are copied out of the heap while the run waits.
   */
  readonly histograms?: number | 'epoch'
  /** The time in milliseconds since 1970; `Date.now` by default. */
  readonly now?: () => number
}

let files = 0

/**
 * A monitor that writes event files for TensorBoard: `tensorboard --logdir runs` shows a run in `runs/first`. The scalars are
 *
 * - `step/loss`, `step/runningLoss`, `step/learningRate`, `step/penalty` with `regularizers`, and `step/<metric>`: over the epoch so far
 * - `epoch/loss`, `epoch/<metric>`; `validation/loss`, `validation/<metric>`, at the last step that was made; `training/loss` and so
 *   on with `evaluateTraining`
 * - of several losses in each of these places `losses.<name>`: `step/losses.mean`
 *
 * and the histograms `weights/<path>` and `gradients/<path>`, of 30 buckets between the least and the greatest finite number.
 *
 * Each run gets a file of its own, `events.out.tfevents.<seconds>.<host>.<pid>.<number>.v2`. One that was resumed, or that goes
 * back by `restore`, says from which step on earlier files of the folder do not count, and TensorBoard forgets that. Numbers are
 * float32, as the format has them. A file that cannot be written is logged by `fit`, and the run goes on.
 *
 * Keras writes `epoch_loss` into folders train and validation; Lightning and PyTorch write the tags that they are given.
 *
 * @param folder of this run; it is made
 * @throws TypeError for a folder that is no string, RangeError for options that are no integers from 1 on
 * @example
 * const { readdir } = await import('node:fs/promises')
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const board = tensorBoard('/tmp/tapeflow-example/board', { histograms: 'epoch' })
 * const run$ = fit(linear(1, 1, { weight: zeros }), {
 *   data: data.batch(1),
 *   loss: mse(),
 *   optimizer: sgd({ learningRate: 0.1 }),
 *   epochs: 1,
 *   monitors: [board],
 * })
 * await result(run$)
 * await board.flushed()
 * const [name] = await readdir('/tmp/tapeflow-example/board')
 * name.startsWith('events.out.tfevents.') // => true
 */
export function tensorBoard(folder: string, options: TensorBoardOptions = {}): FileLogger {
  const {
    every = 1,
    histograms,
    now = Date.now,
  } = knownOptions('tensorBoard', options, 'every histograms now')
  requirePath('tensorBoard', folder)
  requireEvery('tensorBoard', 'every', every)
  if (histograms !== 'epoch') requireEvery('tensorBoard', 'histograms', histograms)
  if (typeof now !== 'function') {
    failType('tensorBoard', `now must be a function, got ${kindOf(now)}`, 'pass Date.now')
  }
  let path = ''
  let hasPenalty = false
  const file = logFile('tensorBoard', () => path)
  const write = (step: number, content: EventContent): Promise<void> | undefined =>
    file.append(eventRecord(now() / 1000, step, content))
  const withHistograms = (event: StepEvent): boolean =>
    histograms === 'epoch' ? event.batch === 0 : histograms !== undefined && event.step % histograms === 0
  return {
    next(event) {
      if (event.type === 'start') {
        hasPenalty = event.info.hasPenalty
        const fresh = join(folder, fileName(Math.floor(now() / 1000)))
        const opening = file.perform(async () => {
          path = fresh
          await makeFolder(fresh)
        })
        void write(0, { fileVersion: 'brain.Event:2' })
        if (event.step > 0) void write(event.step, { restart: true })
        return opening
      }
      if (isRewind(event)) return write(event.step, { restart: true })
      const summary = scalarsOf(event, every, hasPenalty)
      if (event.type === 'step' && withHistograms(event)) summary.push(...tensorsOf(event))
      if (summary.length === 0) return undefined
      return write(event.type === 'step' ? event.step : event.step - 1, { summary })
    },
    flushed: file.flushed,
  }
}

// Two runs of one process may begin in the same second.
function fileName(seconds: number): string {
  const time = String(seconds).padStart(10, '0')
  return `events.out.tfevents.${time}.${hostname()}.${process.pid}.${files++}.v2`
}

function scalarsOf(event: TrainEvent, every: number, hasPenalty: boolean): SummaryValue[] {
  const { type } = event
  if (type === 'step') {
    if (event.step % every !== 0) return []
    const { runningLoss, learningRate, penalty } = event
    return tagged(type, {
      ...numbersOf(event),
      runningLoss,
      learningRate,
      ...(hasPenalty ? { penalty } : {}),
    })
  }
  if (type === 'validation') return tagged(type, numbersOf(event))
  if (type !== 'epoch') return []
  const { training } = event
  const found = tagged(type, numbersOf(event))
  return training === undefined ? found : [...found, ...tagged('training', numbersOf(training))]
}

function tagged(group: string, numbers: MetricValues): SummaryValue[] {
  return Object.entries(numbers).map(([name, value]) => [`${group}/${name}`, value] as const)
}

function tensorsOf(event: StepEvent): SummaryValue[] {
  const values: SummaryValue[] = []
  const add = (group: string, tree: unknown): void =>
    visitLeaves(tree, (leaf, path) => {
      const tag = path === '' ? group : `${group}/${path}`
      if (leaf instanceof Tensor) values.push([tag, leaf.toFloat32Array()])
    })
  add('weights', event.weights.tree)
  const gradients = watchedGradients(event)
  if (gradients !== null) add('gradients', gradients)
  return values
}

function watchedGradients(event: StepEvent): unknown {
  try {
    return event.gradients.tree
  } catch (error) {
    // Not watched.
    if (error instanceof TypeError) return null
    throw error
  }
}
