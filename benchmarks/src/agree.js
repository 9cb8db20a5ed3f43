/**
 * Proof that the peers computed the same thing, without which their times must not be compared.
 *
 * @import { Product } from './peer.ts'
 */

export const REPORTED_STEPS = [0, 10, 30]
// Every step up to the last reported one is compared. The three alone let a learning rate that is 10 % wrong pass on
// W3, where it moves them by 4e-4 and other steps by 2e-2; libraries that agree differ by less than 1e-4 throughout.
export const COMPARED_STEPS = 31
const TOLERANCE = 1e-3
/** @typedef {{ title: string, values: readonly number[] }} Found what one library computed */

/**
 * @param {string} id
 * @param {readonly Found[]} runs the loss of each step from the common start
 * @throws when two of them differ by more than 1e-3 of the loss at any step, or a loss is not finite
 */
export function checkLosses(id, runs) {
  compare(id, runs, (step) => `losses at step ${step}`, 0)
}

/**
 * @param {string} id
 * @param {readonly Found[]} runs the same elements of each library's result
 * @param {number} slack absolute: sums near 0 are rounded differently
 * @throws when two of them differ by more than 1e-3 of an element, or one is not finite
 */
export function checkResults(id, runs, slack) {
  compare(id, runs, (at) => `sampled elements ${at}`, slack)
}

/**
 * @param {string} id
 * @param {readonly Found[]} runs
 * @param {(at: number) => string} what
 * @param {number} slack absolute
 */
function compare(id, runs, what, slack) {
  for (let at = 0; at < (runs[0]?.values.length ?? 0); at++) {
    const values = runs.map((run) => run.values[at] ?? Number.NaN)
    const spread = Math.max(...values) - Math.min(...values)
    const magnitude = Math.max(...values.map(Math.abs))
    // Negated, so that a NaN fails.
    if (spread <= TOLERANCE * magnitude + slack) continue
    const said = runs.map(({ title }, i) => `${title} ${values[i]}`).join(', ')
    throw new Error(`${id}: ${what(at)} disagree by ${spread}, got ${said}; the times mean nothing`)
  }
}

/**
 * Elements of a result that are looked at: the first ones, the last one and some hundred in between.
 *
 * @param {number} size
 * @returns {number[]}
 */
export function sampled(size) {
  const stride = Math.max(1, Math.floor(size / 300) | 1)
  const indices = Array.from({ length: Math.ceil(size / stride) }, (_, i) => i * stride)
  return [...indices, size - 1]
}

/**
 * Checks elements of one product against float64 sums, within the standard bound k · eps · (|A| |B|).
 *
 * @param {string} title
 * @param {Product} product
 * @param {readonly number[]} indices
 * @param {readonly number[]} values
 * @throws when an element is outside the bound
 */
export function checkProduct(title, { id, form, left, right }, indices, values) {
  const [n = 0] = left.shape
  indices.forEach((at, i) => {
    const row = Math.floor(at / n)
    const column = at % n
    let sum = 0
    let magnitude = 0
    for (let k = 0; k < n; k++) {
      const a = left.values[form[0] === 'T' ? k * n + row : row * n + k] ?? Number.NaN
      const b = right.values[form[1] === 'T' ? column * n + k : k * n + column] ?? Number.NaN
      sum += a * b
      magnitude += Math.abs(a * b)
    }
    const error = Math.abs((values[i] ?? Number.NaN) - sum)
    if (error <= n * 2 ** -24 * magnitude) return
    throw new Error(`${id}: ${title} is wrong at [${row}, ${column}], got ${values[i]}, not ${sum}`)
  })
}
