/**
 * The run's table, as Markdown, and its JSON.
 *
 * @import { Figure } from './interleave.js'
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { REPORTED_STEPS } from './agree.js'
import { judge } from './aims.js'

/** @typedef {Figure | { note: string }} Cell a figure, or why there is none */

/**
 * @typedef {object} Result one row
 * @property {string} id
 * @property {'µs' | 'ms' | 'MB' | 'kB'} unit
 * @property {Record<string, Cell>} cells by peer
 * @property {Record<string, number[]>} [losses] at steps 0, 10, 30, by peer
 */

/**
 * @typedef {object} Effort
 * @property {number} rounds
 * @property {number} seconds the longest one library may sample in one round
 * @property {number} warmSeconds
 * @property {'wall' | 'cpu'} clock
 * @property {string} folder for workloads on their way to the workers
 * @property {(id: string) => void} say which row is being measured
 * @property {(result: Result) => void} add a row that is done
 */

/** @typedef {{ name: string, title: string, ours: boolean, version: string }} Column version: '' where it is not installed */
/** @typedef {{ columns: readonly Column[], rounds: number, seconds: number, clock: 'wall' | 'cpu', results: readonly Result[] }} Outcome */

/** What the rows are, in the table. */
const NAMES = /** @type {Readonly<Record<string, string>>} */ ({
  'W2/32': 'W2 MLP 784-128-64-10, Adam, batch 32',
  'W2/256': 'W2 the same, batch 256',
  W3: 'W3 MLP 2-16-16-1, SGD, batch 32',
  W4: 'W4 MLP 64-128-128-1, batch norm, dropout, batch 128',
  W5: 'W5 CNN 28x28, batch 32',
  W8: 'W8 peak resident memory, 2,000 steps of W2',
  W9: 'W9 forward of W2, batch 1',
  W10: 'W10 process start to first step of W2',
  bundle: 'bundle of an MLP trainer, gzip',
})

/**
 * @param {string} id
 * @returns {string}
 */
function nameOf(id) {
  const [workload, ...rest] = id.split('/')
  if (workload === 'W1') return `W1 matmul ${rest[0]}, ${rest[1]}`
  if (workload === 'W6') return `W6 ${rest[0]}, 1,000,000 floats`
  if (workload === 'W7') return `W7 ${rest[0]}, 1024x1024`
  return NAMES[id] ?? id
}

/**
 * The whole report.
 *
 * @param {Outcome} outcome
 * @returns {{ text: string, missed: string[] }} Markdown, and the rows whose aim is missed
 */
export function report(outcome) {
  const { columns, results } = outcome
  const ours = columns.filter((column) => column.ours).map(({ name }) => name)
  /** @type {string[]} */
  const missed = []
  const rows = results.map((result) => {
    const judgement = judge(result, results, ours)
    if (judgement.missed) missed.push(result.id)
    return [
      nameOf(result.id),
      ...columns.map(({ name }) => cellText(result, name)),
      judgement.aim,
      judgement.verdict,
    ]
  })
  const heads = ['workload', ...columns.map(({ title }) => title), 'aim for ours', 'met?']
  const losses = results.filter((result) => result.losses !== undefined)
  const text = [
    setting(outcome),
    ...(rows.length === 0 ? [] : [markdown(heads, rows, (i) => i === 0 || i > columns.length)]),
    ...(losses.length === 0 ? [] : [lossTable(losses, columns)]),
  ].join('\n\n')
  return { text: `${text}\n`, missed }
}

/** @param {Outcome} outcome */
function setting({ columns, rounds, seconds, clock }) {
  const measured =
    clock === 'wall'
      ? 'Times are'
      : 'The machine was busy with other things: times are processor time (but W10), means of a round,'
  const versions = columns.map(({ title, version }) => `${title} ${version || 'not installed'}`).join(', ')
  const { version } = process
  return [
    `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC. ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, Node ${version.slice(1)}; ${versions}.`,
    `One thread each (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS and torch.set_num_threads are 1). Each library runs in a process of its own, warmed up for 100 calls and 3 seconds at least (a training step); figures are medians of ${rounds} interleaved rounds of ${seconds} s. ${measured} µs a call or step unless stated.`,
    'Losses are read at every step. They are compared over the first 31 steps from the same start and data, within 1e-3; those of W4 without dropout, as each library draws masks of its own: its times are with dropout 0.2. The limit is the tightest of the conditions in the aim: 0.80 of the limit is 20 % better than asked for, 1.20 is missed by 20 %.',
  ].join('\n\n')
}

/**
 * One row in one line, as soon as it is there.
 *
 * @param {Result} result
 * @returns {string}
 */
export function rowText(result) {
  return Object.keys(result.cells)
    .map((peer) => `${peer} ${cellText(result, peer)}`)
    .join(', ')
}

/**
 * @param {Result} result
 * @param {string} peer
 */
function cellText({ cells, unit }, peer) {
  const cell = cells[peer]
  if (cell === undefined) return '–'
  if ('note' in cell) {
    if (cell.note === '') return '–'
    return cell.note.startsWith('cannot train') ? 'cannot train' : `– (${cell.note})`
  }
  return `${figure(cell.value)}${unit === 'µs' ? '' : ` ${unit}`}`
}

/**
 * @param {readonly Result[]} results
 * @param {readonly Column[]} columns
 */
function lossTable(results, columns) {
  const rows = results.flatMap(({ id, losses = {} }) =>
    columns.flatMap(({ name, title }) => {
      const values = losses[name]
      return values === undefined ? [] : [[id, title, ...values.map((loss) => loss.toFixed(5))]]
    }),
  )
  return markdown(['losses', '', ...REPORTED_STEPS.map((step) => `step ${step}`)], rows, (i) => i < 2)
}

/**
 * @param {readonly string[]} heads
 * @param {readonly (readonly string[])[]} rows
 * @param {(column: number) => boolean} isText the others are numbers
 */
function markdown(heads, rows, isText) {
  const lines = [heads, ...rows]
  const widths = heads.map((_, i) => Math.max(3, ...lines.map((line) => line[i]?.length ?? 0)))
  const padded = lines.map(
    (line) =>
      `| ${line.map((cell, i) => (isText(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`,
  )
  const rule = `| ${widths.map((width, i) => (isText(i) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [padded[0], rule, ...padded.slice(1)].join('\n')
}

/** @param {number} value */
function figure(value) {
  if (value < 10) return value.toFixed(2)
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en')
}

/**
 * @param {string} file
 * @param {Outcome} outcome
 */
export function saveJson(file, outcome) {
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
  writeFileSync(file, `${JSON.stringify({ date: new Date().toISOString(), machine, ...outcome }, null, 2)}\n`)
}

/**
 * Writes docs/benchmarks.md.
 *
 * @param {string} text
 * @returns {string} its path
 */
export function writePage(text) {
  const folder = new URL('../../docs/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const file = new URL('benchmarks.md', folder)
  const head =
    '# Beside the peers\n\nWritten by `npm run bench:peers -- --write`. Compare figures within this run only.\n\n'
  writeFileSync(file, head + text)
  return fileURLToPath(file)
}
