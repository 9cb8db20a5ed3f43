import type { Shape, Tensor } from '@tapeflow/autodiff'
import * as t from '@tapeflow/autodiff'
import type { AnyLayer } from '../layer.ts'
import { duplicateKey } from './duplicate-key.ts'
import { FileError, failFile, shownName } from './file-error.ts'
import { buildLayer, type LayerReaders } from './layer-options.ts'
import { layersByType } from './layers-by-type.ts'
import { planOfModel } from './model-plan.ts'
import { checkPreprocessing, type Preprocessing, preprocess } from './preprocessing.ts'
import { readSafetensors } from './safetensors-header.ts'
import { checkBytes, countOf, type StoredArray } from './stored-array.ts'
import { modelKey, modelVersion } from './to-model-file.ts'
import { treeOf } from './tree-arrays.ts'

/** A model out of a file. */
export interface LoadedModel {
  readonly model: AnyLayer
  /** Made for the caller, who may go on training them. */
  readonly params: unknown
  readonly state: unknown
  /** Of one sample. */
  readonly inputShape: Shape
  /** Of what the model gives for one sample. */
  readonly outputShape: Shape
  /** The names of classes; null where the file has none. */
  readonly labels: readonly string[] | null
  readonly preprocessing: Preprocessing | null
  /**
   * What the model gives for samples `[rows, …inputShape]`, preprocessed first. Nothing is dropped at random, batch norm goes by
   * its moving averages. Made of operations: it may be compiled and differentiated.
   *
   * @throws RangeError for samples of another number of features than the preprocessing, or the model, takes
   */
  predict(x: Tensor): Tensor
}

/**
 * The model in a file that `toModelFile` made, ready to predict.
 *
 * @param bytes of the whole file
 * @param options.layers how layers of your own are made, by the `type` of their `config`; one of the package's own names replaces it
 * @throws FileError when the file is damaged or hostile, holds no model, has a layer of a type that is not known, or arrays that
 * do not fit the architecture: nothing is made then
 * @example
 * const swish = () => activation('swish', (x) => t.mul(x, t.sigmoid(x)), { type: 'swish' })
 * const bytes = toModelFile(swish(), { params: null, state: null, inputShape: [1], preprocessing: { scale: 2, offset: 1 } })
 * loadModel(bytes, { layers: { swish } }).predict(t.tensor([[-0.5], [50]])).toArray() // => [[0], [101]]
 * loadModel(bytes) // throws FileError: loadModel: the model is of a type that is not known, got 'swish'
 */
export function loadModel(bytes: Uint8Array, options: { readonly layers?: LayerReaders } = {}): LoadedModel {
  t.knownOptions('loadModel', options, 'layers')
  return loadModelOf({ ...layersByType, ...options.layers }, bytes)
}

/**
 * As `loadModel`, of models that have layers of the given types only: a bundle holds no others.
 *
 * @param layers how layers are made, by the `type` of their `config`
 * @throws FileError as `loadModel` does
 * @example
 * const { params, state } = linear(1, 1, { weight: ones }).init(t.key(1), [1])
 * const bytes = toModelFile(linear(1, 1), { params, state, inputShape: [1] })
 * const layers = { linear: (options) => (options.boolean('useBias') ? linear(options.number('inSize'), options.number('outSize')) : relu()) }
 * loadModelOf(layers, bytes).predict(t.tensor([[7]])).toArray() // => [[7]]
 */
export function loadModelOf(layers: LayerReaders, bytes: Uint8Array): LoadedModel {
  checkBytes('loadModel', bytes)
  const { metadata, arrays } = readSafetensors('loadModel', bytes)
  const told = readDescription(Object.hasOwn(metadata, modelKey) ? metadata[modelKey] : undefined)
  const inputShape = told['inputShape']
  if (!Array.isArray(inputShape))
    return failFile('loadModel', 'the model has no input shape', 'the file is damaged')
  countOf('loadModel', 'inputShape', inputShape)
  const shape = inputShape as Shape
  const model = buildLayer(
    { operation: 'loadModel', readers: layers, most: elementsIn(arrays) },
    told['architecture'],
  )
  const { tree, outputShape } = planOfModel('loadModel', model, shape)
  const given = told['preprocessing']
  const preprocessing = given === undefined ? null : checkPreprocessing('loadModel', given, shape)
  const labels = readLabels(told['labels'], outputShape)
  const { params, state } = treeOf('loadModel', tree, arrays, 'refuse') as { params: unknown; state: unknown }
  return {
    model,
    params,
    state,
    inputShape: shape,
    outputShape,
    labels,
    preprocessing,
    predict: (x) =>
      t.scope(
        () => model.apply(params, state, preprocess(x, preprocessing), { training: false, path: '' }).y,
      ),
  }
}

function elementsIn(arrays: readonly StoredArray[]): number {
  return arrays.reduce((sum, { name, shape }) => sum + countOf('loadModel', name, shape), 0)
}

function readDescription(text: string | undefined): { readonly [key: string]: unknown } {
  if (text === undefined) {
    return failFile('loadModel', 'the file holds no model', 'arrays alone are read by fromSafetensors')
  }
  let told: unknown
  try {
    told = JSON.parse(text)
  } catch (cause) {
    throw new FileError('loadModel', 'the description of the model is no JSON', 'the file is damaged', {
      cause,
    })
  }
  const twice = duplicateKey(text)
  if (twice !== null) failFile('loadModel', `the description of the model names ${shownName(twice)} twice`)
  if (typeof told !== 'object' || told === null || Array.isArray(told)) {
    return failFile('loadModel', 'the description of the model is no object', 'the file is damaged')
  }
  const fields = told as { readonly [key: string]: unknown }
  if (fields['version'] !== modelVersion) {
    failFile(
      'loadModel',
      `the model is described in version ${String(fields['version'])}, version ${modelVersion} is read`,
      'update @tapeflow/nn',
    )
  }
  return fields
}

function readLabels(labels: unknown, outputShape: Shape): readonly string[] | null {
  if (labels === undefined) return null
  const classes = outputShape[outputShape.length - 1]
  if (
    Array.isArray(labels) &&
    labels.length === classes &&
    labels.every((label) => typeof label === 'string')
  )
    return labels
  return failFile('loadModel', `the labels are no list of ${classes ?? 0} texts`, 'the file is damaged')
}
