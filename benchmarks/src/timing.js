/**
 * How a worker times what it has prepared, in microseconds a call: the median of the samples of one round, each of as many calls as take
 * 10 ms, in Python too. Shorter samples are disturbed more rarely, and longer ones would be compared with less disturbed ones.
 *
 * Functions and steps are sampled by benny. A run (`fit`) cannot be called step by step: it begins anew in each round, and its wall time
 * is taken over stretches of steps; a stretch holds two or three of its slices and the turns of the event loop between them. The first
 * step is left out: that it records the program is a matter of W10.
 *
 * The clock may also be the processor time of the process, threads of the engine included: a mean, on machines that are busy with other
 * things. It is no measure of what somebody waits for, and no final figure.
 *
 * @import { Prepared, Run } from './peer.ts'
 */

const SAMPLE_SECONDS = 0.01

/**
 * At least `calls` and at least `seconds`: a hundred calls compile a kernel's loops, but the JavaScript of a
 * step that takes tens of microseconds goes on getting faster for thousands of calls, in every library measured here.
 *
 * @param {Prepared} prepared
 * @param {{ calls: number, seconds: number, most: number }} effort most: seconds after which fewer calls are enough
 * @returns {Promise<void>}
 */
export async function warmUp(prepared, { calls, seconds, most }) {
  const start = performance.now()
  let made = 0
  const isEnough = () => {
    const passed = (performance.now() - start) / 1000
    return (made >= calls && passed >= seconds) || (made >= 2 && passed > most)
  }
  if (prepared.kind === 'run') {
    return prepared.train(() => {
      made++
      return isEnough()
    })
  }
  for (; !isEnough(); made++) {
    if (prepared.kind === 'trainer') prepared.step()
    else await prepared.call()
  }
}

/**
 * @param {Prepared} prepared begins at its start, if it has one
 * @param {number} seconds the longest it may sample
 * @param {'wall' | 'cpu'} clock
 * @returns {Promise<number>} microseconds a call
 */
export async function time(prepared, seconds, clock) {
  if (clock === 'cpu') return timeProcessor(prepared, seconds)
  if (prepared.kind === 'run') return timeRun(prepared, seconds)
  if (prepared.kind === 'trainer') prepared.restart()
  const call = prepared.kind === 'trainer' ? () => prepared.step() : () => prepared.call()
  // Here, so that it takes no time or memory where those of a fresh process are measured.
  const { default: benny } = await import('benny')
  const isPromise = call() instanceof Promise
  const options = { minTime: SAMPLE_SECONDS, maxTime: seconds, minSamples: 1 }
  const body = isPromise
    ? async () => {
        await call()
      }
    : () => {
        call()
      }
  const { results } = await benny.suite('round', benny.add('case', body, options))
  const microseconds = (results[0]?.details.median ?? Number.NaN) * 1e6
  if (!(microseconds > 0)) throw new Error('no figure; the call must have thrown')
  return microseconds
}

/**
 * @param {Run} run
 * @param {number} seconds
 * @returns {Promise<number>}
 */
async function timeRun(run, seconds) {
  /** @type {number[]} */
  const stretches = []
  let begun = 0
  let since = 0
  let steps = 0
  let length = 1
  await run.train(() => {
    if (begun === 0) {
      begun = since = performance.now()
      return false
    }
    if (++steps < length) return false
    const now = performance.now()
    if (now - since >= 500 * SAMPLE_SECONDS) stretches.push((now - since) / steps)
    length = Math.max(1, Math.round((1000 * SAMPLE_SECONDS * steps) / (now - since)))
    since = now
    steps = 0
    return now - begun >= 1000 * seconds && stretches.length > 0
  })
  return median(stretches) * 1000
}

/**
 * @param {Prepared} prepared
 * @param {number} seconds
 * @returns {Promise<number>}
 */
async function timeProcessor(prepared, seconds) {
  let calls = -1
  let begun = 0
  let used = process.cpuUsage()
  const isEnough = () => {
    if (++calls === 0) {
      begun = performance.now()
      used = process.cpuUsage()
    }
    return calls > 0 && performance.now() - begun > 1000 * seconds
  }
  if (prepared.kind === 'run') await prepared.train(isEnough)
  else {
    if (prepared.kind === 'trainer') prepared.restart()
    while (!isEnough()) {
      if (prepared.kind === 'trainer') prepared.step()
      else await prepared.call()
    }
  }
  const { user, system } = process.cpuUsage(used)
  return (user + system) / calls
}

/**
 * @param {readonly number[]} values at least one
 * @returns {number}
 */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b)
  const upper = /** @type {number} */ (sorted[sorted.length >> 1])
  const lower = /** @type {number} */ (sorted[(sorted.length - 1) >> 1])
  return (lower + upper) / 2
}
