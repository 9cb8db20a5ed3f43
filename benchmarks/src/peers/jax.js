/**
 * jax-js on its wasm backend: the whole training step (forward, backward, update) is one `jit` function.
 *
 * jax-js counts references: passing an array to a function consumes it, `.ref` keeps it for another use. It computes
 * lazily: a loss is read to make it exist, and a result that is not read is waited for with `blockUntilReady`. In Node there is no
 * global Worker and it runs on one thread. Labels are one-hot, made once. Convolutions are `lax.conv` on NCHW; max pooling is a
 * reshape and `np.max` over the windows' axes: `lax.reduceWindow` takes as long. Dropout draws with `random.bernoulli` from a new key each step.
 *
 * @import { Cnn, Computation, LayerStart, Mlp, Peer, Trainer, Training, Values, Workload } from '../peer.ts'
 */
import { readFileSync } from 'node:fs'
import { defaultDevice, init, jit, lax, nn, numpy as np, random, valueAndGrad } from '@jax-js/jax'

/** @typedef {Record<string, np.Array>} Layer weight and bias; gamma and beta where there is batch norm */
/** @typedef {{ params: Layer[], moving: Layer[], first: Layer[], second: Layer[] }} Carry moving: mean and variance */

/** @returns {Promise<Peer>} */
export async function open() {
  await init('wasm')
  if (defaultDevice('wasm') !== 'wasm') throw new Error('jax-js: the wasm device did not start')
  const manifest = new URL('../package.json', import.meta.resolve('@jax-js/jax'))
  return {
    version: JSON.parse(readFileSync(manifest, 'utf8')).version,
    prepare: (workload) => (workload.kind === 'training' ? trainer(workload) : computation(workload)),
    heap: () => null,
  }
}

/** @param {Values} values */
const arrayOf = ({ values, shape }) =>
  np.array(/** @type {Float32Array<ArrayBuffer>} */ (values)).reshape([...shape])

/** @param {Layer[]} layers */
const release = (layers) => {
  for (const layer of layers) for (const array of Object.values(layer)) array.dispose()
}

/**
 * @param {Training} workload
 * @returns {Trainer}
 */
