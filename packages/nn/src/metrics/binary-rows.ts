import { checkIndices, failRange, type Shape, sameShape, showShape, type Tensor } from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { weightOf } from './weight-of.ts'

/** A batch of predictions of one number each, and labels 0 and 1, read out. */
export interface BinaryRows {
  readonly scores: Float32Array
  readonly truth: Float32Array
  readonly weight: (i: number) => number
}

/** Where the last axis has one feature, it is left out. */
function bare(shape: Shape): Shape {
  return shape.length > 1 && shape[shape.length - 1] === 1 ? shape.slice(0, -1) : shape
}

/** Whether there is one number for each sample: `[rows]`, or a last axis of 1. */
export function isBinary({ shape }: Tensor): boolean {
  return shape.length === 1 || bare(shape) !== shape
}

/**
 * Checks and reads a batch of predictions of one number each.
 *
 * @param prediction `[rows, …]` or `[rows, …, 1]`
 * @param target labels 0 and 1, as many, with or without the last axis
 * @param weights `[rows]` or `[rows, …]`
 */
export function binaryRows(
  operation: string,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
): BinaryRows {
  checkTensor(operation, 'prediction', prediction)
  checkTensor(operation, 'target', target)
  const leading = bare(prediction.shape)
  if (leading.length === 0) {
    failRange(operation, 'the prediction must be [rows] or [rows, 1], got []', 'reshape it to [1]')
  }
  if (!sameShape(bare(target.shape), leading)) {
    failRange(
      operation,
      `the target must be labels ${showShape(leading)}, got ${showShape(target.shape)}`,
      'pass 0 or 1 for each number of the prediction',
    )
  }
  checkIndices(operation, target, 2, { index: 'label', place: 'row' })
  const scores = prediction.toFloat32Array()
  const weight = weightOf(operation, weights, leading, scores.length)
  return { scores, truth: target.toFloat32Array(), weight }
}

/** Where class 1 begins. */
export interface ThresholdOptions {
  /** Class 1 is above it: 0.5 by default, for probabilities; 0 for logits. */
  readonly threshold?: number
}

/** Checks a threshold, and rounds it as predictions are. */
export function checkThreshold(operation: string, threshold: number): number {
  if (Number.isNaN(threshold)) failRange(operation, 'the threshold must be a number, got NaN')
  return Math.fround(threshold)
}

/** The class that a score means: 1 above the threshold, 0 up to it, NaN where it is NaN. */
export function classOf(score: number, threshold: number): number {
  if (Number.isNaN(score)) return Number.NaN
  return score > threshold ? 1 : 0
}
