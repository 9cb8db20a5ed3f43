/**
 * W2. Question: how long is one training step of a digit classifier (784-128-64-10, ReLU, cross-entropy, Adam, the
 * loss read each step), where the kernels decide? Batch 32 is the everyday size; at 256 matmul is nearly everything.
 *
 * Wanted: at batch 32 Tapeflow is ahead of jax-js.
 *
 * @import { Peer } from '../peer.ts'
 * @import { Result } from '../report.js'
 * @import { Effort } from './mlp.js'
 */
import { digitsMlp } from '../workloads.js'
import { trainingStep } from './mlp.js'

/**
 * @param {readonly Peer[]} peers
 * @param {Effort} effort
 * @returns {Promise<Result[]>}
 */
export async function run(peers, effort) {
  const results = []
  for (const batchSize of [32, 256]) {
    const workload = {
      title: `W2 digits MLP step, batch ${batchSize}`,
      question: 'How long is one training step of a digit classifier?',
      options: digitsMlp(batchSize),
      judge: batchSize === 32 ? aheadOfJax : () => [],
    }
    results.push(await trainingStep(workload, peers, effort))
  }
  return results
}

/** @param {import('../interleave.js').Timing[]} timings */
function aheadOfJax(timings) {
  const tapeflow = timings.find(({ name }) => name.startsWith('tapeflow'))
  const jax = timings.find(({ name }) => name.startsWith('jax-js'))
  if (tapeflow === undefined || jax === undefined) return []
  return [
    { claim: 'a step of W2 at batch 32 is ahead of jax-js', holds: tapeflow.microseconds < jax.microseconds },
  ]
}
