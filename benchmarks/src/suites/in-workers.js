/**
 * W1 to W7 and W9: each library in a process of its own, made anew for each group of workloads; first what it computes is
 * compared with the others, then all are warmed up and timed in interleaved rounds.
 *
 * @import { Training, Workload } from '../peer.ts'
 * @import { PeerEntry, Worker } from '../worker-process.js'
 * @import { Effort, Result, Cell } from '../report.js'
 */
import { COMPARED_STEPS, checkLosses, checkProduct, checkResults, REPORTED_STEPS, sampled } from '../agree.js'
import { interleave } from '../interleave.js'
import { Unsupported } from '../unsupported.js'
import { openWorker } from '../worker-process.js'
import { writeWorkload } from '../workload-file.js'

/** @typedef {{ timed: Workload, compared?: Training }} Task compared: what losses are compared on, where that is not what is timed */

/** Training steps need seconds (DECISIONS 11); what is one kernel is warm much sooner. */
const WARM = { training: { calls: 100, seconds: 3, most: 10 }, other: { calls: 100, seconds: 0.2, most: 5 } }

/**
 * @param {readonly Task[]} tasks a group: workers are shared
 * @param {readonly PeerEntry[]} peers
 * @param {Effort} effort
 * @returns {Promise<void>}
 */
export async function inWorkers(tasks, peers, effort) {
  /** @type {Worker[]} */
  const workers = []
  try {
    for (const peer of peers) workers.push(await openWorker(peer))
    for (const task of tasks) {
      effort.say(task.timed.id)
      effort.add(await one(task, workers, effort))
    }
  } finally {
    for (const worker of workers) await worker.close()
  }
}

/**
 * @param {Task} task
 * @param {readonly Worker[]} workers
 * @param {Effort} effort
 * @returns {Promise<Result>}
 */
async function one({ timed, compared }, workers, effort) {
  const { id } = timed
  /** @type {Record<string, Cell>} */
  const cells = {}
  let able = await prepared(workers, writeWorkload(effort.folder, `${id} compared`, compared ?? timed), cells)
  const losses = timed.kind === 'training' ? await compareLosses(id, able) : await compareResults(timed, able)
  if (compared !== undefined) {
    for (const worker of able) await worker.tell({ do: 'dispose' })
    able = await prepared(able, writeWorkload(effort.folder, id, timed), cells)
  }
  const warm = timed.kind === 'training' ? WARM.training : WARM.other
  const seconds = timed.kind === 'training' ? effort.seconds : effort.seconds / 2
  for (const { tell } of able)
    await tell({ do: 'warm', ...warm, seconds: Math.min(warm.seconds, effort.warmSeconds) })
  const cases = able.map(({ peer, tell }) => ({
    name: peer.name,
    measure: async () =>
      /** @type {number} */ ((await tell({ do: 'time', seconds, clock: effort.clock })).microseconds),
  }))
  const figures = await interleave(cases, effort.rounds)
  for (const { tell } of able) await tell({ do: 'dispose' })
  return { id, unit: 'µs', cells: { ...cells, ...figures }, ...(losses === null ? {} : { losses }) }
}

/**
 * The workers that can do it; why the others cannot is noted.
 *
 * @param {readonly Worker[]} workers
 * @param {string} file
 * @param {Record<string, Cell>} cells
 */
async function prepared(workers, file, cells) {
  /** @type {Worker[]} */
  const able = []
  for (const worker of workers) {
    try {
      await worker.tell({ do: 'prepare', file })
      able.push(worker)
    } catch (error) {
      if (!(error instanceof Unsupported)) throw error
      cells[worker.peer.name] = { note: error.message }
    }
  }
  return able
}

/**
 * @param {string} id
 * @param {readonly Worker[]} workers
 */
async function compareLosses(id, workers) {
  const runs = []
  for (const { peer, tell } of workers) {
    const { losses } = await tell({ do: 'losses', steps: COMPARED_STEPS })
    runs.push({ name: peer.name, title: peer.title, values: /** @type {number[]} */ (losses) })
  }
  checkLosses(id, runs)
  return Object.fromEntries(
    runs.map(({ name, values }) => [name, REPORTED_STEPS.map((step) => values[step] ?? Number.NaN)]),
  )
}

/**
 * @param {Exclude<Workload, Training>} workload
 * @param {readonly Worker[]} workers
 */
async function compareResults(workload, workers) {
  const indices = sampled(sizeOf(workload))
  const runs = []
  for (const { peer, tell } of workers) {
    const { size, values } = await tell({ do: 'sample', indices })
    if (size !== sizeOf(workload)) throw new Error(`${workload.id}: ${peer.title} returned ${size} elements`)
    runs.push({ title: peer.title, values: /** @type {number[]} */ (values) })
  }
  if (workload.kind !== 'product') checkResults(workload.id, runs, workload.id.includes('sum') ? 1e-3 : 1e-6)
  else for (const { title, values } of runs) checkProduct(title, workload, indices, values)
  return null
}

/** @param {Exclude<Workload, Training>} workload */
function sizeOf(workload) {
  switch (workload.kind) {
    case 'product':
      return workload.left.values.length
    case 'elementwise':
      return workload.operands[0]?.values.length ?? 0
    case 'rows':
      return workload.operation === 'softmax' ? workload.matrix.values.length : 1024
    case 'forward':
      return workload.model.sizes.at(-1) ?? 0
  }
}
