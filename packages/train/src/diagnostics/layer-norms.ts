import { failRange, leaves, paths, type Tensor } from '@tapeflow/autodiff'

/** A layer that has weights: tensors of two axes or more, which neither biases nor the scales of norms are. */
export interface LayerWeights {
  /** `layers.0`; where a weight is in no layer, its own path. */
  readonly path: string
  readonly tensors: readonly Tensor[]
  /** Its tensors of fewer axes. */
  readonly biases: readonly Tensor[]
  /** The paths of all of them. */
  readonly parameters: readonly string[]
}

/**
 * The weights of parameters, or of anything that is shaped alike, by layer.
 *
 * @param layers which ones, from input to output; all by default
 * @param parameters the paths of the parameters from input to output; sorted by default
 * @throws RangeError where a layer has no weights: lists those that have
 */
export function layerWeights(
  operation: string,
  tree: unknown,
  layers: readonly string[] | undefined,
  parameters: readonly string[] = paths(tree),
): readonly LayerWeights[] {
  const tensors = leaves(tree)
  const at = new Map(paths(tree).map((path, i) => [path, tensors[i]!]))
  const found = new Map<string, { tensors: Tensor[]; biases: Tensor[]; parameters: string[] }>()
  for (const path of parameters) {
    const tensor = at.get(path)
    if (tensor === undefined) continue
    const layer = layerOf(path)
    const into = found.get(layer) ?? { tensors: [], biases: [], parameters: [] }
    found.set(layer, into)
    into.parameters.push(path)
    if (tensor.rank < 2) into.biases.push(tensor)
    else into.tensors.push(tensor)
  }
  const all = [...found].flatMap(([path, of]) => (of.tensors.length === 0 ? [] : [{ path, ...of }]))
  if (layers === undefined) return all
  const names = all.map(({ path }) => path).join(', ')
  return layers.map(
    (layer) =>
      all.find(({ path }) => path === layer) ??
      failRange(operation, `no weights are in layer '${layer}'`, `use layers of ${names}`),
  )
}

/** The layer that a parameter is in: all but the last part of its path, where there is more than one. */
export function layerOf(path: string): string {
  return path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : path
}

/**
 * The root of the mean square of all numbers, 0 of none: a norm that layers of different sizes can be compared by. Summed in float64, as the
 * squares of exploding gradients are beyond float32.
 */
export function rootMeanSquare(tensors: readonly Tensor[]): number {
  let sum = 0
  let count = 0
  for (const tensor of tensors) {
    const values = tensor.toFloat32Array()
    for (let i = 0; i < values.length; i++) sum += values[i]! ** 2
    count += values.length
  }
  return count === 0 ? 0 : Math.sqrt(sum / count)
}
