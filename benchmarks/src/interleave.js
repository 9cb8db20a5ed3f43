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
const WARM_SECONDS = 10
const MIN_WARM_CALLS = 2

/**
 * @param {string} title
 * @param {readonly Case[]} cases
 * @param {{ rounds: number, seconds: number }} options seconds: the longest one case may sample in one round
 * @returns {Promise<Timing[]>}
 */
export async function interleave(title, cases, { rounds, seconds }) {
  for (const { before, call } of cases) {
    before?.()
    warmUp(call)
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
 * V8 reaches full speed after some fifty calls, and compiles a kernel module's loops while they run.
 *
 * @param {() => unknown} call
 */
function warmUp(call) {
  const start = performance.now()
  for (let calls = 0; calls < WARM_CALLS; calls++) {
    if (calls >= MIN_WARM_CALLS && performance.now() - start > WARM_SECONDS * 1000) return
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
