import { failRange, type Tensor } from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { binaryRows, classOf, isBinary } from './binary-rows.ts'
import { classRows, largestOfRows } from './class-rows.ts'

/**
 * Weights of the samples of each true class by what was predicted: `counts[truth * (classes + 1) + prediction]`, where the
 * last of each row are those whose prediction has a NaN. No classes before the first batch.
 */
export type ConfusionState = { readonly classes: number; readonly counts: readonly number[] }

/** Before the first batch. */
export function noConfusion(): ConfusionState {
  return { classes: 0, counts: [] }
}

/**
 * The state with another batch: of one number for each sample where there are two classes, else of a row of classes.
 *
 * @param threshold above which one number means class 1
 * @throws RangeError when the batches before had another number of classes
 */
export function confused(
  operation: string,
  { classes: before, counts: given }: ConfusionState,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
  threshold: number,
): ConfusionState {
  const { classes, guess, truth, weight } = guessed(operation, prediction, target, weights, threshold)
  if (before !== 0 && before !== classes) {
    failRange(
      operation,
      `the batches before had ${before} classes, this one has ${classes}`,
      'begin anew with init()',
    )
  }
  const width = classes + 1
  const counts = before === 0 ? new Array<number>(classes * width).fill(0) : given.slice()
  for (const [row, label] of truth.entries()) {
    if (Number.isNaN(label)) failRange(operation, `the target has a NaN at row ${row}`, 'name a class')
    const predicted = guess[row]!
    counts[label * width + (Number.isNaN(predicted) ? classes : predicted)]! += weight(row)
  }
  return { classes, counts }
}

interface Guessed {
  readonly classes: number
  /** The predicted class, or NaN. */
  readonly guess: Float32Array
  readonly truth: Float32Array
  readonly weight: (row: number) => number
}

function guessed(
  operation: string,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
  threshold: number,
): Guessed {
  checkTensor(operation, 'prediction', prediction)
  if (isBinary(prediction)) {
    const { scores, truth, weight } = binaryRows(operation, prediction, target, weights)
    return { classes: 2, guess: scores.map((score) => classOf(score, threshold)), truth, weight }
  }
  const { classes, scores, truth, weight } = classRows(operation, prediction, target, weights)
  return { classes, guess: largestOfRows(scores, classes), truth, weight }
}

/** What is counted of a class: weights of the samples predicted right, predicted at all, and that are of it. */
export interface Tally {
  readonly right: number
  readonly predicted: number
  readonly support: number
}

/** The tally of each class. */
export function tallies({ classes, counts }: ConfusionState): readonly Tally[] {
  const width = classes + 1
  return Array.from({ length: classes }, (_, k) => {
    let [predicted, support] = [0, 0]
    for (let truth = 0; truth < classes; truth++) predicted += counts[truth * width + k]!
    for (let guess = 0; guess < width; guess++) support += counts[k * width + guess]!
    return { right: counts[k * width + k]!, predicted, support }
  })
}
