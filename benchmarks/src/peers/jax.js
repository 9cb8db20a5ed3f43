/**
 * jax-js on its wasm backend: the whole training step (forward, backward, update) is one `jit` function.
 *
 * jax-js counts references: passing an array to a function consumes it, `.ref` keeps it for another use. It computes
 * lazily, so a result is read to make it exist. In Node there is no global Worker and it runs on one thread.
 *
 * @import { Mlp, MlpOptions, MatmulForm, Peer, Product } from '../peer.ts'
 */
import { readFileSync } from 'node:fs'
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from '@jax-js/jax'

/** @typedef {{ weight: np.Array, bias: np.Array }} Layer */
/** @typedef {{ params: Layer[], first: Layer[], second: Layer[] }} Carry */

/** @returns {Promise<Peer>} */
export async function open() {
  await init('wasm')
  if (defaultDevice('wasm') !== 'wasm') throw new Error('jax-js: the wasm device did not start')
  const manifest = new URL('../package.json', import.meta.resolve('@jax-js/jax'))
  return {
    name: 'jax-js jit',
    version: JSON.parse(readFileSync(manifest, 'utf8')).version,
    createMlp,
    matmul,
    liveTensors: () => null,
  }
}

/**
 * @param {Float32Array} values
 * @param {number[]} shape
 */
const arrayOf = (values, shape) => np.array(/** @type {Float32Array<ArrayBuffer>} */ (values)).reshape(shape)

/**
 * @param {MlpOptions} options
 * @returns {Mlp}
 */
function createMlp({ sizes, activation, loss, optimizer, data }) {
  const inputSize = /** @type {number} */ (sizes[0])
  const outputSize = /** @type {number} */ (sizes.at(-1))
  const activate = activation === 'relu' ? nn.relu : np.tanh
  const classify = loss === 'crossEntropy'
  const { learningRate } = optimizer
  const adam = optimizer.name === 'adam'

  const batches = data.batches.map(({ inputs, targets }) => ({
    x: arrayOf(inputs, [data.batchSize, inputSize]),
    y: classify
      ? nn.oneHot(np.array(Int32Array.from(targets)), outputSize)
      : arrayOf(targets, [data.batchSize, outputSize]),
  }))

  /** @type {(params: Layer[], x: np.Array, y: np.Array) => np.Array} */
  const lossOf = (params, x, y) => {
    const out = params.reduce((h, { weight, bias }, i) => {
      const z = np.matmul(h, weight).add(bias)
      return i < params.length - 1 ? activate(z) : z
    }, x)
    return classify ? np.mean(np.sum(y.mul(nn.logSoftmax(out)), -1)).neg() : np.mean(np.square(out.sub(y)))
  }
  const lossAndGradients = valueAndGrad(lossOf)

  const sgdStep = jit(
    (/** @type {Layer[]} */ params, /** @type {np.Array} */ x, /** @type {np.Array} */ y) => {
      const [value, gradients] = lossAndGradients(params.map(keep), x, y)
      return { value, params: zipLayers((p, g) => p.sub(g.mul(learningRate)), params, gradients) }
    },
  )

  const adamStep = jit(
    (
      /** @type {Carry} */ { params, first, second },
      /** @type {np.Array} */ x,
      /** @type {np.Array} */ y,
      /** @type {np.Array} */ firstScale,
      /** @type {np.Array} */ secondScale,
    ) => {
      const [value, gradients] = lossAndGradients(params.map(keep), x, y)
      const m = zipLayers((a, g) => a.mul(0.9).add(g.mul(0.1)), first, gradients.map(keep))
      const v = zipLayers((a, g) => a.mul(0.999).add(np.square(g).mul(0.001)), second, gradients)
      const moved = zipLayers(
        (p, a, b) =>
          p.sub(
            a
              .mul(firstScale.ref)
              .div(np.sqrt(b.mul(secondScale.ref)).add(1e-8))
              .mul(learningRate),
          ),
        params,
        m.map(keep),
        v.map(keep),
      )
      firstScale.dispose()
      secondScale.dispose()
      return { value, carry: { params: moved, first: m, second: v } }
    },
  )

  /** @type {Carry} */
  let carry = { params: [], first: [], second: [] }
  let taken = 0

  const release = () => {
    for (const { weight, bias } of [carry.params, carry.first, carry.second].flat()) {
      weight.dispose()
      bias.dispose()
    }
    carry = { params: [], first: [], second: [] }
  }
  const restart = () => {
    release()
    taken = 0
    const params = data.start.map(({ weight, bias }, i) => ({
      weight: arrayOf(weight, [/** @type {number} */ (sizes[i]), bias.length]),
      bias: arrayOf(bias, [bias.length]),
    }))
    const zeros = () =>
      data.start.map(({ weight, bias }, i) => ({
        weight: arrayOf(new Float32Array(weight.length), [/** @type {number} */ (sizes[i]), bias.length]),
        bias: arrayOf(new Float32Array(bias.length), [bias.length]),
      }))
    carry = { params, first: adam ? zeros() : [], second: adam ? zeros() : [] }
  }
  restart()

  return {
    step() {
      const { x, y } = /** @type {{ x: np.Array, y: np.Array }} */ (batches[taken % batches.length])
      taken++
      if (!adam) {
        const { value, params } = sgdStep(carry.params, x.ref, y.ref)
        carry = { params, first: [], second: [] }
        return /** @type {number} */ (value.dataSync()[0])
      }
      const firstScale = np.array(1 / (1 - 0.9 ** taken))
      const secondScale = np.array(1 / (1 - 0.999 ** taken))
      const result = adamStep(carry, x.ref, y.ref, firstScale, secondScale)
      carry = result.carry
      return /** @type {number} */ (result.value.dataSync()[0])
    },
    restart,
    dispose() {
      release()
      for (const { x, y } of batches) {
        x.dispose()
        y.dispose()
      }
      sgdStep.dispose()
      adamStep.dispose()
    },
  }
}

/**
 * The same layer with one more reference on each array.
 *
 * @param {Layer} layer
 * @returns {Layer}
 */
function keep({ weight, bias }) {
  return { weight: weight.ref, bias: bias.ref }
}

/**
 * @param {(...leaves: np.Array[]) => np.Array} f
 * @param {...Layer[]} trees
 * @returns {Layer[]}
 */
function zipLayers(f, ...trees) {
  const [first = []] = trees
  return first.map((_, i) => {
    const layers = trees.map((tree) => /** @type {Layer} */ (tree[i]))
    return { weight: f(...layers.map((l) => l.weight)), bias: f(...layers.map((l) => l.bias)) }
  })
}

/**
 * @param {number} n
 * @param {MatmulForm} form
 * @param {Float32Array} left
 * @param {Float32Array} right
 * @returns {Product}
 */
function matmul(n, form, left, right) {
  const a = arrayOf(left, [n, n])
  const b = arrayOf(right, [n, n])
  const product = jit((/** @type {np.Array} */ l, /** @type {np.Array} */ r) =>
    np.matmul(form === 'TN' ? l.transpose() : l, form === 'NT' ? r.transpose() : r),
  )
  return {
    run: () => /** @type {Float32Array} */ (product(a.ref, b.ref).dataSync()),
    dispose() {
      a.dispose()
      b.dispose()
      product.dispose()
    },
  }
}
