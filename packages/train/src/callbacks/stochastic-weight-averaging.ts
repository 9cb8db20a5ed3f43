import { knownOptions, leaves, mapTensors, type Snapshot } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireCounts } from '../require-numbers.ts'
import type { Callback } from './callback.ts'
import { tellNeverReached } from './never-reached.ts'

/** What `stochasticWeightAveraging` takes. */
export interface StochasticWeightAveragingOptions {
  /** The first epoch, counted from 0, whose weights are in the mean. */
  readonly startFrom: number
  /** The weights of every how many epochs are in it; 1 by default. */
  readonly every?: number
}

interface Sums {
  readonly count: number
  /** For each tensor of the weights, in the order of `leaves`. */
  readonly sums: readonly Float64Array[]
}

/**
 * A callback that ends a run with the mean of the weights at the ends of its last epochs.
 *
 *     epoch       0    1    2    3        startFrom: 2
 *     weights     8    4    3    1
 *     finishing                      restore 2
 *
 * Sums are kept outside of the heap in float64. Weights at epoch ends lie around an optimum if the rate stays high: let the
 * schedule be constant or cyclic from `startFrom` on (PyTorch has SWALR for that).
 *
 * Moving statistics of `batchNorm` stay those of the last weights, and are not those of the mean. To take them anew go over
 * the data with the mean, at rate 0 (PyTorch has update_bn for that), as often as its momentum forgets slowly:
 *
 *     fit(model, { ..., optimizer: sgd({ learningRate: 0 }), epochs: 1,
 *       commands: of({ type: 'restore', from: { params, state }, what: 'parameters' }) })
 *
 * Where the run is known to be over before `startFrom`, its log is told.
 *
 * @throws RangeError where startFrom is no integer from 0 on or every none from 1 on
 * @example
 * stochasticWeightAveraging({ startFrom: 75 }).name // => 'stochasticWeightAveraging'
 *
 * Izmailov, Podoprikhin, Garipov, Vetrov & Wilson 2018, Averaging weights leads to wider optima and better generalization.
 */
export function stochasticWeightAveraging(options: StochasticWeightAveragingOptions): Callback {
  const name = 'stochasticWeightAveraging'
  const { startFrom, every = 1 } = knownOptions(name, options, 'startFrom every')
  requireCounts(name, { startFrom }, 0)
  requireCounts(name, { every })
  return {
    name,
    run(events$, info): Observable<TrainCommand> {
      tellNeverReached(info, name, 'epoch', startFrom, 'weights of no epoch are averaged')
      const kept = info.keep<Sums>('sums', { count: 0, sums: [] })
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        const { count, sums } = kept.value
        if (event.type === 'epoch' && event.epoch >= startFrom && (event.epoch - startFrom) % every === 0) {
          kept.value = { count: count + 1, sums: added(sums, event.weights.tree) }
        }
        if (event.type !== 'finishing' || count === 0) return []
        const { state } = event.snapshot('parameters')
        const params = meanOf(event.weights.tree, kept.value)
        return [{ type: 'restore', from: { params, state }, what: 'parameters' }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function added(sums: readonly Float64Array[], weights: unknown): readonly Float64Array[] {
  return leaves(weights).map((x, i) => {
    const before = sums[i]
    return Float64Array.from(x.toFloat32Array(), (value, k) => value + (before?.[k] ?? 0))
  })
}

/** The mean in the shape of a snapshot: of a tree that has the same tensors. */
function meanOf(weights: unknown, { count, sums }: Sums): unknown {
  let i = 0
  return mapTensors<unknown, Snapshot>(weights, ({ shape }) => ({
    shape,
    values: Float32Array.from(sums[i++]!, (sum) => sum / count),
  }))
}
