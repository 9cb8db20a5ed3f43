import { failRange, showShape, type Tensor } from '@tapeflow/autodiff'
import { checkTensor } from '../targets.ts'
import { binaryRows, isBinary } from './binary-rows.ts'
import { classRows } from './class-rows.ts'

/**
 * Every score that was predicted, once each, from the largest down, with the weights of the samples of class 1 and of class 0
 * that have it. A NaN is the last.
 */
export type ScoresState = {
  readonly scores: readonly number[]
  readonly positives: readonly number[]
  readonly negatives: readonly number[]
}

/** Before the first batch. */
export function noScores(): ScoresState {
  return { scores: [], positives: [], negatives: [] }
}

/** The state with another batch merged into it: batches in any order and of any sizes give the same. */
export function ranked(
  operation: string,
  state: ScoresState,
  prediction: Tensor,
  target: Tensor,
  weights: Tensor | undefined,
): ScoresState {
  const { scores, truth, weight } = scored(operation, prediction, target, weights)
  const merged: { readonly [K in keyof ScoresState]: number[] } = { scores: [], positives: [], negatives: [] }
  const add = (score: number, positive: number, negative: number): void => {
    let last = merged.scores.length - 1
    if (last < 0 || order(merged.scores[last]!, score) !== 0) {
      last = merged.scores.push(score) - 1
      merged.positives.push(0)
      merged.negatives.push(0)
    }
    merged.positives[last]! += positive
    merged.negatives[last]! += negative
  }
  let next = 0
  const addBefore = (score: number | null): void => {
    for (; next < state.scores.length; next++) {
      if (score !== null && order(state.scores[next]!, score) > 0) return
      add(state.scores[next]!, state.positives[next]!, state.negatives[next]!)
    }
  }
  for (const i of [...scores.keys()].sort((a, b) => order(scores[a]!, scores[b]!))) {
    const w = weight(i)
    if (w === 0) continue
    addBefore(scores[i]!)
    add(scores[i]!, truth[i] === 1 ? w : 0, truth[i] === 1 ? 0 : w)
  }
  addBefore(null)
  return merged
}

/** Descending, NaN last. */
function order(a: number, b: number): number {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return 0
  return a > b || Number.isNaN(b) ? -1 : 1
}

// Of two columns the second less the first: in the order of the probability of class 1, whether they are logits or
// probabilities. In double precision: two that differ stay different.
function scored(operation: string, prediction: Tensor, target: Tensor, weights: Tensor | undefined): Scored {
  checkTensor(operation, 'prediction', prediction)
  if (isBinary(prediction)) {
    const { scores, truth, weight } = binaryRows(operation, prediction, target, weights)
    return { scores: [...scores], truth, weight }
  }
  const { classes, count, scores, truth, weight } = classRows(operation, prediction, target, weights)
  if (classes !== 2) {
    failRange(
      operation,
      `the prediction must be [rows], [rows,1] or [rows,2], got ${showShape(prediction.shape)}`,
      'slice the scores of one class, with labels 1 for it and 0 for the rest',
    )
  }
  const differences = Array.from({ length: count }, (_, i) => scores[2 * i + 1]! - scores[2 * i]!)
  return { scores: differences, truth, weight }
}

interface Scored {
  readonly scores: readonly number[]
  readonly truth: Float32Array
  readonly weight: (row: number) => number
}

/** What lies above each score: the weights of all samples of class 1, and of class 0, that have it or a larger one. */
export function cumulated({ scores, positives, negatives }: ScoresState): {
  readonly thresholds: readonly number[]
  readonly truePositives: readonly number[]
  readonly falsePositives: readonly number[]
  readonly allPositives: number
  readonly allNegatives: number
} {
  const thresholds = [Number.POSITIVE_INFINITY]
  const [truePositives, falsePositives] = [[0], [0]]
  let [above, falselyAbove] = [0, 0]
  for (const [i, score] of scores.entries()) {
    thresholds.push(score)
    truePositives.push((above += positives[i]!))
    falsePositives.push((falselyAbove += negatives[i]!))
  }
  // What is compared with a NaN is in no order.
  const isOrdered = !Number.isNaN(scores[scores.length - 1] ?? 0)
  return {
    thresholds,
    truePositives,
    falsePositives,
    allPositives: isOrdered ? above : Number.NaN,
    allNegatives: isOrdered ? falselyAbove : Number.NaN,
  }
}
