import {
  failRange,
  reshape,
  type Shape,
  sameShape,
  scope,
  showShape,
  sizeOf,
  type Tensor,
} from '@tapeflow/autodiff'
import { checkClasses, checkTensor } from '../targets.ts'
import { weightOf } from './weight-of.ts'

/** A batch of predicted classes, read out. Its rows are all axes but the last. */
export interface ClassRows {
  readonly count: number
  readonly classes: number
  /** The prediction, row by row. */
  readonly scores: Float32Array
  /** The target where it has rows too. */
  readonly rows: Float32Array | null
  /** The true class of each row: NaN where a row of the target has a NaN. */
  readonly truth: Float32Array
  readonly weight: (row: number) => number
}

/**
 * Checks and reads a batch of predicted classes.
 *
 * @param prediction `[rows, …, classes]`
 * @param target labels `[rows, …]`, or rows `[rows, …, classes]`, where the largest names the true class
 * @param weights `[rows]` or `[rows, …]`
 */
export function classRows(
  operation: string,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
): ClassRows {
  checkTensor(operation, 'prediction', prediction)
  checkTensor(operation, 'target', target)
  const leading = prediction.shape.slice(0, -1)
  return scope(() => {
    const [x, y] = prediction.rank > 2 ? flat(operation, prediction, target, leading) : [prediction, target]
    const labels = checkClasses(operation, x, y)
    const [count, classes] = [x.shape[0]!, x.shape[1]!]
    if (classes === 1) {
      failRange(
        operation,
        `the prediction has one class, got ${showShape(prediction.shape)}`,
        'give each class a column, or use binaryAccuracy',
      )
    }
    const weight = weightOf(operation, weights, leading, count)
    const values = y.toFloat32Array()
    const rows = labels === null ? values : null
    const truth = rows === null ? values : largestOfRows(rows, classes)
    return { count, classes, scores: x.toFloat32Array(), rows, truth, weight }
  })
}

function flat(
  operation: string,
  prediction: Tensor,
  target: Tensor,
  leading: Shape,
): readonly [prediction: Tensor, target: Tensor] {
  const [count, classes] = [sizeOf(leading), prediction.shape[leading.length]!]
  const x = reshape(prediction, [count, classes])
  if (sameShape(target.shape, leading)) return [x, reshape(target, [count])]
  if (sameShape(target.shape, prediction.shape)) return [x, reshape(target, [count, classes])]
  return failRange(
    operation,
    `the target must be labels ${showShape(leading)} or rows ${showShape(prediction.shape)}, got ${showShape(target.shape)}`,
    'pass one label or one row of probabilities for each row of the prediction',
  )
}

/** The place of the largest of each row, the first of several; NaN for a row with a NaN, where argMax gives the place of that. */
export function largestOfRows(values: Float32Array, classes: number): Float32Array {
  return Float32Array.from({ length: values.length / classes }, (_, row) => {
    let best = 0
    for (let k = 0; k < classes; k++) {
      const value = values[row * classes + k]!
      if (Number.isNaN(value)) return Number.NaN
      if (value > values[row * classes + best]!) best = k
    }
    return best
  })
}
