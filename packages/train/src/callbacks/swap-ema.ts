import { failRange, failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import type { RunSnapshot } from '../snapshots.ts'
import type { Callback } from './callback.ts'

/** What `swapEma` takes. */
export interface SwapEmaOptions {
  /** The optimizer's slot that has the average; `average` by default, as `ewma` calls it. */
  readonly slot?: string
}

/**
 * A callback that ends a run with the moving average of its weights, which the optimizer keeps with a link `ewma`.
 *
 *     optimizer: chain(ewma({ decay: 0.99 }), descend({ learningRate: 0.1 }))
 *     finishing                      restore slots.average as the weights
 *
 * Layer state stays as it is: moving statistics of `batchNorm` are those of the last weights, see `stochasticWeightAveraging`. The
 * slot is looked for after the first step, which costs a copy of the run. Before the first update there is no average, and the weights
 * stay. Keras has it in the optimizer (`use_ema`, `finalize_variable_values`).
 *
 * @throws TypeError where the slot's name is no string; RangeError as the run's error where the optimizer has no such slot
 * @example
 * swapEma().name // => 'swapEma'
 */
export function swapEma(options: SwapEmaOptions = {}): Callback {
  const { slot = 'average' } = knownOptions('swapEma', options, 'slot')
  if (typeof slot !== 'string') failType('swapEma', `slot must be a name, got ${kindOf(slot)}`)
  return {
    name: 'swapEma',
    run(events$): Observable<TrainCommand> {
      let looked = false
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'step' && !looked) {
          looked = true
          slotOf(event.snapshot(), slot)
        }
        if (event.type !== 'finishing' || event.step === 0) return []
        const all = event.snapshot()
        return [
          { type: 'restore', from: { params: slotOf(all, slot), state: all.state }, what: 'parameters' },
        ]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

function slotOf({ slots }: RunSnapshot, name: string): unknown {
  const known = new Map(typeof slots === 'object' && slots !== null ? Object.entries(slots) : [])
  if (known.has(name)) return known.get(name)
  const there = known.size === 0 ? 'it has none' : `it has ${[...known.keys()].join(', ')}`
  return failRange('swapEma', `the optimizer has no slot '${name}': ${there}`, 'put ewma into its chain')
}
