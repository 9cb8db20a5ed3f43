/**
 * Question: how fast is Tapeflow beside its peers, on W1 to W10?
 *
 *     npm run bench:peers                              everything, 9 rounds
 *     npm run bench:peers -- W3 W5 W1/64 --rounds 3    some rows, a quick look
 *     npm run bench:peers -- --peers fit,compile,torch --json results.json
 *     npm run bench:peers -- --clock cpu               processor time: ratios on a machine that is busy with other things
 *     npm run bench:peers -- --write                   writes docs/benchmarks.md too
 *
 * Exits with 1 when libraries disagree on what they computed, when one leaks, or when an aim is missed.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { report, rowText, saveJson, writePage } from './report.js'
import { bundle } from './suites/bundle.js'
import { memory, start } from './suites/fresh.js'
import { inWorkers } from './suites/in-workers.js'
import { Unsupported } from './unsupported.js'
import { openWorker, PEERS } from './worker-process.js'
import * as w from './workloads.js'

/** @import { Effort, Result } from './report.js' */
/** @import { PeerEntry } from './worker-process.js' */
/** @import { Task } from './suites/in-workers.js' */
/** @typedef {{ rows: readonly string[], run: (wanted: (id: string) => boolean, peers: readonly PeerEntry[], effort: Effort) => Promise<void> }} Group */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: 'string', default: PEERS.map(({ name }) => name).join(',') },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '0.4' },
    'warm-seconds': { type: 'string', default: '3' },
    clock: { type: 'string', default: 'wall' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})

/**
 * @param {readonly string[]} ids
 * @param {(id: string) => Task} taskOf
 * @returns {Group}
 */
const workers = (ids, taskOf) => ({
  rows: ids,
  run: (wanted, peers, effort) => inWorkers(ids.filter(wanted).map(taskOf), peers, effort),
})

/**
 * @param {string} id
 * @param {() => Task} task
 */
const single = (id, task) => workers([id], task)

/** @type {<T extends string>(id: string, names: readonly T[]) => T} */
const last = (id, names) => /** @type {any} */ (names.find((name) => id.endsWith(`/${name}`)))

const FORMS = /** @type {const} */ (['NN', 'NT', 'TN', 'TT'])
const OPERATIONS = /** @type {const} */ (['add', 'exp', 'tanh', 'sigmoid', 'gelu erf', 'gelu tanh'])
const ROWS = /** @type {const} */ (['softmax', 'sum axis 0', 'sum axis 1'])

/** @type {Group[]} */
const GROUPS = [
  ...[64, 128, 256, 512, 1024].map((n) =>
    workers(
      FORMS.map((form) => `W1/${n}/${form}`),
      (id) => ({ timed: w.product(n, last(id, FORMS)) }),
    ),
  ),
  single('W2/32', () => ({ timed: w.digitsMlp(32) })),
  single('W2/256', () => ({ timed: w.digitsMlp(256) })),
  single('W3', () => ({ timed: w.surfaceMlp() })),
  single('W4', () => ({ timed: w.normalizedMlp(0.2), compared: w.normalizedMlp(0) })),
  single('W5', () => ({ timed: w.digitsCnn() })),
  workers(
    OPERATIONS.map((name) => `W6/${name}`),
    (id) => ({ timed: w.elementwise(last(id, OPERATIONS)) }),
  ),
  workers(
    ROWS.map((name) => `W7/${name}`),
    (id) => ({ timed: w.rows(last(id, ROWS)) }),
  ),
  { rows: ['W8'], run: (_, peers, effort) => memory(peers, effort) },
  single('W9', () => ({ timed: w.forward() })),
  { rows: ['W10'], run: (_, peers, effort) => start(peers, effort) },
  { rows: ['bundle'], run: (_, _peers, effort) => bundle(effort) },
]

/**
 * @param {string} option
 * @param {string} given
 * @returns {number}
 */
function positive(option, given) {
  const number = Number(given)
  if (number > 0) return number
  throw new RangeError(`--${option}: a positive number is needed, got ${given}; leave it out for the default`)
}

const isWithin = (/** @type {string} */ id, /** @type {string} */ name) =>
  id === name || id.startsWith(`${name}/`)
const wanted = (/** @type {string} */ id) =>
  positionals.length === 0 || positionals.some((name) => isWithin(id, name))
const ids = GROUPS.flatMap(({ rows }) => rows)
const unknown = positionals.find((name) => !ids.some((id) => isWithin(id, name)))
if (unknown !== undefined) {
  const known = [...new Set(ids.map((id) => id.split('/')[0]))].join(', ')
  throw new RangeError(`no such workload, got ${unknown}; there are ${known}`)
}
const chosen = values.peers.split(',').map((name) => {
  const peer = PEERS.find((one) => one.name === name)
  if (peer !== undefined) return peer
  throw new RangeError(`--peers: unknown name, got ${name}; use ${PEERS.map((one) => one.name).join(', ')}`)
})

const { clock } = values
if (clock !== 'wall' && clock !== 'cpu') throw new RangeError(`--clock: wall or cpu, got ${clock}`)
const folder = mkdtempSync(join(tmpdir(), 'tapeflow-bench-'))
/** @type {Result[]} */
const results = []
/** @type {string[]} */
const failures = []
/** @type {Effort} */
const effort = {
  rounds: Math.ceil(positive('rounds', values.rounds)),
  seconds: positive('seconds', values.seconds),
  warmSeconds: positive('warm-seconds', values['warm-seconds']),
  clock,
  folder,
  say: (id) => console.error(`${new Date().toISOString().slice(11, 19)} ${id}`),
  add: (result) => {
    results.push(result)
    console.error(`         ${rowText(result)}`)
  },
}
try {
  const columns = []
  const present = []
  for (const peer of chosen) {
    let version = ''
    try {
      const worker = await openWorker(peer)
      version = worker.version
      await worker.close()
      present.push(peer)
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error
      console.error(`${peer.title} is left out: ${error.message}`)
    }
    columns.push({ name: peer.name, title: peer.title, ours: peer.ours, version })
  }
  for (const { rows, run } of GROUPS) {
    if (!rows.some(wanted)) continue
    try {
      await run(wanted, present, effort)
    } catch (error) {
      // What the other rows say is worth knowing all the same.
      failures.push(error instanceof Error ? error.message : String(error))
      console.error(error)
    }
  }
  /** @type {import('./report.js').Outcome} */
  const outcome = { columns, rounds: effort.rounds, seconds: effort.seconds, clock, results }
  const { text, missed } = report(outcome)
  console.log(text)
  if (values.json !== undefined) saveJson(resolve(values.json), outcome)
  if (values.write) console.error(`written: ${writePage(text)}`)
  if (missed.length > 0) {
    console.error(`missed: ${missed.join(', ')}`)
    process.exitCode = 1
  }
  for (const failure of failures) {
    console.error(`FAILED: ${failure}`)
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true })
}
