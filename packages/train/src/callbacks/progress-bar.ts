import { knownOptions } from '@tapeflow/autodiff'
import { SingleBar } from 'cli-progress'
import { finalize, ignoreElements, type Observable, tap } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { EpochRecord, Measures, RunInfo, StepEvent, TrainEvent } from '../events.ts'
import { epochRecords } from '../monitors/epoch-records.ts'
import { requireNumbers } from '../require-numbers.ts'
import type { Callback } from './callback.ts'

/** Where a progress bar is drawn: `process.stdout`, or anything like it. */
export type Screen = NodeJS.WritableStream & { readonly isTTY?: boolean; readonly columns?: number }

/** What `progressBar` takes. */
export interface ProgressBarOptions {
  /** `process.stdout` by default. */
  readonly stream?: Screen
  /** How often a second the bar is drawn; 12 by default. */
  readonly fps?: number
}

/**
 * A callback that shows how a run goes: on a terminal a bar for each epoch, with the loss of this batch, the running loss,
 * the learning rate, samples a second and the time left for the run; and a line when the epoch is over. Where the stream is
 * no terminal there are only the lines.
 *
 *     epoch  3/12 █████░░░░░ loss 0.0961 mean 0.1312 rate 9.1e-4 31,415/s 0:04 left
 *     epoch  2/12  loss 0.1702 accuracy 0.950 | validation loss 0.1621 accuracy 0.953
 *
 * It gives no commands. The bar is taken off the screen however the run ends.
 *
 * @example
 * const lines = []
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const run$ = fit(linear(1, 1, { weight: zeros }), {
 *   data: data.batch(1),
 *   loss: mse(),
 *   optimizer: sgd({ learningRate: 0.1 }),
 *   epochs: 1,
 *   callbacks: [progressBar({ stream: { write: (line) => lines.push(line) } })],
 * })
 * await result(run$)
 * lines // => ['epoch 1/1  loss 16.0000\n']
 */
export function progressBar(options: ProgressBarOptions = {}): Callback {
  const { stream = process.stdout, fps = 12 } = knownOptions('progressBar', options, 'stream fps')
  requireNumbers('progressBar', { fps })
  return {
    name: 'progressBar',
    run(events$, info): Observable<TrainCommand> {
      const bar = stream.isTTY ? epochBar(stream, info, fps) : noBar
      const tell = epochRecords((record) => {
        bar.clear()
        stream.write(`${epochLine(record, info)}\n`)
      })
      const show = (event: TrainEvent): void => {
        tell(event)
        if (event.type === 'step') bar.draw(event)
        else if (event.type === 'finishing') bar.clear()
      }
      return events$.pipe(tap(show), ignoreElements(), finalize(bar.clear))
    },
  }
}

interface EpochBar {
  draw(event: StepEvent): void
  clear(): void
}

const noBar: EpochBar = { draw: () => {}, clear: () => {} }

function epochBar(stream: Screen, info: RunInfo, fps: number): EpochBar {
  let bar: SingleBar | null = null
  let drawn = 0
  return {
    draw(event) {
      const now = performance.now()
      const last = event.batch + 1 === info.stepsPerEpoch
      if (bar !== null && !last && now - drawn < 1000 / fps) return
      drawn = now
      const value = event.batch + 1
      const payload = { text: stepText(event, info), epoch: epochName(event.epoch, info) }
      if (bar === null) {
        bar = new SingleBar(barOptions(stream, fps, info.stepsPerEpoch !== undefined))
        bar.start(info.stepsPerEpoch ?? 0, value, payload)
      } else bar.update(value, payload)
    },
    clear() {
      bar?.stop()
      bar = null
    },
  }
}

function barOptions(stream: Screen, fps: number, total: boolean): ConstructorParameters<typeof SingleBar>[0] {
  return {
    stream,
    fps,
    format: total ? '{epoch} {bar} {text}' : '{epoch} batch {value} {text}',
    barsize: Math.min(24, Math.max(4, (stream.columns ?? 80) - 70)),
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
    // Who runs the program decides about SIGINT; unsubscribing takes the bar off.
    gracefulExit: false,
    emptyOnZero: true,
  }
}

function stepText(event: StepEvent, { steps }: RunInfo): string {
  const done = event.step + 1
  const parts = [
    `loss ${event.loss.toFixed(4)}`,
    `mean ${event.runningLoss.toFixed(4)}`,
    `rate ${event.learningRate.toExponential(1)}`,
    `${Math.round(event.samplesPerSecond).toLocaleString('en')}/s`,
  ]
  if (steps !== undefined) parts.push(`${clockTime((event.seconds * (steps - done)) / done)} left`)
  return parts.join(' ')
}

function clockTime(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  const tail = `${hours > 0 ? String(minutes).padStart(2, '0') : minutes}:${String(rest).padStart(2, '0')}`
  return hours > 0 ? `${hours}:${tail}` : tail
}

function epochName(epoch: number, { epochs }: RunInfo): string {
  const number = String(epoch + 1)
  return epochs === undefined
    ? `epoch ${number}`
    : `epoch ${number.padStart(String(epochs).length)}/${epochs}`
}

function epochLine(record: EpochRecord, info: RunInfo): string {
  const { validation } = record
  const line = `${epochName(record.epoch, info)}  ${measured(record)}`
  return validation === undefined ? line : `${line} | validation ${measured(validation)}`
}

function measured({ loss, metrics }: Measures): string {
  const values = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(3)}`)
  return [`loss ${loss.toFixed(4)}`, ...values].join(' ')
}
