/**
 * Question: what does the relaxed numeric mode gain, in products, elementwise operations, convolutions and training steps?
 *
 *     npm run build && npm run relaxed -w benchmarks
 *
 * Each case is one compiled program in both modes, timed in interleaved rounds of one run; figures are medians.
 */
import { cpus } from 'node:os'
import * as t from '@tapeflow/autodiff'
import { relaxed } from '@tapeflow/autodiff/relaxed'
import { linear, relu, sequential, sparseCrossEntropy } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'
import { interleave } from './interleave.js'

const ROUNDS = 21
const ROUND_SECONDS = 0.02
const WARM_CALLS = 100
const WARM_SECONDS = 0.3

/** @typedef {(numerics: t.CompileOptions) => () => unknown} Work what is called, in a numeric mode */

const normal = (/** @type {number[]} */ shape) => t.normal(t.key(1), shape)

/**
 * @param {(...x: any[]) => any} f
 * @param {...number[]} shapes
 * @returns {Work}
 */
function calling(f, ...shapes) {
  const inputs = shapes.map(normal)
  return (numerics) => {
    const program = t.compile(f, { reuse: true, ...numerics })
    return () => program(...inputs)
  }
}

/**
 * The training step of W2: an MLP 784-128-64-10 with Adam.
 *
 * @param {number} rows
 * @returns {Work}
 */
function training(rows) {
  const model = sequential(linear(784, 128), relu(), linear(128, 64), relu(), linear(64, 10))
  const loss = sparseCrossEntropy()
  const optimizer = adam({ learningRate: 1e-3 })
  const x = normal([rows, 784])
  const y = t.tensor(Array.from({ length: rows }, (_, i) => i % 10))
  return (numerics) => {
    const { params, state } = model.init(t.key(0), [784])
    let carry = { params, slots: optimizer.init(params) }
    const step = t.compile(
      (/** @type {typeof carry} */ from, /** @type {ReturnType<typeof optimizer.hyper>} */ rates) => {
        const { value, gradients } = t.valueAndGrad((/** @type {typeof params} */ p) =>
          loss(model.apply(p, state, x, { training: true, path: '' }).y, y),
        )(from.params)
        return { carry: optimizer.update(gradients, from.slots, from.params, rates), loss: value }
      },
      { donate: [0], reuse: true, ...numerics },
    )
    let taken = 0
    return () => {
      const made = step(carry, optimizer.hyper(taken++))
      carry = made.carry
      return made.loss
    }
  }
}

/** @type {Record<string, Work>} */
const works = {}
for (const size of [64, 128, 256, 512, 1024]) {
  for (const form of ['NN', 'NT', 'TN']) {
    const options = { transposeA: form[0] === 'T', transposeB: form[1] === 'T' }
    const product = (/** @type {t.Tensor} */ a, /** @type {t.Tensor} */ b) => t.matmul(a, b, options)
    works[`matmul ${size}, ${form}`] = calling(product, [size, size], [size, size])
  }
}
for (const [name, f] of Object.entries({ exp: t.exp, tanh: t.tanh, gelu: t.gelu, erf: t.erf, sin: t.sin })) {
  works[`${name}, 65,536 elements`] = calling((x) => f(x), [65_536])
}
const convolution = t.grad((/** @type {{ x: t.Tensor, filter: t.Tensor }} */ { x, filter }) =>
  t.sum(t.square(t.conv2d(x, filter, { padding: 'same' }))),
)
works['conv2d 3x3, 16 to 32 channels, 28x28, batch 8, and its gradients'] = calling(
  (x, filter) => convolution({ x, filter }),
  [8, 28, 28, 16],
  [3, 3, 16, 32],
)
for (const rows of [32, 256]) works[`a step of MLP 784-128-64-10 with Adam, batch ${rows}`] = training(rows)

console.log(`${cpus()[0]?.model}, Node ${process.versions.node}: microseconds, and strict / relaxed`)
for (const [name, work] of Object.entries(works)) {
  const cases = [
    { name: 'strict', run: work({}) },
    { name: 'relaxed', run: work({ numerics: relaxed() }) },
  ].map(({ name, run }) => {
    const start = performance.now()
    let calls = 0
    for (; calls < WARM_CALLS || performance.now() - start < WARM_SECONDS * 1000; calls++) run()
    const times = Math.max(1, Math.round((calls * ROUND_SECONDS * 1000) / (performance.now() - start)))
    const measure = async () => {
      const begun = performance.now()
      for (let i = 0; i < times; i++) run()
      return ((performance.now() - begun) * 1000) / times
    }
    return { name, measure }
  })
  const figures = await interleave(cases, ROUNDS)
  const [strict, fast] = [figures.strict?.value ?? Number.NaN, figures.relaxed?.value ?? Number.NaN]
  console.log(`${name}: ${strict.toFixed(1)}, ${fast.toFixed(1)}, ${(strict / fast).toFixed(2)}`)
}
