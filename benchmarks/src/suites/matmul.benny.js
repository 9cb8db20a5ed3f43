/**
 * W1. Question: how fast is a square matrix product, as stored (NN) and in the two forms every backward pass consists
 * of (NT, TN), and do the transposed forms cost more? The time includes reading the product back into JavaScript:
 * jax-js is lazy, reading is its only synchronous way to finish, and so all peers read.
 *
 * @import { MatmulForm, Peer } from '../peer.ts'
 * @import { Result } from '../report.js'
 * @import { Effort } from './mlp.js'
 */
import { checkProduct } from '../agree.js'
import { interleave } from '../interleave.js'
import { matrices } from '../workloads.js'

const SIZES = [64, 128, 256, 512, 1024]
const FORMS = /** @type {MatmulForm[]} */ (['NN', 'NT', 'TN'])

/**
 * @param {readonly Peer[]} peers
 * @param {Effort} effort
 * @returns {Promise<Result[]>}
 */
export async function run(peers, effort) {
  const results = []
  for (const n of SIZES) {
    const { left, right } = matrices(n)
    for (const form of FORMS) {
      const products = peers.map((peer) => ({ name: peer.name, product: peer.matmul(n, form, left, right) }))
      for (const { name, product } of products) checkProduct(name, n, form, left, right, product.run())
      const title = `W1 matmul ${form} ${n}`
      const cases = products.map(({ name, product }) => ({ name, call: () => product.run() }))
      const timings = await interleave(title, cases, { ...effort, warmSeconds: 0.2 })
      for (const { product } of products) product.dispose()
      results.push({ title, question: 'How fast is a matrix product?', timings, flops: 2 * n ** 3 })
    }
  }
  return results
}
