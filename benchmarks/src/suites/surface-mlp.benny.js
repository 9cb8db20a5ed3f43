/**
 * W3. Question: what does a training step cost when the arithmetic is next to nothing (2-16-16-1, tanh, mean squared
 * error, SGD, batch 32), so that only the thinness of dispatch is measured?
 *
 * Wanted: an eager Tapeflow step takes at most half of the best peer's time.
 *
 * @import { Peer } from '../peer.ts'
 * @import { Result } from '../report.js'
 * @import { Effort } from './mlp.js'
 */
import { surfaceMlp } from '../workloads.js'
import { trainingStep } from './mlp.js'

/**
 * @param {readonly Peer[]} peers
 * @param {Effort} effort
 * @returns {Promise<Result[]>}
 */
export async function run(peers, effort) {
  const workload = {
    title: 'W3 tiny MLP step, batch 32',
    question: 'What does a training step cost when only dispatch counts?',
    options: surfaceMlp(),
    judge: atMostHalf,
  }
  return [await trainingStep(workload, peers, effort)]
}

/** @param {import('../interleave.js').Timing[]} timings */
function atMostHalf(timings) {
  const tapeflow = timings.find(({ name }) => name.startsWith('tapeflow'))
  const others = timings
    .filter(({ name }) => !name.startsWith('tapeflow'))
    .map((timing) => timing.microseconds)
  if (tapeflow === undefined || others.length === 0) return []
  const holds = tapeflow.microseconds <= Math.min(...others) / 2
  return [{ claim: "an eager step of W3 takes at most half of the best peer's time", holds }]
}
