/**
 * What is seen of a whole process: W8, memory over 2,000 steps of W2 with batches of 32, and W10, from its start to the end of
 * its first step.
 *
 * W8 is the process's peak resident set (`ru_maxrss`), the library itself and the data included. Ours are looked at once more: what is
 * alive in the heap after step 100 must be what is alive after step 2,000. W10 is the time from spawning the process until its line with
 * the loss arrives; it reads one batch and the start from a file, and nothing is cached beforehand but what the disk's cache holds.
 *
 * @import { PeerEntry } from '../worker-process.js'
 * @import { Effort, Result } from '../report.js'
 */
import { checkLosses } from '../agree.js'
import { interleave, median } from '../interleave.js'
import { firstStep, openWorker } from '../worker-process.js'
import { writeWorkload } from '../workload-file.js'
import { digitsMlp } from '../workloads.js'

const STEPS = 2000
const EARLY_STEP = 100
const PROCESSES = 3

/**
 * @param {readonly PeerEntry[]} peers
 * @param {Effort} effort
 * @returns {Promise<void>}
 */
export async function memory(peers, effort) {
  effort.say('W8')
  const file = writeWorkload(effort.folder, 'W8', digitsMlp(32))
  /** @type {Result['cells']} */
  const cells = {}
  for (const peer of peers) {
    const rounds = []
    for (let i = 0; i < Math.min(PROCESSES, effort.rounds); i++) {
      const { tell, close } = await openWorker(peer)
      await tell({ do: 'prepare', file })
      const { early, late, maxRss } = await tell({ do: 'memory', steps: STEPS, early: EARLY_STEP })
      await close()
      if (early !== late) {
        throw new Error(
          `W8: ${peer.title}'s heap grows, ${early} at step ${EARLY_STEP}, ${late} at step ${STEPS}`,
        )
      }
      rounds.push(maxRss / 1024)
    }
    cells[peer.name] = { value: median(rounds), rounds }
  }
  effort.add({ id: 'W8', unit: 'MB', cells })
}

/**
 * @param {readonly PeerEntry[]} peers
 * @param {Effort} effort
 * @returns {Promise<void>}
 */
export async function start(peers, effort) {
  effort.say('W10')
  const file = writeWorkload(effort.folder, 'W10', digitsMlp(32, 1))
  /** @type {Map<string, number>} */
  const losses = new Map()
  const cases = peers.map((peer) => ({
    name: peer.name,
    measure: async () => {
      const { milliseconds, loss } = await firstStep(peer, file)
      losses.set(peer.title, loss)
      return milliseconds
    },
  }))
  // Once for the disk's cache.
  await interleave(cases, 1)
  const cells = await interleave(cases, effort.rounds)
  checkLosses(
    'W10',
    [...losses].map(([title, loss]) => ({ title, values: [loss] })),
  )
  effort.add({ id: 'W10', unit: 'ms', cells })
}
