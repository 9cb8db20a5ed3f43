/**
 * The run's table and its JSON.
 *
 * @import { Timing } from './interleave.js'
 * @import { LossRow } from './agree.js'
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'

/**
 * @typedef {object} Result
 * @property {string} title
 * @property {string} question what the benchmark answers
 * @property {Timing[]} timings one a peer
 * @property {LossRow[]} [losses] at steps 0, 10, 30
 * @property {number} [flops] floating-point operations of one call
 * @property {Judgement[]} [judgements]
 */

/** @typedef {{ claim: string, holds: boolean }} Judgement */

/**
 * One suite as text: µs per call, spread over rounds, and the ratio to the base (above 1: slower than it).
 *
 * @param {Result} result
 * @param {string} base the name of the peer the others are divided by
 * @returns {string}
 */
export function table({ title, question, timings, losses, flops, judgements = [] }, base) {
  const divisor = timings.find(({ name }) => name === base)?.microseconds
  const rows = timings.map(({ name, microseconds, rounds }) => [
    name,
    figure(microseconds),
    `${figure(Math.min(...rounds))}..${figure(Math.max(...rounds))}`,
    divisor === undefined ? '-' : `${(microseconds / divisor).toFixed(2)}x`,
    ...(flops === undefined ? [] : [(flops / microseconds / 1e3).toFixed(1)]),
    ...(losses?.find((row) => row.name === name)?.losses.map((loss) => loss.toFixed(5)) ?? []),
  ])
  const heads = ['', 'µs', 'rounds', `to ${base}`, ...(flops === undefined ? [] : ['GFLOP/s'])]
  if (losses !== undefined) heads.push('loss 0', 'loss 10', 'loss 30')
  const lines = [heads, ...rows]
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)))
  const pad = (/** @type {string} */ cell, /** @type {number} */ i) =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
  const text = lines.map((line) => `  ${line.map(pad).join('  ')}`).join('\n')
  const verdicts = judgements.map(({ claim, holds }) => `\n  ${holds ? 'holds' : 'FAILS'}: ${claim}`).join('')
  return `\n${title}\n  ${question}\n${text}${verdicts}\n`
}

/** @param {number} microseconds */
function figure(microseconds) {
  return microseconds < 100 ? microseconds.toFixed(2) : Math.round(microseconds).toLocaleString('en')
}

/**
 * Writes `results/<time>.json` and `results/latest.json`.
 *
 * @param {{ peers: { name: string, version: string }[], rounds: number, base: string, results: Result[] }} run
 * @returns {string} the path of the first
 */
export function save(run) {
  const folder = new URL('../results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const date = new Date().toISOString()
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
  const json = `${JSON.stringify({ date, machine, ...run }, null, 2)}\n`
  const file = new URL(`${date.replaceAll(':', '-')}.json`, folder)
  writeFileSync(file, json)
  writeFileSync(new URL('latest.json', folder), json)
  return fileURLToPath(file)
}
