import { failRange } from '@tapeflow/autodiff'
import { elements } from './elements.ts'
import type { Metric } from './metric.ts'

/** For each output: the mean of its targets, the sum of squares of what they differ from it, and that of the errors. */
export type R2State = {
  readonly weight: number
  readonly mean: readonly number[]
  readonly spread: readonly number[]
  readonly residual: readonly number[]
}

/**
 * The coefficient of determination: R² = 1 - sum of w (target - prediction)² / sum of w (target - mean)². 1 is perfect, 0 what the mean
 * of the targets would get, and there is no lowest. Of several outputs it is the mean of theirs.
 *
 * The mean and the squares are updated together, sample by sample (Welford), so that targets far from 0 lose no digits. Where
 * targets are all equal R² is 1 for perfect predictions and 0 for others, as in scikit-learn.
 *
 * @returns a metric over predictions `[rows, …]` and targets of the same shape; weights `[rows]`, 1 where they are left out
 * @throws RangeError when the shapes differ, also where they would broadcast, or batches differ in their outputs
 * @example
 * measure(r2(), t.tensor([1, 2, 4]), t.tensor([1, 2, 3])) // => 0.5
 * measure(r2(), t.tensor([2, 2, 2]), t.tensor([1, 2, 3])) // => 0
 *
 * Welford: Note on a method for calculating corrected sums of squares and products (Technometrics 1962)
 */
export function r2(): Metric<R2State> {
  return {
    name: 'r2',
    init: () => ({ weight: 0, mean: [], spread: [], residual: [] }),
    update: (state, prediction, target, weights) => {
      const batch = elements('r2', prediction, target, weights)
      const { each } = batch
      const isFirst = state.mean.length === 0
      if (!isFirst && each !== state.mean.length) {
        failRange(
          'r2',
          `the batches before had ${state.mean.length} outputs, this one has ${each}`,
          'begin anew with init()',
        )
      }
      const start = (before: readonly number[]): number[] =>
        isFirst ? new Array<number>(each).fill(0) : before.slice()
      const [mean, spread, residual] = [start(state.mean), start(state.spread), start(state.residual)]
      let { weight } = state
      for (let from = 0; from < batch.target.length; from += each) {
        const w = batch.weight(from)
        if (w === 0) continue
        weight += w
        for (let k = 0; k < each; k++) {
          const wanted = batch.target[from + k]!
          const off = wanted - mean[k]!
          mean[k]! += (w / weight) * off
          spread[k]! += w * off * (wanted - mean[k]!)
          residual[k]! += w * (wanted - batch.prediction[from + k]!) ** 2
        }
      }
      return { weight, mean, spread, residual }
    },
    result: ({ weight, spread, residual }) => {
      if (weight === 0) return Number.NaN
      let sum = 0
      for (const [k, total] of spread.entries()) sum += determined(residual[k]!, total)
      return sum / spread.length
    },
  }
}

function determined(residual: number, spread: number): number {
  if (spread === 0 && !Number.isNaN(residual)) return residual === 0 ? 1 : 0
  return 1 - residual / spread
}
