/**
 * Times cases in interleaved rounds, so that a machine that slows down slows all of them alike.
 *
 * The order rotates from round to round. A case's figure is the median over rounds.
 */
import { median } from './timing.js'

export { median }

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {() => Promise<number>} measure one round of it
 */

/**
 * @typedef {object} Figure
 * @property {number} value the median of `rounds`
 * @property {number[]} rounds
 */

/**
 * @param {readonly Case[]} cases
 * @param {number} rounds
 * @returns {Promise<Record<string, Figure>>} by name
 */
export async function interleave(cases, rounds) {
  /** @type {Map<string, number[]>} */
  const seen = new Map(cases.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    const turn = round % Math.max(1, cases.length)
    for (const { name, measure } of [...cases.slice(turn), ...cases.slice(0, turn)]) {
      seen.get(name)?.push(await measure())
    }
  }
  return Object.fromEntries(
    [...seen].map(([name, figures]) => [name, { value: median(figures), rounds: figures }]),
  )
}
