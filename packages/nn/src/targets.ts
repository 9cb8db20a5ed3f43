import { failRange, failType, kindOf, type Shape, sameShape, showShape, Tensor } from '@tapeflow/autodiff'

/** Checks that an argument is a tensor. */
export function checkTensor(operation: string, what: string, x: unknown): asserts x is Tensor {
  if (!(x instanceof Tensor))
    failType(operation, `the ${what} must be a tensor, got ${kindOf(x)}`, 'wrap arrays in t.tensor')
}

/**
 * Checks a prediction of classes and what it is compared with.
 *
 * @param prediction `[rows, classes]`
 * @param target labels `[rows]`, integers below `classes`, or a row of probabilities for each `[rows, classes]`
 * @returns the labels' values, or null where the target has rows of probabilities
 * @throws RangeError when a shape does not fit, or a label is out of range: names it and its row
 */
export function checkClasses(operation: string, prediction: Tensor, target: Tensor): Float32Array | null {
  checkTensor(operation, 'prediction', prediction)
  checkTensor(operation, 'target', target)
  const [rows, classes] = prediction.shape
  if (prediction.rank !== 2 || rows === undefined || classes === undefined || classes === 0) {
    failRange(
      operation,
      `the prediction must be [rows, classes], got ${showShape(prediction.shape)}`,
      'reshape it',
    )
  }
  if (sameShape(target.shape, prediction.shape)) return null
  if (target.rank !== 1 || target.shape[0] !== rows) {
    failRange(
      operation,
      `the target must be labels ${showShape([rows])} or rows ${showShape(prediction.shape)}, got ${showShape(target.shape)}`,
      'pass one label or one row of probabilities for each row of the prediction',
    )
  }
  const labels = target.toFloat32Array()
  for (const [row, label] of labels.entries()) {
    if (Number.isInteger(label) && label >= 0 && label < classes) continue
    failRange(
      operation,
      `label ${label} at row ${row} is not an integer from 0 to ${classes - 1}`,
      'count classes from 0',
    )
  }
  return labels
}

/** Checks weights of samples: one for each row. */
export function checkWeights(operation: string, weights: Tensor | undefined, predicted: Shape): void {
  if (weights === undefined) return
  checkTensor(operation, 'weights', weights)
  const wanted = predicted.slice(0, 1)
  if (!sameShape(weights.shape, wanted)) {
    failRange(
      operation,
      `the weights must have shape ${showShape(wanted)}, got ${showShape(weights.shape)}`,
      'pass one number for each row of the prediction',
    )
  }
}
