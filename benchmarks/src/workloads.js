/**
 * The workloads W1 to W9: data and start are generated once from a seed, so that each library trains on the same
 * floats from the same weights and the losses can be compared digit by digit. W8 and W10 look at W2 from outside.
 *
 * @import { Batch, Elementwise, Forward, LayerStart, MatmulForm, Mlp, Product, Rows, Training, Values } from './peer.ts'
 */

/**
 * Uniform numbers in [0, 1) from a 32-bit seed (mulberry32), none of the libraries' own generators.
 *
 * @param {number} seed
 * @returns {() => number}
 */
export function uniformFrom(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 4294967296
  }
}

/**
 * @param {readonly number[]} shape
 * @param {() => number} next
 * @returns {Values}
 */
function filled(shape, next) {
  return { shape, values: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, next) }
}

/**
 * Glorot-uniform weights and zero biases.
 *
 * @param {readonly (readonly number[])[]} shapes of the weights: `[in, out]` or `[height, width, in, out]`
 * @param {number} seed
 * @returns {LayerStart[]}
 */
function glorotStart(shapes, seed) {
  const uniform = uniformFrom(seed)
  return shapes.map((shape) => {
    const [inputs = 0, outputs = 0] = shape.slice(-2)
    const window = shape.slice(0, -2).reduce((a, b) => a * b, 1)
    const limit = Math.sqrt(6 / (window * (inputs + outputs)))
    return { weight: filled(shape, () => (2 * uniform() - 1) * limit), bias: filled([outputs], () => 0) }
  })
}

/** @param {readonly number[]} sizes */
const pairs = (sizes) => sizes.slice(1).map((outputs, i) => [/** @type {number} */ (sizes[i]), outputs])

/**
 * Pictures that look like digits to a network: ten sparse prototypes in [0, 1], each sample one of them with noise.
 * 19 % of a prototype's pixels are lit, as in MNIST, so ReLU and matmul see the zeros they would see there.
 *
 * @param {number} samples
 * @param {number} batchSize
 * @param {readonly number[]} shape of one picture, of 784 pixels
 * @returns {Batch[]}
 */
function syntheticDigits(samples, batchSize, shape) {
  const uniform = uniformFrom(784)
  const pixels = 784
  const prototypes = Array.from({ length: 10 }, () =>
    Float32Array.from({ length: pixels }, () => (uniform() < 0.19 ? 0.5 + 0.5 * uniform() : 0)),
  )
  return Array.from({ length: samples / batchSize }, () => {
    const inputs = new Float32Array(batchSize * pixels)
    const targets = new Float32Array(batchSize)
    for (let row = 0; row < batchSize; row++) {
      const label = Math.floor(10 * uniform())
      const prototype = /** @type {Float32Array} */ (prototypes[label])
      // One label in ten is wrong: with clean labels the loss is zero within ten epochs, and steps on vanishing
      // gradients would be timed.
      targets[row] = uniform() < 0.1 ? Math.floor(10 * uniform()) : label
      for (let pixel = 0; pixel < pixels; pixel++) {
        const lit = /** @type {number} */ (prototype[pixel])
        const stray = uniform() < 0.05 ? uniform() : 0
        inputs[row * pixels + pixel] = lit > 0 && uniform() < 0.67 ? lit * uniform() : stray
      }
    }
    return {
      inputs: { shape: [batchSize, ...shape], values: inputs },
      targets: { shape: [batchSize], values: targets },
    }
  })
}

/**
 * Points of the cube [-1, 1]^features and one number for each, made of them.
 *
 * @param {number} samples
 * @param {number} batchSize
 * @param {number} features
 * @param {(point: Float32Array, uniform: () => number) => number} targetOf
 * @param {number} seed
 * @returns {Batch[]}
 */
function points(samples, batchSize, features, targetOf, seed) {
  const uniform = uniformFrom(seed)
  return Array.from({ length: samples / batchSize }, () => {
    const inputs = filled([batchSize, features], () => 2 * uniform() - 1)
    let row = 0
    const targets = filled([batchSize, 1], () => {
      const point = inputs.values.subarray(features * row, features * ++row)
      return targetOf(point, uniform)
    })
    return { inputs, targets }
  })
}

/**
 * @param {readonly number[]} sizes
 * @param {Mlp['activation']} activation
 * @returns {Mlp}
 */
const plainMlp = (sizes, activation) => ({
  type: 'mlp',
  sizes,
  activation,
  batchNorm: false,
  dropout: sizes.slice(1, -1).map(() => 0),
})

const DIGITS = [784, 128, 64, 10]

/**
 * W2: MLP 784-128-64-10, ReLU, softmax cross-entropy, Adam.
 *
 * @param {number} batchSize
 * @param {number} [batches] as many as make 2,048 samples by default
 * @returns {Training}
 */
