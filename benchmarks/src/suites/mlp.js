/**
 * A training-step benchmark: losses first, then times. Shared by the two MLP suites.
 *
 * @import { MlpOptions, Peer } from '../peer.ts'
 * @import { Judgement, Result } from '../report.js'
 * @import { Timing } from '../interleave.js'
 */
import { checkLosses } from '../agree.js'
import { interleave } from '../interleave.js'

/** @typedef {{ rounds: number, seconds: number }} Effort */

/**
 * @param {{ title: string, question: string, options: MlpOptions, judge: (timings: Timing[]) => Judgement[] }} workload
 * @param {readonly Peer[]} peers
 * @param {Effort} effort
 * @returns {Promise<Result>}
 */
export async function trainingStep({ title, question, options, judge }, peers, effort) {
  const losses = checkLosses(title, peers, options)
  const mlps = peers.map((peer) => ({ name: peer.name, mlp: peer.createMlp(options) }))
  const cases = mlps.map(({ name, mlp }) => ({ name, call: () => mlp.step(), before: () => mlp.restart() }))
  const timings = await interleave(title, cases, { ...effort, warmSeconds: 3 })
  for (const { mlp } of mlps) mlp.dispose()
  return { title, question, timings, losses, judgements: judge(timings) }
}
