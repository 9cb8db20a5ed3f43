import { failRange, failType, kindOf, type Shape, showShape } from '@tapeflow/autodiff'
import type { AnyLayer, ParamsOf, StateOf } from '../layer.ts'
import { describeLayer } from './layer-description.ts'
import { planOfModel } from './model-plan.ts'
import { checkPreprocessing, type Preprocessing } from './preprocessing.ts'
import { writeSafetensors } from './to-safetensors.ts'
import { arraysOf, checkFit } from './tree-arrays.ts'

/** What a model's file holds beside the architecture. */
export interface ModelContents<L extends AnyLayer = AnyLayer> {
  readonly params: ParamsOf<L>
  readonly state: StateOf<L>
  /** Of one sample, without the axis of the batch. */
  readonly inputShape: Shape
  /** What is done to samples before the model sees them; nothing by default. */
  readonly preprocessing?: Preprocessing | null
  /** The names of classes, in the order of the last axis of what the model gives; none by default. */
  readonly labels?: readonly string[] | null
  /** More texts by name, for other readers. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** Under which name the metadata hold the model, and the version of what stands there. */
export const modelKey = 'tapeflow.model'
export const modelVersion = 1

/**
 * The bytes of a file that holds a whole model: what its layers were made from, parameters, state, preprocessing and names of
 * classes. `loadModel` makes a model of it that predicts, without the code that trained it.
 *
 * It is a safetensors file: arrays go by `params.layers.0.weight` and `state.layers.1.movingMean`, all else is JSON in the
 * metadata under `tapeflow.model`. Python's library reads it like any other.
 *
 * @param model a layer whose layers all say what they were made from (`config`)
 * @param contents.params and `state`: what `init` or `fit` made
 * @param contents.inputShape of one sample
 * @param contents.preprocessing `{ mean, standardDeviation }` or `{ scale, offset }`, a number or one for each feature
 * @param contents.labels one for each class
 * @throws FileError for a layer without `config` (names its path), for parameters that are not this model's, for a
 * preprocessing of other sizes; RangeError for another number of labels
 * @example
 * const model = sequential(linear(2, 3), relu(), linear(3, 2))
 * const { params, state } = model.init(t.key(1), [2])
 * const bytes = toModelFile(model, { params, state, inputShape: [2], labels: ['cat', 'dog'] })
 * const loaded = loadModel(bytes)
 * loaded.labels // => ['cat', 'dog']
 * const x = t.tensor([[1, 2]])
 * const byHand = model.apply(params, state, x, { training: false, path: '' }).y
 * t.equal(loaded.predict(x), byHand).toArray() // => [[1, 1]]
 */
export function toModelFile<L extends AnyLayer>(
  model: L,
  contents: ModelContents<L>,
): Uint8Array<ArrayBuffer> {
  const { params, state, inputShape, preprocessing = null, labels = null, metadata = {} } = contents
  const architecture = describeLayer('toModelFile', model)
  const { tree, outputShape } = planOfModel('toModelFile', model, inputShape)
  const arrays = arraysOf('toModelFile', { params, state })
  checkFit('toModelFile', tree, arrays, 'pass what init of this model made')
  if (preprocessing !== null) checkPreprocessing('toModelFile', preprocessing, inputShape)
  if (labels !== null) checkLabels(labels, outputShape)
  if (Object.hasOwn(metadata, modelKey))
    failRange('toModelFile', `the metadata '${modelKey}' are the model's own`, 'rename them')
  const text = JSON.stringify({
    version: modelVersion,
    inputShape,
    architecture,
    ...(preprocessing !== null && { preprocessing }),
    ...(labels !== null && { labels }),
  })
  return writeSafetensors('toModelFile', arrays, { [modelKey]: text, ...metadata })
}

function checkLabels(labels: readonly unknown[], outputShape: Shape): void {
  const stray = labels.findIndex((label) => typeof label !== 'string')
  if (stray >= 0) failType('toModelFile', `labels must be texts, got ${kindOf(labels[stray])}`)
  if (labels.length === outputShape[outputShape.length - 1]) return
  failRange(
    'toModelFile',
    `there must be a label for each class, got ${labels.length} for outputs of shape ${showShape(outputShape)}`,
    'name the classes in the order of the last axis',
  )
}
