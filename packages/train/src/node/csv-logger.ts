import { failRange, knownOptions } from '@tapeflow/autodiff'
import type { EpochRecord, Located, RunInfo, StartEvent, StepEvent } from '../events.ts'
import { csvHeader, csvRow } from '../history.ts'
import { epochColumns, type Named, namedMeasures } from '../measures.ts'
import { epochRecords, isRewind, standing } from '../monitors/epoch-records.ts'
import {
  type FileLogger,
  keepLines,
  logFile,
  makeFolder,
  replaceFile,
  requireEvery,
  requirePath,
} from './log-file.ts'

/** What `csvLogger` takes beside the path. */
export interface CsvLoggerOptions {
  /** A row every so many steps, in place of one an epoch. */
  readonly every?: number
}

/**
 * A monitor that writes a run into a CSV file: a header, then a row an epoch with the columns of `historyCsv`; with `every` a
 * row each so many steps, with step, epoch, loss, runningLoss, each metric (over the epoch so far), learningRate, seconds.
 *
 * Each of several losses has a column `losses.<name>` behind the loss (steps: behind runningLoss), and `penalty` is one of steps, with
 * `regularizers`. The losses that a `trainStep` names are not known when the header is written: `jsonLinesLogger` has them.
 *
 * A run from step 0 on writes the file anew. One that was resumed goes on in it: rows of epochs are those of its history, and of
 * steps those before its place, whatever the run before it may still have written; the command `restore` takes rows out likewise.
 * Rows are written while the run goes on and whole, so that a crash costs at most the last rows of steps. A file that cannot be
 * written is logged by `fit`, and the run goes on. Runs may share a logger one after the other, not at once: their rows would mix.
 *
 * Keras' CSVLogger overwrites too, unless told to append; it has no step rows, and repeats rows after a resume.
 *
 * @param path of the file; its folder is made
 * @throws TypeError for a path that is no string, RangeError for an `every` that is no integer from 1 on
 * @example
 * const { readFile } = await import('node:fs/promises')
 * const data = dataset({ x: { shape: [1, 1], values: Float32Array.of(2) }, y: { shape: [1, 1], values: Float32Array.of(4) } })
 * const rows = csvLogger('/tmp/tapeflow-example/run.csv')
 * const run$ = fit(linear(1, 1, { weight: zeros }), {
 *   data: data.batch(1),
 *   loss: mse(),
 *   optimizer: sgd({ learningRate: 0.1 }),
 *   epochs: 1,
 *   monitors: [rows],
 * })
 * await result(run$)
 * await rows.flushed()
 * const [header, row] = (await readFile('/tmp/tapeflow-example/run.csv', 'utf8')).split('\n')
 * header // => 'epoch,loss,learningRate,seconds'
 * row.startsWith('0,16,0.1,') // => true
 */
export function csvLogger(path: string, options: CsvLoggerOptions = {}): FileLogger {
  const { every } = knownOptions('csvLogger', options, 'every')
  requirePath('csvLogger', path)
  requireEvery('csvLogger', 'every', every)
  const file = logFile('csvLogger', () => path)
  // Those of the run that is heard: none before its start.
  let epochNumbers: readonly Named<EpochRecord>[] = []
  let stepNumbers: readonly Named<StepEvent>[] = []
  let header = ''
  let told: Promise<void> | undefined
  const epochs = epochRecords((record) => {
    told = file.append(csvRow(epochNumbers, record))
  })
  const goOn = (place: Located | null): Promise<void> | undefined => {
    const [columns, from] = [header, place === null ? null : every === undefined ? place.epoch : place.step]
    return file.perform(() => opened(path, columns, from))
  }
  const begin = (event: StartEvent): Promise<void> | undefined => {
    if (every !== undefined || event.info.resumed === undefined) return goOn(event.step > 0 ? event : null)
    // All rows, also those that the run before had no time to write.
    const rows = standing(event).told.map((record) => csvRow(epochNumbers, record))
    const columns = header
    return file.perform(async () => {
      await opened(path, columns, 0)
      await replaceFile(path, columns + rows.join(''))
    })
  }
  return {
    next(event) {
      if (event.type === 'start') {
        epochNumbers = epochColumns(event.info)
        stepNumbers = stepColumns(event.info)
        header = every === undefined ? csvHeader(epochNumbers) : csvHeader(stepNumbers)
        epochs(event)
        return begin(event)
      }
      if (header === '') return undefined
      if (every !== undefined) {
        if (isRewind(event)) return goOn(event)
        return event.type === 'step' && event.step % every === 0
          ? file.append(csvRow(stepNumbers, event))
          : undefined
      }
      told = undefined
      epochs(event)
      return isRewind(event) ? goOn(event) : told
    },
    flushed: file.flushed,
  }
}

function stepColumns(info: RunInfo): readonly Named<StepEvent>[] {
  const [loss, ...others] = namedMeasures(info)
  return [
    { name: 'step', of: ({ step }) => step },
    { name: 'epoch', of: ({ epoch }) => epoch },
    loss!,
    { name: 'runningLoss', of: ({ runningLoss }) => runningLoss },
    ...others,
    ...(info.hasPenalty ? [{ name: 'penalty', of: ({ penalty }: StepEvent) => penalty }] : []),
    { name: 'learningRate', of: ({ learningRate }) => learningRate },
    { name: 'seconds', of: ({ seconds }) => seconds },
  ]
}

/** The file with its header and, of a run resumed at `from`, the rows before that. */
async function opened(path: string, header: string, from: number | null): Promise<void> {
  await makeFolder(path)
  if (from === null) return await replaceFile(path, header)
  const kept = await keepLines(path, (line, i) => {
    if (i > 0) return Number.parseInt(line, 10) < from
    if (`${line}\n` === header) return true
    return failRange(
      'csvLogger',
      `${path} has other columns than this run`,
      'resume with the same metrics and the same kind of rows, or pass another path',
    )
  })
  if (kept === 0) await replaceFile(path, header)
}
