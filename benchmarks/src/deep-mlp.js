/**
 * One training step of an MLP with as many layers as one likes, all alike: programs of any length.
 */
import * as t from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import { adam } from '@tapeflow/optim'

/** @typedef {{ weight: t.Tensor, bias: t.Tensor }} Layer */

export const BATCH = 32

/**
 * Value, gradients and Adam's update; tanh after every layer but the last, mean squared error.
 *
 * @param {number} layers
 * @param {number} [width] of each of them
 */
export function deepMlp(layers, width = 64) {
  const optimizer = adam({ learningRate: 1e-3 })
  const loss = mse()
  const lossAndGradients = t.valueAndGrad(
    (/** @type {Layer[]} */ params, /** @type {t.Tensor} */ x, /** @type {t.Tensor} */ y) => {
      const out = params.reduce((h, { weight, bias }, i) => {
        const z = t.add(t.matmul(h, weight), bias)
        return i < layers - 1 ? t.tanh(z) : z
      }, x)
      return loss(out, y)
    },
  )
  const begin = () => {
    const params = Array.from({ length: layers }, (_, i) => ({
      weight: t.normal(t.foldIn(t.key(1), i), [width, width], 0, 1 / Math.sqrt(width)),
      bias: t.zeros([width]),
    }))
    return { params, slots: optimizer.init(params) }
  }
  return {
    begin,
    batch: { x: t.normal(t.key(2), [BATCH, width]), y: t.normal(t.key(3), [BATCH, width]) },
    hyper: optimizer.hyper(0),
    /**
     * @param {ReturnType<typeof begin>} carry
     * @param {{ x: t.Tensor, y: t.Tensor }} batch
     * @param {ReturnType<typeof optimizer.hyper>} hyper
     */
    step: ({ params, slots }, { x, y }, hyper) => {
      const { value, gradients } = lossAndGradients(params, x, y)
      return { carry: optimizer.update(gradients, slots, params, hyper), loss: value }
    },
  }
}
