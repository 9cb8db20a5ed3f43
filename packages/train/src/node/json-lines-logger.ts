import { knownOptions } from '@tapeflow/autodiff'
import type { StartEvent, TrainEvent } from '../events.ts'
import { linesBehind } from './lines-behind.ts'
import {
  changeLines,
  type FileLogger,
  logFile,
  makeFolder,
  replaceFile,
  requireEvery,
  requirePath,
} from './log-file.ts'

/** What `jsonLinesLogger` takes beside the path. */
export interface JsonLinesLoggerOptions {
  /** Only every so many steps are written; 1 by default. Other events are written always. */
  readonly every?: number
}

/**
 * A monitor that writes a run's events into a file, one JSON object a line (ndjson): `type`, `step`, `epoch`, and the numbers of
 * the event, never a tensor. Numbers that are not finite are the strings 'NaN', 'Infinity', '-Infinity', as in protobuf's JSON:
 * JSON has no others, and `Number()` reads them back.
 *
 *     {"type":"step","step":0,"epoch":0,"batch":0,"rows":1,"loss":16,"losses":{},"penalty":0,"runningLoss":16,"learningRate":0.1, …}
 *
 * A run from step 0 on writes the file anew. One that was resumed goes on in it: lines of what it is going to do again are taken
 * out, and so is a last one that was torn; its own `start` line tells from which step on. The command `restore` takes none out: its
 * line tells of it. A file that cannot be written is logged by `fit`, and the run goes on. Runs may share a logger one after the other,
 * not at once: their lines would mix.
 *
 * @param path of the file; its folder is made
 * @throws TypeError for a path that is no string, RangeError for an `every` that is no integer from 1 on
 * @example
 * const { readFile } = await import('node:fs/promises')
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const lines = jsonLinesLogger('/tmp/tapeflow-example/run.ndjson')
 * const run$ = fit(linear(1, 1, { weight: zeros }), {
 *   data: data.batch(1),
 *   loss: mse(),
 *   optimizer: sgd({ learningRate: 0.1 }),
 *   epochs: 1,
 *   monitors: [lines],
 * })
 * await result(run$)
 * await lines.flushed()
 * const text = await readFile('/tmp/tapeflow-example/run.ndjson', 'utf8')
 * text.trimEnd().split('\n').map((line) => JSON.parse(line).type) // => ['start', 'step', 'epoch', 'finishing', 'end']
 */
export function jsonLinesLogger(path: string, options: JsonLinesLoggerOptions = {}): FileLogger {
  const { every = 1 } = knownOptions('jsonLinesLogger', options, 'every')
  requirePath('jsonLinesLogger', path)
  requireEvery('jsonLinesLogger', 'every', every)
  const file = logFile('jsonLinesLogger', () => path)
  const line = (event: TrainEvent): string => `${JSON.stringify(plain(event), finite)}\n`
  return {
    next(event) {
      if (event.type === 'step' && event.step % every !== 0) return undefined
      if (event.type !== 'start') return file.append(line(event))
      const opening = file.perform(() => opened(path, event))
      return file.append(line(event)) ?? opening
    },
    flushed: file.flushed,
  }
}

async function opened(path: string, start: StartEvent): Promise<void> {
  await makeFolder(path)
  if (start.step > 0) await changeLines(path, (lines) => linesBehind(start, lines))
  else await replaceFile(path, '')
}

/** An event without its tensors. What it shows is read by getters, which are none of its own fields. */
function plain(event: TrainEvent): object {
  if (event.type === 'end') {
    const { type, step, epoch, reason, history } = event
    return { type, step, epoch, reason, history }
  }
  if (event.type === 'start') {
    const { resumed: _, ...info } = event.info
    return { ...event, info }
  }
  if (event.type === 'checkpoint') {
    const { type, step, epoch } = event
    return { type, step, epoch }
  }
  if (event.type === 'command' && event.command.type === 'restore') {
    const { from } = event.command
    return { ...event, command: { ...event.command, from: typeof from === 'object' ? 'a snapshot' : from } }
  }
  return event
}

function finite(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
