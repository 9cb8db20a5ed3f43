/**
 * Tapeflow, eager: `t.valueAndGrad` over a plain function, the optimizer's update, one `t.scope` a step.
 *
 * `t.fold` is the documented loop; it cannot hand control back between two steps, as a benchmark must, so `step` does
 * by hand what a turn of fold does: a scope around the body, then the old carry is disposed.
 *
 * @import { Mlp, MlpOptions, MatmulForm, Peer, Product } from '../peer.ts'
 */
import { readFileSync } from 'node:fs'
import * as t from '@tapeflow/autodiff'
import { crossEntropy } from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'

/** @typedef {{ weight: t.Tensor, bias: t.Tensor }} Layer */

/** @returns {Promise<Peer>} */
export async function open() {
  const manifest = new URL('../package.json', import.meta.resolve('@tapeflow/autodiff'))
  return {
    name: 'tapeflow eager',
    version: JSON.parse(readFileSync(manifest, 'utf8')).version,
    createMlp,
    matmul,
    liveTensors: () => t.memory().tensors,
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
  const activate = activation === 'relu' ? t.relu : t.tanh
  const lossOf = classify
    ? crossEntropy({ from: 'logits', reduction: 'mean' })
    : (/** @type {t.Tensor} */ out, /** @type {t.Tensor} */ y) => t.mean(t.square(t.sub(out, y)))
  const optimizer =
    rule.name === 'adam'
      ? adam({ learningRate: rule.learningRate })
      : sgd({ learningRate: rule.learningRate })

  const batches = data.batches.map(({ inputs, targets }) => ({
    x: t.tensor(inputs, [data.batchSize, inputSize]),
    y: t.tensor(targets, classify ? [data.batchSize] : [data.batchSize, outputSize]),
  }))

  const lossAndGradients = t.valueAndGrad(
    (/** @type {Layer[]} */ layers, /** @type {t.Tensor} */ x, /** @type {t.Tensor} */ y) => {
      const last = layers.length - 1
      const out = layers.reduce((h, { weight, bias }, i) => {
        const z = t.add(t.matmul(h, weight), bias)
        return i < last ? activate(z) : z
      }, x)
      return lossOf(out, y)
    },
  )

  const begin = () => {
    const params = data.start.map(({ weight, bias }, i) => ({
      weight: t.tensor(weight, [/** @type {number} */ (sizes[i]), bias.length]),
      bias: t.tensor(bias),
    }))
    return { params, slots: optimizer.init(params) }
  }
  let carry = begin()
  let taken = 0

  return {
    step() {
      const { x, y } = /** @type {{ x: t.Tensor, y: t.Tensor }} */ (batches[taken % batches.length])
      let lossValue = Number.NaN
      const old = carry
      carry = t.scope(() => {
        const { value, gradients } = lossAndGradients(old.params, x, y)
        lossValue = value.item()
        return optimizer.update(gradients, old.slots, old.params, optimizer.hyper(taken))
      })
      taken++
      disposeTree(old)
      return lossValue
    },
    restart() {
      disposeTree(carry)
      carry = begin()
      taken = 0
    },
    dispose() {
      disposeTree(carry)
      for (const { x, y } of batches) {
        x.dispose()
        y.dispose()
      }
    },
  }
}

/**
 * Disposes every tensor of a plain tree.
 *
 * @param {unknown} tree
 */
function disposeTree(tree) {
  if (tree instanceof t.Tensor) tree.dispose()
  else if (typeof tree === 'object' && tree !== null)
    for (const child of Object.values(tree)) disposeTree(child)
}

/**
 * @param {number} n
 * @param {MatmulForm} form
 * @param {Float32Array} left
 * @param {Float32Array} right
 * @returns {Product}
 */
function matmul(n, form, left, right) {
  const a = t.tensor(left, [n, n])
  const b = t.tensor(right, [n, n])
  const options = { transposeA: form === 'TN', transposeB: form === 'NT' }
  return {
    run() {
      const c = t.matmul(a, b, options)
      const values = c.toFloat32Array()
      c.dispose()
      return values
    },
    dispose() {
      a.dispose()
      b.dispose()
    },
  }
}
