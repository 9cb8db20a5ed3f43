import type { StepEvent } from '../events.ts'

type NumberOf<E> = { [K in keyof E]: E[K] extends number ? K : never }[keyof E]

/** The numbers that every step event has. */
export type StepNumber = Exclude<NumberOf<StepEvent>, 'gradientNorm'>

/** Where they stand in the row of a step; losses by name follow, then metrics, then the gradients' norm where it is watched. */
export const columns: Readonly<Record<StepNumber, number>> = {
  step: 0,
  epoch: 1,
  batch: 2,
  rows: 3,
  loss: 4,
  penalty: 5,
  runningLoss: 6,
  learningRate: 7,
  seconds: 8,
  samplesPerSecond: 9,
}

/** How many there are. */
export const columnCount: number = Object.keys(columns).length

/** How many numbers the row of a step has. */
export function rowWidth(losses: number, metrics: number, hasNorm: boolean): number {
  return columnCount + losses + metrics + (hasNorm ? 1 : 0)
}