export function digitsMlp(batchSize, batches = 2048 / batchSize) {
  return {
    kind: 'training',
    id: `W2/${batchSize}`,
    model: plainMlp(DIGITS, 'relu'),
    loss: 'crossEntropy',
    optimizer: { name: 'adam', learningRate: 1e-3 },
    batches: syntheticDigits(batches * batchSize, batchSize, [784]),
    start: glorotStart(pairs(DIGITS), 1),
  }
}

/**
 * W3: MLP 2-16-16-1, tanh, mean squared error, SGD, batch 32, learns sin(3 a) cos(2 b).
 *
 * @returns {Training}
 */
export function surfaceMlp() {
  const sizes = [2, 16, 16, 1]
  return {
    kind: 'training',
    id: 'W3',
    model: plainMlp(sizes, 'tanh'),
    loss: 'meanSquaredError',
    optimizer: { name: 'sgd', learningRate: 0.1 },
    batches: points(512, 32, 2, ([a = 0, b = 0]) => Math.sin(3 * a) * Math.cos(2 * b), 216),
    start: glorotStart(pairs(sizes), 2),
  }
}

/**
 * W4: MLP 64-128-128-1 with batch norm and ReLU, dropout after the first hidden layer, binary cross-entropy from logits, Adam, batch 128.
 * One label in ten is wrong, as in W2.
 *
 * @param {number} dropout 0.2; 0 where losses are compared: each library draws masks of its own
 * @returns {Training}
 */
export function normalizedMlp(dropout) {
  const sizes = [64, 128, 128, 1]
  /** @type {Parameters<typeof points>[3]} */
  const side = (point, uniform) => {
    const inside = point.reduce((sum, x, i) => sum + (i % 3 === 0 ? x * x - 1 / 3 : x / 4), 0) > 0
    return Number(uniform() < 0.1 ? !inside : inside)
  }
  return {
    kind: 'training',
    id: 'W4',
    model: { type: 'mlp', sizes, activation: 'relu', batchNorm: true, dropout: [dropout, 0] },
    loss: 'sigmoidCrossEntropy',
    optimizer: { name: 'adam', learningRate: 1e-3 },
    batches: points(2048, 128, 64, side, 4),
    start: glorotStart(pairs(sizes), 4),
  }
}

/**
 * W5: CNN on 28x28x1: 8 filters of 5x5, ReLU, max pooling by 2, 16 filters of 3x3, ReLU, max pooling by 2, dense 10; cross-entropy,
 * Adam, batch 32. No padding: 24, 12, 10, 5 pixels wide, 400 features.
 *
 * @returns {Training}
 */
export function digitsCnn() {
  return {
    kind: 'training',
    id: 'W5',
    model: {
      type: 'cnn',
      image: [28, 28, 1],
      convolutions: [
        { filters: 8, size: 5 },
        { filters: 16, size: 3 },
      ],
      classes: 10,
    },
    loss: 'crossEntropy',
    optimizer: { name: 'adam', learningRate: 1e-3 },
    batches: syntheticDigits(1024, 32, [28, 28, 1]),
    start: glorotStart(
      [
        [5, 5, 1, 8],
        [3, 3, 8, 16],
        [400, 10],
      ],
      5,
    ),
  }
}

/**
 * W1: the product of two n by n matrices in [-1, 1).
 *
 * @param {number} n
 * @param {MatmulForm} form
 * @returns {Product}
 */
export function product(n, form) {
  const uniform = uniformFrom(n)
  const fill = () => filled([n, n], () => 2 * uniform() - 1)
  return { kind: 'product', id: `W1/${n}/${form}`, form, left: fill(), right: fill() }
}

/**
 * W6: one operation on 1,000,000 numbers in [-4, 4).
 *
 * @param {Elementwise['operation']} operation
 * @returns {Elementwise}
 */
export function elementwise(operation) {
  const uniform = uniformFrom(6)
  const fill = () => filled([1_000_000], () => 8 * uniform() - 4)
  const operands = operation === 'add' ? [fill(), fill()] : [fill()]
  return { kind: 'elementwise', id: `W6/${operation}`, operation, operands }
}

/**
 * W7: softmax of the last axis, or sums, of 1024x1024 numbers in [-4, 4).
 *
 * @param {Rows['operation']} operation
 * @returns {Rows}
 */
export function rows(operation) {
  const uniform = uniformFrom(7)
  return {
    kind: 'rows',
    id: `W7/${operation}`,
    operation,
    matrix: filled([1024, 1024], () => 8 * uniform() - 4),
  }
}

/**
 * W9: W2's MLP, forward, one picture.
 *
 * @returns {Forward}
 */
export function forward() {
  const [{ inputs }] = /** @type {[Batch]} */ (syntheticDigits(1, 1, [784]))
  return {
    kind: 'forward',
    id: 'W9',
    model: plainMlp(DIGITS, 'relu'),
    start: glorotStart(pairs(DIGITS), 1),
    input: inputs,
  }
}