function trainer({ model, loss, optimizer: { name, learningRate }, batches: given, start }) {
  const classes = start.at(-1)?.bias.shape[0] ?? 0
  const batches = given.map(({ inputs, targets }) => ({
    x: imagesFirst(model, inputs),
    y:
      loss === 'crossEntropy'
        ? nn.oneHot(np.array(Int32Array.from(targets.values)), classes)
        : arrayOf(targets),
  }))
  const forward = forwardOf(model)
  /** @type {(out: np.Array, y: np.Array) => np.Array} */
  const lossOf = (out, y) => {
    if (loss === 'crossEntropy') return np.mean(np.sum(y.mul(nn.logSoftmax(out)), -1)).neg()
    if (loss === 'meanSquaredError') return np.mean(np.square(out.sub(y)))
    return np.mean(
      np
        .maximum(out.ref, 0)
        .sub(out.ref.mul(y))
        .add(np.log1p(np.exp(np.abs(out).neg()))),
    )
  }
  const lossAndGradients = valueAndGrad(
    (
      /** @type {Layer[]} */ params,
      /** @type {np.Array} */ x,
      /** @type {np.Array} */ y,
      /** @type {np.Array} */ seed,
    ) => {
      const { out, statistics } = forward(params, x, seed)
      return /** @type {[np.Array, Layer[]]} */ ([lossOf(out, y), statistics])
    },
    { hasAux: true },
  )

  /** @param {Carry} carry @param {np.Array} x @param {np.Array} y @param {np.Array} seed @param {np.Array} firstScale @param {np.Array} secondScale */
  const stepOf = ({ params, moving, first, second }, x, y, seed, firstScale, secondScale) => {
    const made = lossAndGradients(params.map(keep), x, y, seed)
    const [[value, statistics], gradients] = /** @type {[[np.Array, Layer[]], Layer[]]} */ (made)
    const moved = zipLayers((old, now) => old.mul(0.9).add(now.mul(0.1)), moving, statistics)
    if (name === 'sgd') {
      firstScale.dispose()
      secondScale.dispose()
      const next = zipLayers((p, g) => p.sub(g.mul(learningRate)), params, gradients)
      return { value, carry: { params: next, moving: moved, first, second } }
    }
    const m = zipLayers((a, g) => a.mul(0.9).add(g.mul(0.1)), first, gradients.map(keep))
    const v = zipLayers((a, g) => a.mul(0.999).add(np.square(g).mul(0.001)), second, gradients)
    const next = zipLayers(
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
    return { value, carry: { params: next, moving: moved, first: m, second: v } }
  }
  const step = jit(stepOf)

  /** @type {Carry} */
  let carry = { params: [], moving: [], first: [], second: [] }
  let taken = 0
  const releaseAll = () => Object.values(carry).forEach(release)
  const restart = () => {
    releaseAll()
    taken = 0
    const params = paramsOf(model, start)
    const zeros = () =>
      params.map((layer) =>
        Object.fromEntries(Object.entries(layer).map(([key, array]) => [key, np.zeros(array.shape)])),
      )
    const adam = name === 'adam'
    const moving = params.flatMap(({ gamma }) =>
      gamma === undefined ? [] : [{ mean: np.zeros(gamma.shape), variance: np.ones(gamma.shape) }],
    )
    carry = { params, moving, first: adam ? zeros() : [], second: adam ? zeros() : [] }
  }
  restart()

  return {
    kind: 'trainer',
    step() {
      const { x, y } = /** @type {{ x: np.Array, y: np.Array }} */ (batches[taken % batches.length])
      taken++
      const seed = np.array(Uint32Array.of(taken)).reshape([])
      const firstScale = np.array(1 / (1 - 0.9 ** taken))
      const secondScale = np.array(1 / (1 - 0.999 ** taken))
      const result = step(carry, x.ref, y.ref, seed, firstScale, secondScale)
      carry = result.carry
      return /** @type {number} */ (result.value.dataSync()[0])
    },
    restart,
    dispose() {
      releaseAll()
      release(batches)
      step.dispose()
    },
  }
}

/**
 * Weights as this library has them: convolutions are OIHW, and the features after them are in the order of NCHW.
 *
 * @param {Mlp | Cnn} model
 * @param {readonly LayerStart[]} start
 * @returns {Layer[]}
 */
function paramsOf(model, start) {
  return start.map(({ weight, bias }, i) => {
    const w = arrayOf(weight)
    if (model.type === 'cnn' && i < start.length - 1) {
      return { weight: np.transpose(w, [3, 2, 0, 1]), bias: arrayOf(bias) }
    }
    if (model.type === 'cnn') {
      const channels = model.convolutions.at(-1)?.filters ?? 0
      const [features = 0, classes = 0] = weight.shape
      const side = Math.sqrt(features / channels)
      const reordered = np.transpose(w.reshape([side, side, channels, classes]), [2, 0, 1, 3])
      return { weight: reordered.reshape([features, classes]), bias: arrayOf(bias) }
    }
    if (!model.batchNorm || i === start.length - 1) return { weight: w, bias: arrayOf(bias) }
    return {
      weight: w,
      bias: arrayOf(bias),
      gamma: np.ones([...bias.shape]),
      beta: np.zeros([...bias.shape]),
    }
  })
}

/**
 * @param {Mlp | Cnn} model
 * @param {Values} inputs
 */
function imagesFirst(model, inputs) {
  return model.type === 'cnn' ? np.transpose(arrayOf(inputs), [0, 3, 1, 2]) : arrayOf(inputs)
}

/**
 * @param {Mlp | Cnn} model
 * @returns {(params: Layer[], x: np.Array, seed: np.Array) => { out: np.Array, statistics: Layer[] }}
 */
function forwardOf(model) {
  return (params, x, seed) => {
    /** @type {Layer[]} */
    const statistics = []
    const rates = model.type === 'mlp' ? model.dropout : []
    const out = params.reduce((h, { weight, bias, gamma, beta }, i) => {
      const [w, b] = /** @type {[np.Array, np.Array]} */ ([weight, bias])
      const last = i === params.length - 1
      if (model.type === 'cnn') return last ? dense(flat(h), w, b) : convolution(h, w, b)
      let z = dense(h, w, b)
      if (last) return z
      if (gamma !== undefined && beta !== undefined) {
        const mean = np.mean(z.ref, 0)
        const centred = z.sub(mean.ref)
        const variance = np.mean(np.square(centred.ref), 0)
        statistics.push({ mean, variance: variance.ref })
        z = centred.mul(gamma.div(np.sqrt(variance.add(1e-5)))).add(beta)
      }
      const a = model.activation === 'relu' ? nn.relu(z) : np.tanh(z)
      const rate = rates[i] ?? 0
      if (rate === 0) return a
      const kept = random.bernoulli(random.key(seed.ref), 1 - rate, a.shape)
      return np.where(kept, a.div(1 - rate), 0)
    }, x)
    seed.dispose()
    return { out, statistics }
  }
}

/** @param {np.Array} h @param {np.Array} weight @param {np.Array} bias */
const dense = (h, weight, bias) => np.matmul(h, weight).add(bias)

/** @param {np.Array} h */
const flat = (h) => h.reshape([/** @type {number} */ (h.shape[0]), -1])

/** @param {np.Array} h @param {np.Array} weight @param {np.Array} bias */
function convolution(h, weight, bias) {
  const z = nn.relu(lax.conv(h, weight, [1, 1], 'VALID').add(bias.reshape([-1, 1, 1])))
  const [rows = 0, channels = 0, height = 0, width = 0] = z.shape
  return np.max(z.reshape([rows, channels, height / 2, 2, width / 2, 2]), [3, 5])
}

/**
 * The same layer with one more reference on each array.
 *
 * @param {Layer} layer
 * @returns {Layer}
 */
function keep(layer) {
  return Object.fromEntries(Object.entries(layer).map(([key, array]) => [key, array.ref]))
}

/**
 * @param {(...leaves: np.Array[]) => np.Array} f
 * @param {...Layer[]} trees
 * @returns {Layer[]}
 */
function zipLayers(f, ...trees) {
  const [first = []] = trees
  return first.map((layer, i) =>
    Object.fromEntries(
      Object.keys(layer).map((key) => [
        key,
        f(...trees.map((tree) => /** @type {np.Array} */ (tree[i]?.[key]))),
      ]),
    ),
  )
}

/**
 * @param {Exclude<Workload, Training>} workload
 * @returns {Computation}
 */
function computation(workload) {
  const { operands, f, params = [] } = formula(workload)
  const inputs = operands.map(arrayOf)
  const program = jit(f)
  const run = () => program(params.map(keep), ...inputs.map((x) => x.ref))
  const read = () => /** @type {Float32Array} */ (run().dataSync())
  return {
    kind: 'computation',
    call: workload.kind === 'forward' ? read : async () => (await run().blockUntilReady()).dispose(),
    read,
    dispose() {
      for (const x of inputs) x.dispose()
      release(params)
      program.dispose()
    },
  }
}

/**
 * @param {Exclude<Workload, Training>} workload
 * @returns {{ operands: readonly Values[], params?: Layer[], f: (params: Layer[], ...x: np.Array[]) => np.Array }}
 */
function formula(workload) {
  switch (workload.kind) {
    case 'product': {
      const { form, left, right } = workload
      /** @type {(params: Layer[], ...x: np.Array[]) => np.Array} */
      const f = (_, ...[a, b]) =>
        np.matmul(
          /** @type {np.Array} */ (form[0] === 'T' ? a?.transpose() : a),
          /** @type {np.Array} */ (form[1] === 'T' ? b?.transpose() : b),
        )
      return { operands: [left, right], f }
    }
    case 'elementwise': {
      const operation = ELEMENTWISE[workload.operation]
      return { operands: workload.operands, f: (_, ...x) => operation(.../** @type {[any, any]} */ (x)) }
    }
    case 'rows': {
      const { operation, matrix } = workload
      const axis = operation === 'sum axis 0' ? 0 : 1
      return {
        operands: [matrix],
        f: (_, x) =>
          operation === 'softmax' ? nn.softmax(/** @type {any} */ (x)) : np.sum(/** @type {any} */ (x), axis),
      }
    }
    case 'forward': {
      const forward = forwardOf(workload.model)
      const params = paramsOf(workload.model, workload.start)
      return {
        operands: [workload.input],
        params,
        f: (p, x) => forward(p, /** @type {np.Array} */ (x), np.array(0)).out,
      }
    }
  }
}

const ELEMENTWISE = {
  add: (/** @type {np.Array} */ x, /** @type {np.Array} */ y) => x.add(y),
  exp: (/** @type {np.Array} */ x) => np.exp(x),
  tanh: (/** @type {np.Array} */ x) => np.tanh(x),
  sigmoid: (/** @type {np.Array} */ x) => nn.sigmoid(x),
  'gelu erf': (/** @type {np.Array} */ x) => nn.gelu(x, { approximate: false }),
  'gelu tanh': (/** @type {np.Array} */ x) => nn.gelu(x, { approximate: true }),
}
