/**
 * TensorFlow.js on its wasm backend: eager operations, `optimizer.minimize`, one loss tensor read and disposed a step.
 *
 * In production mode, which leaves checks out. The backend picks its SIMD binary itself; in Node it never uses threads (tensorflow/tfjs#3830). Labels are uploaded
 * one-hot, once: the backward of a gather (UnsortedSegmentSum) is missing in this backend. Batch norm is `tf.batchNorm` on
 * `tf.moments`, as the layers API computes it, with the moving averages kept. Its gradient of a convolution by the filter
 * (Conv2DBackpropFilter) is missing: W5 cannot be trained.
 *
 * @import { Cnn, Computation, Mlp, Peer, Trainer, Training, Values, Workload } from '../peer.ts'
 */
import * as tf from '@tensorflow/tfjs'
import '@tensorflow/tfjs-backend-wasm'
import { Unsupported } from '../unsupported.js'

/** @returns {Promise<Peer>} */
export async function open() {
  tf.enableProdMode()
  if (!(await tf.setBackend('wasm'))) throw new Error('tfjs: the wasm backend did not start')
  await tf.ready()
  return {
    version: tf.version.tfjs,
    prepare: (workload) => (workload.kind === 'training' ? trainer(workload) : computation(workload)),
    heap: () => ({ tensors: tf.memory().numTensors, bytes: tf.memory().numBytes }),
  }
}

/** @param {Values} values */
const tensorOf = ({ values, shape }) => tf.tensor(values, [...shape])

/** @param {Values} values */
// The tidy frees the tensor a variable is made from; variables themselves outlive it.
const variableOf = (values) => tf.tidy(() => tf.variable(tensorOf(values)))

/**
 * @param {Training} workload
 * @returns {Trainer}
 */
function trainer({ model, loss, optimizer: rule, batches: given, start }) {
  const classes = start.at(-1)?.bias.shape[0] ?? 0
  const batches = given.map(({ inputs, targets }) => ({
    x: tensorOf(inputs),
    y:
      loss === 'crossEntropy'
        ? tf.tidy(() => tf.oneHot(tf.tensor1d(targets.values, 'int32'), classes).toFloat())
        : tensorOf(targets),
  }))
  const { variables, moving, forward, restart } = networkOf(model, start)
  const lossOf = {
    crossEntropy: tf.losses.softmaxCrossEntropy,
    meanSquaredError: tf.losses.meanSquaredError,
    sigmoidCrossEntropy: tf.losses.sigmoidCrossEntropy,
  }[loss]
  // An explicit epsilon: the default here is 1e-7, the paper's and the other peers' is 1e-8.
  const createOptimizer = () =>
    rule.name === 'adam'
      ? tf.train.adam(rule.learningRate, 0.9, 0.999, 1e-8)
      : tf.train.sgd(rule.learningRate)
  let optimizer = createOptimizer()
  let next = 0
  const dispose = () => {
    optimizer.dispose()
    tf.dispose([variables, moving, batches.map(({ x, y }) => [x, y])])
  }
  const step = () => {
    const { x, y } = /** @type {typeof batches[number]} */ (batches[next])
    next = (next + 1) % batches.length
    const cost = optimizer.minimize(() => lossOf(y, forward(x)), true, variables)
    if (cost === null) throw new Error('tfjs: minimize returned no loss')
    const value = /** @type {number} */ (cost.dataSync()[0])
    cost.dispose()
    return value
  }
  if (model.type === 'cnn') {
    try {
      tf.tidy(step)
    } catch (error) {
      dispose()
      const reason = error instanceof Error ? error.message : String(error)
      throw new Unsupported(`cannot train: ${reason.split('\n')[0]}`)
    }
  }
  return {
    kind: 'trainer',
    step,
    restart() {
      next = 0
      optimizer.dispose()
      optimizer = createOptimizer()
      restart()
    },
    dispose,
  }
}

/**
 * @param {Mlp | Cnn} model
 * @param {Training['start']} start
 */
