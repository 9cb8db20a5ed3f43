/**
 * The data and the start every peer is given: generated once from a seed, so that each library trains on the same
 * floats from the same weights and the losses can be compared digit by digit.
 *
 * @import { Batch, LayerStart, MlpData, MlpOptions } from './peer.ts'
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
 * Glorot-uniform weights and zero biases, one pair a layer.
 *
 * @param {readonly number[]} sizes
 * @param {number} seed
 * @returns {LayerStart[]}
 */
function glorotStart(sizes, seed) {
  const uniform = uniformFrom(seed)
  return sizes.slice(1).map((outputs, layer) => {
    const inputs = /** @type {number} */ (sizes[layer])
    const limit = Math.sqrt(6 / (inputs + outputs))
    return {
      weight: Float32Array.from({ length: inputs * outputs }, () => (2 * uniform() - 1) * limit),
      bias: new Float32Array(outputs),
    }
  })
}

/**
 * Pictures that look like digits to a network: ten sparse prototypes in [0, 1], each sample one of them with noise.
 * 19 % of a prototype's pixels are lit, as in MNIST, so ReLU and matmul see the zeros they would see there.
 *
 * @param {number} samples
 * @param {number} batchSize
 * @returns {Batch[]}
 */
function syntheticDigits(samples, batchSize) {
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
    return { inputs, targets }
  })
}

/**
 * Points of the square [-1, 1]² and the values of sin(3 a) cos(2 b) there.
 *
 * @param {number} samples
 * @param {number} batchSize
 * @returns {Batch[]}
 */
function surface(samples, batchSize) {
  const uniform = uniformFrom(216)
  return Array.from({ length: samples / batchSize }, () => {
    const inputs = Float32Array.from({ length: batchSize * 2 }, () => 2 * uniform() - 1)
    const targets = Float32Array.from({ length: batchSize }, (_, row) => {
      const [a = 0, b = 0] = inputs.subarray(2 * row, 2 * row + 2)
      return Math.sin(3 * a) * Math.cos(2 * b)
    })
    return { inputs, targets }
  })
}

/**
 * W2: MLP 784-128-64-10, ReLU, softmax cross-entropy, Adam.
 *
 * @param {number} batchSize
 * @returns {MlpOptions}
 */
export function digitsMlp(batchSize) {
  const sizes = [784, 128, 64, 10]
  const data = { batchSize, batches: syntheticDigits(2048, batchSize), start: glorotStart(sizes, 1) }
  return {
    sizes,
    activation: 'relu',
    loss: 'crossEntropy',
    optimizer: { name: 'adam', learningRate: 1e-3 },
    data,
  }
}

/**
 * W3: MLP 2-16-16-1, tanh, mean squared error, SGD, batch 32.
 *
 * @returns {MlpOptions}
 */
export function surfaceMlp() {
  const sizes = [2, 16, 16, 1]
  const data = { batchSize: 32, batches: surface(512, 32), start: glorotStart(sizes, 2) }
  return {
    sizes,
    activation: 'tanh',
    loss: 'meanSquaredError',
    optimizer: { name: 'sgd', learningRate: 0.1 },
    data,
  }
}

/**
 * Two n by n matrices in [-1, 1).
 *
 * @param {number} n
 * @returns {{ left: Float32Array, right: Float32Array }}
 */
export function matrices(n) {
  const uniform = uniformFrom(n)
  const fill = () => Float32Array.from({ length: n * n }, () => 2 * uniform() - 1)
  return { left: fill(), right: fill() }
}
