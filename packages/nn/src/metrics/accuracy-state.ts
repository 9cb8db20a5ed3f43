import type { Tensor } from '@tapeflow/autodiff'
import { classRows, largestOfRows } from './class-rows.ts'

/** Weights of the samples predicted right, and of all. */
export type AccuracyState = { readonly correct: number; readonly total: number }

/** The state with `count` more samples. */
export function countRight(
  { correct, total }: AccuracyState,
  count: number,
  isRight: (i: number) => boolean,
  weight: (i: number) => number,
): AccuracyState {
  for (let i = 0; i < count; i++) {
    total += weight(i)
    if (isRight(i)) correct += weight(i)
  }
  return { correct, total }
}

/** The state with another batch of predicted classes, of which the largest is the guess. */
export function countLargest(
  operation: string,
  state: AccuracyState,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
): AccuracyState {
  const { count, classes, scores, truth, weight } = classRows(operation, prediction, target, weights)
  const guess = largestOfRows(scores, classes)
  return countRight(state, count, (row) => guess[row] === truth[row], weight)
}

/** How accuracies start and what they come to. */
export const share: {
  readonly init: () => AccuracyState
  readonly result: (state: AccuracyState) => number
} = {
  init: () => ({ correct: 0, total: 0 }),
  result: ({ correct, total }) => correct / total,
}
