/**
 * Activations as one would write them in plain JavaScript, by the names of their rows. Each is a loop of its own: one loop for all
 * would call what it can no longer inline.
 */
const { abs, exp, expm1, log1p, max, min, sqrt, tanh, PI } = Math

/** @typedef {(x: Float32Array, y: Float32Array) => void} PlainLoop fills y, which is as long as x */

/** @type {Readonly<Record<string, PlainLoop>>} */
export const plainLoops = {
  relu: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = max(v, 0)
    }
  },
  leakyRelu: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = v > 0 ? v : 0.01 * v
    }
  },
  relu6: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = min(max(v, 0), 6)
    }
  },
  hardTanh: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = min(max(v, -1), 1)
    }
  },
  hardSigmoid: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = min(max(v + 3, 0), 6) / 6
    }
  },
  step: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = v >= 0 ? 1 : 0
    }
  },
  softsign: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = v / (1 + abs(v))
    }
  },
  tanh: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = tanh(v)
    }
  },
  sigmoid: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = 1 / (1 + exp(-v))
    }
  },
  elu: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = v > 0 ? v : expm1(v)
    }
  },
  selu: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * expm1(v))
    }
  },
  softplus: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = max(v, 0) + log1p(exp(-abs(v)))
    }
  },
  silu: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = v / (1 + exp(-v))
    }
  },
  mish: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = v * tanh(max(v, 0) + log1p(exp(-abs(v))))
    }
  },
  "gelu, 'tanh'": (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = 0.5 * v * (1 + tanh(sqrt(2 / PI) * (v + 0.044715 * v ** 3)))
    }
  },
  exp: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = exp(v)
    }
  },
  expm1: (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = expm1(v)
    }
  },
  'log1p, above 0': (x, y) => {
    for (let i = 0; i < x.length; i++) {
      const v = /** @type {number} */ (x[i])
      y[i] = log1p(v)
    }
  },
}