function networkOf(model, start) {
  const layers = start.map(({ weight, bias }) => ({ weight: variableOf(weight), bias: variableOf(bias) }))
  const hidden = start.slice(0, -1)
  const norms =
    model.type === 'mlp' && model.batchNorm
      ? hidden.map(({ bias: { shape } }) => {
          const filled = (/** @type {number} */ value, trainable = true) =>
            tf.tidy(() => tf.variable(tf.fill([...shape], value), trainable))
          return { gamma: filled(1), beta: filled(0), mean: filled(0, false), variance: filled(1, false) }
        })
      : []

  /**
   * @param {tf.Tensor} z
   * @param {typeof norms[number]} norm
   */
  const normalized = (z, { gamma, beta, mean, variance }) => {
    const batch = tf.moments(z, 0)
    mean.assign(tf.add(tf.mul(mean, 0.9), tf.mul(batch.mean, 0.1)))
    variance.assign(tf.add(tf.mul(variance, 0.9), tf.mul(batch.variance, 0.1)))
    return tf.batchNorm(
      z,
      /** @type {tf.Tensor1D} */ (batch.mean),
      /** @type {tf.Tensor1D} */ (batch.variance),
      beta,
      gamma,
      1e-5,
    )
  }
  /** @param {tf.Tensor} x */
  const forward = (x) => {
    let h = x
    layers.forEach(({ weight, bias }, i) => {
      const last = i === layers.length - 1
      if (model.type === 'cnn' && !last) {
        const image = /** @type {tf.Tensor4D} */ (h)
        const z = tf.add(tf.conv2d(image, /** @type {tf.Tensor4D} */ (weight), 1, 'valid'), bias)
        h = tf.maxPool(/** @type {tf.Tensor4D} */ (tf.relu(z)), 2, 2, 'valid')
        return
      }
      if (model.type === 'cnn') h = tf.reshape(h, [x.shape[0] ?? 0, -1])
      h = tf.add(tf.matMul(h, weight), bias)
      if (last || model.type === 'cnn') return
      const norm = norms[i]
      if (norm !== undefined) h = normalized(h, norm)
      h = model.activation === 'relu' ? tf.relu(h) : tf.tanh(h)
      const rate = model.dropout[i] ?? 0
      if (rate > 0) h = tf.dropout(h, rate)
    })
    return h
  }
  return {
    forward,
    variables: [
      ...layers.flatMap(({ weight, bias }) => [weight, bias]),
      ...norms.flatMap(({ gamma, beta }) => [gamma, beta]),
    ],
    moving: norms.flatMap(({ mean, variance }) => [mean, variance]),
    restart: () =>
      tf.tidy(() => {
        start.forEach(({ weight, bias }, i) => {
          layers[i]?.weight.assign(tensorOf(weight))
          layers[i]?.bias.assign(tensorOf(bias))
        })
        for (const { gamma, beta, mean, variance } of norms) {
          for (const one of [gamma, variance]) one.assign(tf.onesLike(one))
          for (const zero of [beta, mean]) zero.assign(tf.zerosLike(zero))
        }
      }),
  }
}

/**
 * Eager, and synchronous in this backend: when an operation returns, its result exists.
 *
 * @param {Exclude<Workload, Training>} workload
 * @returns {Computation}
 */
function computation(workload) {
  const { operands, f, free } = formula(workload)
  const inputs = operands.map(tensorOf)
  const read = () => {
    const result = tf.tidy(() => f(...inputs))
    const values = /** @type {Float32Array} */ (result.dataSync())
    result.dispose()
    return values
  }
  return {
    kind: 'computation',
    call: workload.kind === 'forward' ? read : () => tf.tidy(() => f(...inputs)).dispose(),
    read,
    dispose() {
      tf.dispose(inputs)
      free?.()
    },
  }
}

/**
 * @param {Exclude<Workload, Training>} workload
 * @returns {{ operands: readonly Values[], f: (...x: tf.Tensor[]) => tf.Tensor, free?: () => void }}
 */
function formula(workload) {
  switch (workload.kind) {
    case 'product': {
      const { form, left, right } = workload
      const f = (/** @type {tf.Tensor[]} */ ...[a, b]) =>
        tf.matMul(
          /** @type {tf.Tensor} */ (a),
          /** @type {tf.Tensor} */ (b),
          form[0] === 'T',
          form[1] === 'T',
        )
      return { operands: [left, right], f }
    }
    case 'elementwise':
      return { operands: workload.operands, f: /** @type {any} */ (ELEMENTWISE[workload.operation]) }
    case 'rows': {
      const { operation, matrix } = workload
      const f = (/** @type {tf.Tensor[]} */ ...[x]) => {
        const m = /** @type {tf.Tensor} */ (x)
        return operation === 'softmax' ? tf.softmax(m) : tf.sum(m, operation === 'sum axis 0' ? 0 : 1)
      }
      return { operands: [matrix], f }
    }
    case 'forward': {
      const { forward, variables } = networkOf(workload.model, workload.start)
      const f = (/** @type {tf.Tensor[]} */ ...[x]) => forward(/** @type {tf.Tensor} */ (x))
      return { operands: [workload.input], f, free: () => tf.dispose(variables) }
    }
  }
}

/** The library has no gelu: both forms are written as its documentation of activations would. */
const ELEMENTWISE = {
  add: tf.add,
  exp: tf.exp,
  tanh: tf.tanh,
  sigmoid: tf.sigmoid,
  'gelu erf': (/** @type {tf.Tensor} */ x) =>
    tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  'gelu tanh': (/** @type {tf.Tensor} */ x) => {
    const inner = tf.mul(tf.add(x, tf.mul(tf.mul(tf.mul(x, x), x), 0.044715)), Math.sqrt(2 / Math.PI))
    return tf.mul(tf.mul(x, 0.5), tf.add(tf.tanh(inner), 1))
  },
}
