import { failRange, leaves, paths, type Tensor } from '@tapeflow/autodiff'

/** The weights of one layer: its tensors of two axes or more, so neither biases nor the scales of norms. */
export interface LayerWeights {
  /** `layers.0`; where a weight is in no layer, its own path. */
  readonly path: string
  readonly tensors: readonly Tensor[]
}

/**
 * The weights of parameters, or of anything that is shaped alike, by layer.
 *
 * @param layers which ones, from input to output; all in the order of their paths by default
 * @throws RangeError where a layer has no weights: lists those that have
 */
export function layerWeights(
  operation: string,
  tree: unknown,
  layers: readonly string[] | undefined,
): readonly LayerWeights[] {
  const tensors = leaves(tree)
  const found = new Map<string, Tensor[]>()
  paths(tree).forEach((path, i) => {
    if (tensors[i]!.rank < 2) return
    const layer = path.includes('.') ? path.slice(0, path.lastIndexOf('.')) : path
    found.set(layer, [...(found.get(layer) ?? []), tensors[i]!])
  })
  return (layers ?? [...found.keys()]).map((path) => {
    const ofLayer = found.get(path)
    if (ofLayer !== undefined) return { path, tensors: ofLayer }
    return failRange(
      operation,
      `no weights are in layer '${path}'`,
      `use layers of ${[...found.keys()].join(', ')}`,
    )
  })
}

/**
 * The root of the mean square of all numbers: a norm that layers of different sizes can be compared by. Summed in float64, as the
 * squares of exploding gradients are beyond float32.
 */
export function rootMeanSquare(lists: readonly Float32Array[]): number {
  let sum = 0
  let count = 0
  for (const values of lists) {
    for (let i = 0; i < values.length; i++) sum += values[i]! ** 2
    count += values.length
  }
  return Math.sqrt(sum / count)
}
