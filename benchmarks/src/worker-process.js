/**
 * The other end of a worker: starts it, gives it orders one at a time, and ends it.
 */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Unsupported } from './unsupported.js'

/** @typedef {{ name: string, title: string, ours: boolean, command: (args: readonly string[]) => readonly [string, ...string[]] }} PeerEntry */
/** @typedef {Record<string, any>} Answer */

/** @typedef {object} Worker
 * @property {PeerEntry} peer
 * @property {string} version
 * @property {(order: { do: string } & Record<string, unknown>) => Promise<Answer>} tell
 * @property {() => Promise<void>} close
 */

// One thread for each library that can have more; the JavaScript libraries have one anyway.
const threads = { OPENBLAS_NUM_THREADS: '1', OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' }

/** @param {string} file */
const javascript = (file) => (/** @type {readonly string[]} */ args) =>
  /** @type {const} */ ([
    process.execPath,
    fileURLToPath(new URL('worker.js', import.meta.url)),
    file,
    ...args,
  ])

/** @type {readonly PeerEntry[]} the order of the table's columns */
export const PEERS = [
  { name: 'fit', title: 'ours by fit', ours: true, command: javascript('tapeflow-fit') },
  { name: 'compile', title: 'ours by compile', ours: true, command: javascript('tapeflow-compile') },
  { name: 'tfjs', title: 'tfjs wasm', ours: false, command: javascript('tfjs') },
  { name: 'jax', title: 'jax-js jit', ours: false, command: javascript('jax') },
  {
    name: 'torch',
    title: 'PyTorch',
    ours: false,
    // Debian's own interpreter is the one that has Debian's python3-torch; PYTHON names another.
    command: (args) => [
      process.env.PYTHON ?? '/usr/bin/python3',
      fileURLToPath(new URL('peers/torch_worker.py', import.meta.url)),
      ...args,
    ],
  },
]

/**
 * Starts a worker.
 *
 * @param {PeerEntry} peer
 * @returns {Promise<Worker>}
 * @throws Unsupported where the library is not installed
 */
export async function openWorker(peer) {
  const { child, next } = start(peer, [])
  const { version } = await next()
  return {
    peer,
    version,
    tell: (order) => {
      child.stdin.write(`${JSON.stringify(order)}\n`)
      return next()
    },
    close: () =>
      new Promise((resolve) => {
        child.on('close', () => resolve())
        child.stdin.end()
      }),
  }
}

/**
 * From the start of a process until its first step is done.
 *
 * @param {PeerEntry} peer
 * @param {string} file a workload
 * @returns {Promise<{ milliseconds: number, loss: number }>}
 */
export async function firstStep(peer, file) {
  const begun = performance.now()
  const { child, next } = start(peer, ['--first', file])
  const { loss } = await next()
  const milliseconds = performance.now() - begun
  if (child.exitCode === null) await new Promise((resolve) => child.on('close', resolve))
  return { milliseconds, loss }
}

/**
 * @param {PeerEntry} peer
 * @param {readonly string[]} args
 */
function start({ title, command }, args) {
  const [program, ...rest] = command(args)
  const child = spawn(program, rest, {
    env: { ...process.env, ...threads },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let said = ''
  /** @type {{ resolve: (answer: Answer) => void, reject: (error: Error) => void } | null} */
  let waiting = null
  /** @type {Answer[]} */
  const answers = []
  /** @type {Error | null} */
  let ended = null
  const end = (/** @type {Error} */ why) => {
    ended ??= why
    waiting?.reject(ended)
  }
  // That there is no such program: a library that is not installed.
  child.on('error', (error) => end(new Unsupported(`${program} does not start: ${error.message}`)))
  child.on('close', (code) => end(new Error(`${title}: the worker ended, exit code ${code}\n${said}`)))
  child.stdin.on('error', () => {})
  child.stderr.on('data', (data) => {
    said = (said + data).slice(-4000)
  })
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!line.startsWith('@@')) return
    const answer = JSON.parse(line.slice(2))
    if (waiting === null) answers.push(answer)
    else waiting.resolve(answer)
    waiting = null
  })
  /** @returns {Promise<Answer>} */
  const next = async () => {
    /** @type {Answer} */
    const answer =
      answers.shift() ??
      (await new Promise((resolve, reject) => {
        if (ended !== null) reject(ended)
        waiting = { resolve, reject }
      }))
    if (answer.unsupported !== undefined) throw new Unsupported(answer.unsupported)
    if (answer.failed !== undefined) throw new Error(`${title}: ${answer.failed}`)
    return answer
  }
  return { child, next }
}
