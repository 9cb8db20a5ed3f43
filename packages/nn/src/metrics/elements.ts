import { failRange, sameShape, showShape, sizeOf, type Tensor } from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { weightOf } from './weight-of.ts'

/** A batch of predicted numbers, read out row by row. */
export interface Elements {
  readonly prediction: Float32Array
  readonly target: Float32Array
  /** How many a row has. */
  readonly each: number
  /** How much an element counts: as its row. */
  readonly weight: (i: number) => number
}

/**
 * Checks and reads a batch of predicted numbers.
 *
 * @param prediction `[rows, …]`
 * @param target of the same shape
 * @param weights `[rows]`
 */
export function elements(
  operation: string,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
): Elements {
  checkTensor(operation, 'prediction', prediction)
  checkTensor(operation, 'target', target)
  if (!sameShape(prediction.shape, target.shape)) {
    failRange(
      operation,
      `prediction and target must have one shape, got ${showShape(prediction.shape)} and ${showShape(target.shape)}`,
      'reshape one of them',
    )
  }
  const rows = prediction.shape[0]
  if (rows === undefined) {
    return failRange(operation, 'the prediction must be [rows, …], got []', 'reshape it to [1]')
  }
  return {
    prediction: prediction.toFloat32Array(),
    target: target.toFloat32Array(),
    each: sizeOf(prediction.shape.slice(1)),
    weight: weightOf(operation, weights, [rows], prediction.size),
  }
}
