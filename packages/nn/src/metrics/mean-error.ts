import { elements } from './elements.ts'
import type { Metric } from './metric.ts'

/** The sum of weighted numbers, and of their weights. */
export type MeanState = { readonly sum: number; readonly weight: number }

/** Of a mean before the first batch. */
export function noMean(): MeanState {
  return { sum: 0, weight: 0 }
}

/** The state with `count` more numbers; what has weight 0 has no influence, even where it is infinite. */
export function averaged(
  { sum, weight }: MeanState,
  count: number,
  value: (i: number) => number,
  weightOf: (i: number) => number,
): MeanState {
  for (let i = 0; i < count; i++) {
    const w = weightOf(i)
    if (w === 0) continue
    sum += w * value(i)
    weight += w
  }
  return { sum, weight }
}

/** A metric: the mean of what `of` makes of errors, and what `result` makes of the mean. */
export function meanError(
  name: string,
  of: (error: number) => number,
  result: (mean: number) => number = (mean) => mean,
): Metric<MeanState> {
  return {
    name,
    init: noMean,
    update: (state, prediction, target, weights) => {
      const batch = elements(name, prediction, target, weights)
      const value = (i: number): number => of(batch.prediction[i]! - batch.target[i]!)
      return averaged(state, batch.prediction.length, value, batch.weight)
    },
    result: ({ sum, weight }) => result(sum / weight),
  }
}
