import type { RunInfo, StepEvent } from '../events.ts'

type NumberOf<E> = { [K in keyof E]: E[K] extends number ? K : never }[keyof E]

/** The numbers that every step event has. */
export type StepNumber = Exclude<NumberOf<StepEvent>, 'gradientNorm'>

/** Where they stand in the row of a step; those by name follow, then the gradients' norm where it is watched. */
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

type NumbersByName = Readonly<Record<string, number>>
type StepRecord = { [K in keyof StepEvent]: StepEvent[K] extends NumbersByName ? K : never }[keyof StepEvent]

/** The numbers by name that every step event has, in the names that the `start` event told. */
export type StepNames = Readonly<Record<StepRecord, readonly string[]>>

/** The names in their order. */
export function stepNames({ losses, metrics }: Pick<RunInfo, StepRecord>): StepNames {
  return { losses, metrics }
}

/** How many numbers the row of a step has. */
export function rowWidth({ losses, metrics }: StepNames, hasNorm: boolean): number {
  return columnCount + losses.length + metrics.length + (hasNorm ? 1 : 0)
}
