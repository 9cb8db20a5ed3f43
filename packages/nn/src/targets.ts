import {
  checkIndices,
  failRange,
  failType,
  kindOf,
  type Shape,
  sameShape,
  showShape,
  Tensor,
} from '@tapeflow/autodiff'

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
 * @returns the labels, or null where the target has rows of probabilities
 * @throws RangeError when a shape does not fit, or a label is out of range: names it and its row. While a function is
 * recorded there are no labels yet: the program checks them when it is run
 */
export function checkClasses(operation: string, prediction: Tensor, target: Tensor): Tensor | null {
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
  checkIndices(operation, target, classes, { index: 'label', place: 'row' })
  return target
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
