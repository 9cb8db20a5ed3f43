/**
 * What both of our rows share: models of `@tapeflow/nn`, its losses, and optimizers of `@tapeflow/optim`, as a user writes them. Only
 * the start is not drawn: it is the one that all libraries are given.
 *
 * The layers of W5 stand here until `@tapeflow/nn` has convolutions.
 *
 * @import { AnyLayer, Layer, Loss } from '@tapeflow/nn'
 * @import { Cnn, LayerStart, Mlp, Training } from '../peer.ts'
 */
import { readFileSync } from 'node:fs'
import * as t from '@tapeflow/autodiff'
import * as nn from '@tapeflow/nn'
import { adam, sgd } from '@tapeflow/optim'
import { Unsupported } from '../unsupported.js'

/** @typedef {{ readonly layers: readonly { readonly [name: string]: t.Tensor }[] }} Params parameters and state of a model, as far as these files care */

/**
 * The version, and what is alive: both rows have this in common.
 *
 * @returns {{ version: string, heap: () => { tensors: number, bytes: number } }}
 */
export function installed() {
  const manifest = new URL('../package.json', import.meta.resolve('@tapeflow/autodiff'))
  return {
    version: JSON.parse(readFileSync(manifest, 'utf8')).version,
    heap: () => {
      const { tensors, bytes } = t.memory()
      return { tensors, bytes }
    },
  }
}

/**
 * A function of one of our packages by its name.
 *
 * @param {'autodiff' | 'nn'} from
 * @param {string} name
 * @returns {(...args: any[]) => any}
 * @throws Unsupported where the package has none
 */
export function offered(from, name) {
  const found = Reflect.get(from === 'nn' ? nn : t, name)
  if (typeof found !== 'function') throw new Unsupported(`@tapeflow/${from} exports no ${name}`)
  return found
}

/**
 * The model, which starts as told: initialisers give the numbers instead of drawing them.
 *
 * @param {Mlp | Cnn} model
 * @param {readonly LayerStart[]} start
 * @returns {Layer<Params, Params>}
 */
export function modelOf(model, start) {
  const layers = model.type === 'mlp' ? mlpLayers(model, start) : cnnLayers(model, start)
  return /** @type {any} */ (nn.sequential(.../** @type {[AnyLayer, ...AnyLayer[]]} */ (layers)))
}

/**
 * @param {Mlp} model
 * @param {readonly LayerStart[]} start
 * @returns {AnyLayer[]}
 */
function mlpLayers({ sizes, activation, batchNorm, dropout }, start) {
  return sizes.slice(1).flatMap((outputs, i) => {
    const dense = nn.linear(/** @type {number} */ (sizes[i]), outputs, given(start[i]))
    if (i === sizes.length - 2) return [dense]
    const rate = dropout[i] ?? 0
    return [
      dense,
      ...(batchNorm ? [offered('nn', 'batchNorm')({ momentum: 0.9, epsilon: 1e-5 })] : []),
      activation === 'relu' ? nn.relu() : nn.tanh(),
      ...(rate > 0 ? [offered('nn', 'dropout')(rate)] : []),
    ]
  })
}

/**
 * @param {Cnn} model
 * @param {readonly LayerStart[]} start
 * @returns {AnyLayer[]}
 */
function cnnLayers({ image, convolutions, classes }, start) {
  const conv2d = offered('autodiff', 'conv2d')
  const maxPool2d = offered('autodiff', 'maxPool2d')
  let side = image[0]
  const layers = convolutions.flatMap(({ size }, i) => {
    side = Math.floor((side - size + 1) / 2)
    const { weight, bias } = given(start[i])
    return [
      layer(
        () => ({ weight: weight(), bias: bias() }),
        (x, params) => t.add(conv2d(x, params.weight, { stride: 1, padding: 'valid' }), params.bias),
      ),
      nn.relu(),
      layer(
        () => null,
        (x) => maxPool2d(x, 2, { stride: 2 }),
      ),
    ]
  })
  const features = side * side * (convolutions.at(-1)?.filters ?? 0)
  const flatten = layer(
    () => null,
    (x) => t.reshape(x, [x.size / features, features]),
    () => [features],
  )
  return [...layers, flatten, nn.linear(features, classes, given(start.at(-1)))]
}

/** @param {LayerStart | undefined} start */
function given(start) {
  const { weight, bias } = /** @type {LayerStart} */ (start)
  return {
    weight: () => t.tensor(weight.values, weight.shape),
    bias: () => t.tensor(bias.values, bias.shape),
  }
}

/**
 * A layer without state.
 *
 * @param {() => unknown} init
 * @param {(x: t.Tensor, params: any) => t.Tensor} apply
 * @param {(inputShape: t.Shape) => t.Shape} [outputShape] needed only before a layer that looks at it
 * @returns {AnyLayer}
 */
function layer(init, apply, outputShape = (shape) => shape) {
  return {
    init: (_key, inputShape) => ({ params: init(), state: null, outputShape: outputShape(inputShape) }),
    apply: (params, state, x) => ({ y: apply(x, params), state }),
  }
}

/**
 * @param {Training['loss']} name
 * @returns {Loss}
 */
export function lossOf(name) {
  if (name === 'crossEntropy') return nn.sparseCrossEntropy({ from: 'logits' })
  if (name === 'meanSquaredError') return nn.mse()
  const losses = offered('autodiff', 'sigmoidCrossEntropy')
  return (logits, targets) => t.mean(losses(logits, targets))
}

/** @param {Training['optimizer']} rule */
export function optimizerOf({ name, learningRate }) {
  return name === 'adam' ? adam({ learningRate }) : sgd({ learningRate })
}
