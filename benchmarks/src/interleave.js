/**
 * Times cases in interleaved rounds, so that a machine that slows down slows all of them alike.
 *
 * A round is one benny suite over all cases; the order rotates from round to round. A case's figure is the median over
 * rounds of its median within the round, in microseconds per call.
 */
import benny from 'benny'

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {() => unknown} call what is timed; must not return a function or a promise (benny would unwrap them)
 * @property {() => void} [before] runs before each round, untimed
 */

/**
 * @typedef {object} Timing
 * @property {string} name
 * @property {number} microseconds the median of `rounds`
 * @property {number[]} rounds
 */

const WARM_CALLS = 100
// Only the matrix products of 512 and above reach this limit; every training step gets its hundred calls.
const MOST_WARM_SECONDS = 10
const MIN_WARM_CALLS = 2

/**
 * @param {string} title
 * @param {readonly Case[]} cases
 * @param {{ rounds: number, seconds: number, warmSeconds: number }} options seconds: the longest one case may sample in
 *   one round; warmSeconds: the shortest warm-up
 * @returns {Promise<Timing[]>}
 */
export async function interleave(title, cases, { rounds, seconds, warmSeconds }) {
  for (const { before, call } of cases) {
    before?.()
    warmUp(call, warmSeconds)
  }
  /** @type {Map<string, number[]>} */
  const seen = new Map(cases.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const order = [...cases.slice(round % cases.length), ...cases.slice(0, round % cases.length)]
    for (const { before } of order) before?.()
    const summary = await benny.suite(
      `${title}, round ${round + 1} of ${rounds}`,
      ...order.map(({ name, call }) =>
        benny.add(
          name,
          () => {
            call()
          },
          { minTime: Math.min(0.05, seconds / 5), maxTime: seconds, minSamples: 1 },
        ),
      ),
    )
    for (const { name, details } of summary.results) seen.get(name)?.push(details.median * 1e6)
  }
  return cases.map(({ name }) => {
    const figures = seen.get(name) ?? []
    if (figures.length !== rounds || !figures.every((us) => us > 0)) {
      throw new Error(
        `${title}: ${name} has no figure for every round, got [${figures}]; a call must have thrown`,
      )
    }
    return { name, microseconds: median(figures), rounds: figures }
  })
}

/**
 * At least a hundred calls and at least `warmSeconds`: a hundred calls compile a kernel's loops, but the JavaScript of a
 * step that takes tens of microseconds goes on getting faster for thousands of calls, in every library measured here.
 *
 * @param {() => unknown} call
 * @param {number} warmSeconds
 */
function warmUp(call, warmSeconds) {
  const start = performance.now()
  for (let calls = 0; ; calls++) {
    const seconds = (performance.now() - start) / 1000
    if (calls >= WARM_CALLS && seconds >= warmSeconds) return
    if (calls >= MIN_WARM_CALLS && seconds > MOST_WARM_SECONDS) return
    call()
  }
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
