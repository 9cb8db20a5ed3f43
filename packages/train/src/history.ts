import { failType, kindOf } from '@tapeflow/autodiff'
import type { EpochRecord } from './events.ts'
import { epochColumns, type Named, namesIn } from './measures.ts'

/**
 * The history of a run as a table for people: plain text, a line an epoch, numbers below each other.
 *
 *     epoch    loss  accuracy  learningRate  seconds  validation.loss  validation.accuracy
 *         0  0.4012    0.8710        0.0100     1.31           0.3011               0.9102
 *
 * Epochs count from 0 on, as in `history`; seconds are those since the run began. What was not measured is left blank.
 *
 * @param history of a `result`, or of an `end` event
 * @returns lines, each of which ends with a line break
 * @example
 * const history = [{ epoch: 0, loss: 16, metrics: {}, learningRate: 0.1, seconds: 1.5, validation: { loss: 4, metrics: {} } }]
 * historyTable(history).split('\n')[0] // => 'epoch     loss  learningRate  seconds  validation.loss'
 * historyTable(history).split('\n')[1] // => '    0  16.0000        0.1000     1.50           4.0000'
 */
export function historyTable(history: readonly EpochRecord[]): string {
  requireHistory('historyTable', history)
  const columns = columnsOf(history)
  const names = columns.map(({ name }) => name)
  const text = (value: number | undefined, i: number): string => {
    if (value === undefined) return ''
    if (names[i] === 'epoch') return String(value)
    return names[i] === 'seconds' ? value.toFixed(2) : short(value)
  }
  const rows = [names, ...history.map((record) => columns.map(({ of }, i) => text(of(record), i)))]
  const widths = names.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string => row.map((cell, i) => cell.padStart(widths[i]!)).join('  ')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}

/**
 * The history of a run as CSV (RFC 4180, with line feeds): a header, then a line an epoch, numbers with all their digits. The
 * columns are epoch, loss, losses.<name> for each of several losses, each metric, learningRate, seconds and, where there was
 * `evaluateTraining` and validation, the same as training.loss and validation.loss, and so on. What was not measured is an empty field.
 *
 * @param history of a `result`, or of an `end` event
 * @example
 * const history = [{ epoch: 0, loss: 0.25, metrics: { accuracy: 1 }, learningRate: 0.1, seconds: 2 }]
 * historyCsv(history) // => 'epoch,loss,accuracy,learningRate,seconds\n0,0.25,1,0.1,2\n'
 */
export function historyCsv(history: readonly EpochRecord[]): string {
  requireHistory('historyCsv', history)
  const columns = columnsOf(history)
  return csvHeader(columns) + history.map((record) => csvRow(columns, record)).join('')
}

/** Everything that is measured somewhere in a history. */
function columnsOf(history: readonly EpochRecord[]): readonly Named<EpochRecord>[] {
  const trainings = history.flatMap(({ training }) => training ?? [])
  const validations = history.flatMap(({ validation }) => validation ?? [])
  return epochColumns({
    ...namesIn([...history, ...trainings, ...validations]),
    evaluatesTraining: trainings.length > 0,
    hasValidation: validations.length > 0,
  })
}

/** The line of names of a CSV file. */
export function csvHeader<T>(columns: readonly Named<T>[]): string {
  return csvLine(columns.map(({ name }) => name))
}

/** The line of a record. */
export function csvRow<T>(columns: readonly Named<T>[], record: T): string {
  return csvLine(columns.map(({ of }) => of(record)))
}

/** A line of CSV; fields are quoted where they have to be. */
function csvLine(fields: readonly (string | number | undefined)[]): string {
  const quoted = fields.map((field) => {
    const text = String(field ?? '')
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  })
  return `${quoted.join(',')}\n`
}

/** Throws unless it is what a run came to, epoch by epoch. */
export function requireHistory(
  operation: string,
  history: unknown,
): asserts history is readonly EpochRecord[] {
  const isRecord = (one: unknown): boolean =>
    typeof one === 'object' && one !== null && 'loss' in one && 'metrics' in one
  if (Array.isArray(history) && history.every(isRecord)) return
  const got = Array.isArray(history) ? `an array of others` : kindOf(history)
  const remedy = 'pass the history of a result or of an end event'
  failType(operation, `history must be an array with a record of each epoch, got ${got}`, remedy)
}

// Four digits behind the point where that tells something.
function short(value: number): string {
  const size = Math.abs(value)
  return size === 0 || (size >= 0.001 && size < 1e6) ? value.toFixed(4) : value.toExponential(2)
}
