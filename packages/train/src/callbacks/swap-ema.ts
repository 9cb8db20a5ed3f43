import {
  failRange,
  failType,
  fromSnapshot,
  kindOf,
  knownOptions,
  leaves,
  mapTensors,
  paths,
  scope,
  toSnapshot,
} from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import type { RunSnapshot } from '../snapshots.ts'
import { shapesByPath } from '../tree-shapes.ts'
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
 * Weights that are frozen then stay as they are, and those of which no average is kept (by `masked`, or a part of a `partition`). Layer
 * state stays too: moving statistics of `batchNorm` are those of the last weights, see `stochasticWeightAveraging`. The slot is
 * looked at after the first step, which costs a copy of the run. Keras has it in the optimizer (`use_ema`, `finalize_variable_values`).
 *
 * @throws TypeError where the slot's name is no string; RangeError as the run's error where the optimizer has no such slot, or
 * there are other shapes in it than the weights have
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
          averaged(event.snapshot(), slot)
        }
        if (event.type !== 'finishing' || event.step === 0) return []
        const all = event.snapshot()
        const from = { params: averaged(all, slot), state: all.state }
        return [{ type: 'restore', from, what: 'parameters' }]
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}

/** The weights, with averages in the place of those that have one and are trained. */
function averaged(all: RunSnapshot, name: string): unknown {
  return scope(() => {
    const [params, slot] = fromSnapshot([all.params, slotOf(all, name)])
    const shapes = shapesByPath(params)
    for (const [path, shape] of Object.entries(shapesByPath(slot))) {
      if (shape === shapes[path]) continue
      failRange(
        'swapEma',
        `the slot '${name}' has ${shape} at '${path}', the weights have ${shapes[path] ?? 'nothing'}`,
        'name the slot of an ewma',
      )
    }
    const tensors = leaves(slot)
    const averages = new Map(paths(slot).map((path, i) => [path, tensors[i]!]))
    return toSnapshot(
      mapTensors(params, (x, path) => (all.frozen.includes(path) ? x : (averages.get(path) ?? x))),
    )
  })
}

function slotOf({ slots }: RunSnapshot, name: string): unknown {
  const known = new Map(typeof slots === 'object' && slots !== null ? Object.entries(slots) : [])
  if (known.has(name)) return known.get(name)
  const there = known.size === 0 ? 'it has none' : `it has ${[...known.keys()].join(', ')}`
  return failRange('swapEma', `the optimizer has no slot '${name}': ${there}`, 'put ewma into its chain')
}
