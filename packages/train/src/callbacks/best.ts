import type { TrainCommand } from '../commands.ts'
import type { ParametersSnapshot } from '../snapshots.ts'
import type { CallbackInfo } from './callback.ts'
import type { Measured, Monitored } from './monitored.ts'

/** The best measurement of a run so far. It is kept with the run. */
export interface Best {
  readonly value: number
  /** Takes a measurement into account and tells whether it is the best. */
  improves(measured: Measured): boolean
  /**
   * What brings the weights of the best measurement back; nothing where there are none. Also where it was the last: a callback that
   * comes before may ask for others.
   */
  restored(): readonly TrainCommand[]
}

interface Record {
  readonly value: number
  readonly snapshot: ParametersSnapshot | null
}

/**
 * Follows a measure.
 *
 * @param minDelta by how much a better value must be better
 * @param weights whether weights and layer state are copied with each best measurement
 */
export function bestOf(
  info: CallbackInfo,
  { worst, isBetter }: Monitored,
  { minDelta = 0, weights }: { readonly minDelta?: number; readonly weights: boolean },
): Best {
  const best = info.keep<Record>('best', { value: worst, snapshot: null })
  return {
    get value() {
      return best.value.value
    },
    improves: ({ event, value }) => {
      if (!isBetter(value, best.value.value, minDelta)) return false
      best.value = { value, snapshot: weights ? event.snapshot('parameters') : null }
      return true
    },
    restored: () => {
      const { snapshot } = best.value
      return snapshot === null ? [] : [{ type: 'restore', from: snapshot, what: 'parameters' }]
    },
  }
}

/** As words say it. */
export function shortNumber(value: number): string {
  return `${Number(value.toPrecision(6))}`
}
