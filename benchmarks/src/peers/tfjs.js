/**
 * TensorFlow.js on its wasm backend: eager operations, `optimizer.minimize`, one loss tensor read and disposed a step.
 *
 * The backend picks its SIMD binary itself; in Node it never uses threads (tensorflow/tfjs#3830). Labels are uploaded
 * one-hot, once: the backward of a gather (UnsortedSegmentSum) is missing in this backend.
 *
 * @import { Batch, Mlp, MlpOptions, MatmulForm, Peer, Product } from '../peer.ts'
 */
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'

/** @returns {Promise<Peer>} */
export async function open() {
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs: the wasm backend did not start')
  await tf.ready()
  return {
    name: 'tfjs wasm',
    version: tf.version.tfjs,
    createMlp,
    matmul,
    liveTensors: () => tf.memory().numTensors,
  }
}

/**
 * @param {MlpOptions} options
 * @returns {Mlp}
 */
function createMlp({ sizes, activation, loss, optimizer: rule, data }) {
  const inputSize = /** @type {number} */ (sizes[0])
  const outputSize = /** @type {number} */ (sizes.at(-1))
  const classify = loss === 'crossEntropy'
  const activate = activation === 'relu' ? tf.relu : tf.tanh
  const lossOf = classify ? tf.losses.softmaxCrossEntropy : tf.losses.meanSquaredError
  const batches = data.batches.map(({ inputs, targets }) => ({
    x: tf.tensor2d(inputs, [data.batchSize, inputSize]),
    y: classify
      ? tf.tidy(() => tf.oneHot(tf.tensor1d(targets, 'int32'), outputSize).toFloat())
      : tf.tensor2d(targets, [data.batchSize, outputSize]),
  }))
  // The tidy frees the tensors a variable is made from; variables themselves outlive it.
  const layers = tf.tidy(() =>
    data.start.map(({ weight, bias }, i) => ({
      weight: tf.variable(tf.tensor2d(weight, [/** @type {number} */ (sizes[i]), bias.length])),
      bias: tf.variable(tf.tensor1d(bias)),
    })),
  )
  const variables = layers.flatMap(({ weight, bias }) => [weight, bias])
  // An explicit epsilon: the default here is 1e-7, the paper's and the other peers' is 1e-8.
  const createOptimizer = () =>
    rule.name === 'adam'
      ? tf.train.adam(rule.learningRate, 0.9, 0.999, 1e-8)
      : tf.train.sgd(rule.learningRate)
  let optimizer = createOptimizer()
  let next = 0

  /** @param {tf.Tensor2D} x */
  const forward = (x) =>
    layers.reduce((h, { weight, bias }, i) => {
      const z = tf.add(tf.matMul(h, weight), bias)
      return /** @type {tf.Tensor2D} */ (i < layers.length - 1 ? activate(z) : z)
    }, x)

  return {
    step() {
      const { x, y } = /** @type {{ x: tf.Tensor2D, y: tf.Tensor2D }} */ (batches[next])
      next = (next + 1) % batches.length
      const cost = optimizer.minimize(() => lossOf(y, forward(x)), true, variables)
      if (cost === null) throw new Error('tfjs: minimize returned no loss')
      const value = /** @type {number} */ (cost.dataSync()[0])
      cost.dispose()
      return value
    },
    restart() {
      next = 0
      optimizer.dispose()
      optimizer = createOptimizer()
      data.start.forEach(({ weight, bias }, i) => {
        const layer = /** @type {typeof layers[number]} */ (layers[i])
        tf.tidy(() => {
          layer.weight.assign(tf.tensor2d(weight, layer.weight.shape))
          layer.bias.assign(tf.tensor1d(bias))
        })
      })
    },
    dispose() {
      optimizer.dispose()
      tf.dispose([variables, batches.map(({ x, y }) => [x, y])])
    },
  }
}

/**
 * @param {number} n
 * @param {MatmulForm} form
 * @param {Float32Array} left
 * @param {Float32Array} right
 * @returns {Product}
 */
function matmul(n, form, left, right) {
  const a = tf.tensor2d(left, [n, n])
  const b = tf.tensor2d(right, [n, n])
  return {
    run() {
      const c = tf.matMul(a, b, form === 'TN', form === 'NT')
      const values = /** @type {Float32Array} */ (c.dataSync())
      c.dispose()
      return values
    },
    dispose: () => tf.dispose([a, b]),
  }
}
