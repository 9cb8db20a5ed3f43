import type { Pull } from '@tapeflow/data'
import { checkBatch, rowsOf, type TrainBatch, weightOf } from './batch.ts'
import type { OutputMeasure } from './metric-list.ts'
import { type Reader, type Reading, readThrough } from './read-through.ts'
import { failEmpty } from './reading.ts'
import { addLosses, noSums, type RunningSums } from './run-state.ts'
import type { Carry } from './step.ts'
import type { Steps } from './steps.ts'

/** What an evaluation is made with. */
export interface Evaluating<P, S> extends Reader {
  readonly steps: Pick<Steps<P, S>, 'evaluate' | 'readings'>
  readonly metrics: readonly Pick<OutputMeasure, 'init'>[]
  /** Weights and layer state, once the first batch is there. */
  carry(batch: TrainBatch): Carry<P, S>
  /** The error of the batch with a number. */
  failed(number: number, cause: unknown): Error
  /** What the data is, in the words of an error: `validation data`. */
  readonly what: string
}

/**
 * Reads a pass over data to its end, forward only, and sums up what is found: batches count as many times as they have rows, or as the sum of
 * their weights.
 *
 * @returns null where that was given up
 * @throws RangeError where there is no batch
 */
export function* evaluation<P, S>(
  pull: Pull<TrainBatch>,
  evaluating: Evaluating<P, S>,
): Reading<RunningSums | null> {
  const { steps, metrics, operation, what } = evaluating
  const sums = noSums(metrics)
  const take = (batch: TrainBatch, number: number): void => {
    checkBatch(batch, operation)
    const weight = weightOf(batch)
    sums.loss += lossOf(evaluating, batch, number, sums.metrics) * weight
    addLosses(sums, steps.readings.losses, weight)
    sums.weight += weight
    sums.rows += rowsOf(batch)
    sums.metrics = steps.readings.metrics
  }
  if ((yield* readThrough(pull, take, evaluating)) === null) return null
  if (sums.rows === 0) failEmpty(what, operation)
  return sums
}

function lossOf<P, S>(
  { steps, carry, failed }: Evaluating<P, S>,
  batch: TrainBatch,
  number: number,
  metrics: readonly unknown[],
): number {
  const at = carry(batch)
  try {
    return steps.evaluate(at, batch, metrics)
  } catch (cause) {
    throw failed(number, cause)
  }
}
