/**
 * One library in a process of its own, which does what it is told on standard input: a JSON object a line, each answered by
 * a line on standard output. A process for each library and each workload: no library's garbage, compiled code or
 * call sites are another's, and what was measured before does not matter.
 *
 *     node worker.js tfjs                    listens
 *     node worker.js tfjs --first file.json  makes one step, tells its loss, and ends: W10
 *
 * @import { Peer, Prepared } from './peer.ts'
 */
import { time, warmUp } from './timing.js'
import { Unsupported } from './unsupported.js'
import { readWorkload } from './workload-file.js'

const [name, mode, file] = process.argv.slice(2)
/** @type {Peer} */
const peer = await (await import(`./peers/${name}.js`)).open()
/** @type {Prepared | null} */
let prepared = null
let before = ''

if (mode === '--first') await first(String(file))
else await listen()

/** @param {string} path */
async function first(path) {
  const made = await peer.prepare(readWorkload(path))
  let loss = Number.NaN
  if (made.kind === 'trainer') loss = made.step()
  else if (made.kind === 'run') {
    await made.train((value) => {
      loss = value
      // The step is done when its loss is read; what ends the run comes after.
      answer({ loss })
      return true
    })
    process.exit(0)
  }
  answer({ loss })
  process.exit(0)
}

async function listen() {
  const { createInterface } = await import('node:readline')
  answer({ version: peer.version })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer(await obey(JSON.parse(line)))
    } catch (error) {
      const { message, stack } = error instanceof Error ? error : new Error(String(error))
      answer(error instanceof Unsupported ? { unsupported: message } : { failed: stack ?? message })
    }
  }
}

/**
 * @param {any} order
 * @returns {Promise<object>}
 */
async function obey(order) {
  if (order.do === 'prepare') {
    before = JSON.stringify(peer.heap())
    prepared = await peer.prepare(readWorkload(order.file))
    return {}
  }
  if (prepared === null) throw new Error(`${order.do}: nothing is prepared`)
  const made = prepared
  switch (order.do) {
    case 'losses': {
      const { losses, early, late } = await train(made, order.steps, 5)
      if (early !== late)
        throw new Error(`${name} leaks, ${early} after step 5, ${late} after ${order.steps}`)
      return { losses }
    }
    case 'sample': {
      if (made.kind !== 'computation') throw new Error('sample: only results of computations are sampled')
      const result = made.read()
      return { size: result.length, values: order.indices.map((/** @type {number} */ i) => result[i]) }
    }
    case 'warm':
      await warmUp(made, order)
      return {}
    case 'time':
      return { microseconds: await time(made, order.seconds, order.clock) }
    case 'memory': {
      const { early, late } = await train(made, order.steps, order.early)
      return { early, late, maxRss: process.resourceUsage().maxRSS }
    }
    case 'dispose': {
      made.dispose()
      prepared = null
      const after = JSON.stringify(peer.heap())
      if (after !== before) throw new Error(`${name} leaks, ${before} before, ${after} after dispose`)
      return {}
    }
    default:
      throw new Error(`no such order, got ${order.do}`)
  }
}

/**
 * Trains from the start.
 *
 * @param {Prepared} made
 * @param {number} steps
 * @param {number} lookAt the heap is looked at after this step, and after the last
 */
async function train(made, steps, lookAt) {
  /** @type {number[]} */
  const losses = []
  const heaps = { early: '', late: '' }
  const isEnough = (/** @type {number} */ loss) => {
    losses.push(loss)
    if (losses.length === lookAt) heaps.early = JSON.stringify(peer.heap())
    if (losses.length === steps) heaps.late = JSON.stringify(peer.heap())
    return losses.length === steps
  }
  if (made.kind === 'run') await made.train(isEnough)
  else if (made.kind === 'trainer') {
    made.restart()
    while (!isEnough(made.step()));
  } else throw new Error('only training has steps')
  return { losses, ...heaps }
}

/** @param {object} what */
function answer(what) {
  // Libraries print to standard output too: a line that begins like this is an answer.
  process.stdout.write(`@@${JSON.stringify(what)}\n`)
}
