/**
 * Proof that the peers computed the same thing, without which their times must not be compared.
 *
 * @import { MatmulForm, MlpOptions, Peer } from './peer.ts'
 */

const REPORTED_STEPS = [0, 10, 30]
// Every step up to the last reported one is compared. The three alone let a learning rate that is 10 % wrong pass on
// W3, where it moves them by 4e-4 and other steps by 2e-2; libraries that agree differ by less than 1e-4 throughout.
const COMPARED_STEPS = 31
const LOSS_TOLERANCE = 1e-3

/** @typedef {{ name: string, losses: number[] }} LossRow losses at steps 0, 10, 30 */

/**
 * Trains every peer from the common start and returns its losses at steps 0, 10 and 30.
 *
 * @param {string} title
 * @param {readonly Peer[]} peers
 * @param {MlpOptions} options
 * @returns {LossRow[]}
 * @throws when two peers differ by more than 1e-3 at any of the first 31 steps, a loss is not finite, or a peer leaks
 */
export function checkLosses(title, peers, options) {
  const runs = peers.map((peer) => ({ name: peer.name, losses: trainOnce(title, peer, options) }))
  for (let step = 0; step < COMPARED_STEPS; step++) {
    const at = runs.map(({ losses }) => losses[step] ?? Number.NaN)
    const spread = Math.max(...at) - Math.min(...at)
    // Negated, so that a NaN fails.
    if (!(spread <= LOSS_TOLERANCE)) {
      const said = runs.map(({ name }, i) => `${name} ${at[i]}`).join(', ')
      throw new Error(
        `${title}: losses at step ${step} disagree by ${spread}, got ${said}; the times mean nothing`,
      )
    }
  }
  return runs.map(({ name, losses }) => ({
    name,
    losses: REPORTED_STEPS.map((step) => losses[step] ?? Number.NaN),
  }))
}

/**
 * @param {string} title
 * @param {Peer} peer
 * @param {MlpOptions} options
 * @returns {number[]} the loss of each step
 */
function trainOnce(title, peer, options) {
  const before = peer.liveTensors()
  const mlp = peer.createMlp(options)
  /** @type {number[]} */
  const losses = []
  let early = null
  for (let step = 0; step < COMPARED_STEPS; step++) {
    losses.push(mlp.step())
    if (step === 5) early = peer.liveTensors()
  }
  const late = peer.liveTensors()
  if (late !== early)
    throw new Error(`${title}: ${peer.name} leaks, ${early} tensors after step 5, ${late} at the end`)
  mlp.dispose()
  const after = peer.liveTensors()
  if (after !== before) {
    throw new Error(`${title}: ${peer.name} leaks, ${before} tensors before, ${after} after dispose`)
  }
  return losses
}

/**
 * Checks one product of every peer on sampled elements against float64 sums, within the standard bound
 * k · eps · (|A| |B|).
 *
 * @param {string} peer
 * @param {number} n
 * @param {MatmulForm} form
 * @param {Float32Array} left
 * @param {Float32Array} right
 * @param {Float32Array} product
 * @throws when an element is outside the bound
 */
export function checkProduct(peer, n, form, left, right, product) {
  if (product.length !== n * n)
    throw new Error(`matmul ${form} ${n}: ${peer} returned ${product.length} elements`)
  const stride = 97
  for (let at = 0; at < n * n; at += n * n > 10_000 ? stride : 1) {
    const row = Math.floor(at / n)
    const column = at % n
    let sum = 0
    let magnitude = 0
    for (let k = 0; k < n; k++) {
      const a = left[form === 'TN' ? k * n + row : row * n + k] ?? Number.NaN
      const b = right[form === 'NT' ? column * n + k : k * n + column] ?? Number.NaN
      sum += a * b
      magnitude += Math.abs(a * b)
    }
    const error = Math.abs((product[at] ?? Number.NaN) - sum)
    if (!(error <= n * 2 ** -24 * magnitude)) {
      throw new Error(
        `matmul ${form} ${n}: ${peer} is wrong at [${row}, ${column}], got ${product[at]}, not ${sum}`,
      )
    }
  }
}
