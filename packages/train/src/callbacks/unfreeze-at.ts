import { failRange, failType, kindOf, knownOptions } from '@tapeflow/autodiff'
import { mergeMap, type Observable } from 'rxjs'
import type { TrainCommand } from '../commands.ts'
import type { TrainEvent } from '../events.ts'
import { requireCounts } from '../require-numbers.ts'
import type { Callback } from './callback.ts'
import { tellNeverReached } from './never-reached.ts'

/** What `unfreezeAt` takes: the paths, and one of epoch and step. */
export type UnfreezeAtOptions = {
  /** Which parameters are held until then, as patterns: `layers.0.**`. */
  readonly path: string | readonly string[]
} & ({ readonly epoch: number; readonly step?: never } | { readonly step: number; readonly epoch?: never })

/**
 * A callback that holds parameters as they are, and trains them from an epoch or a step on: first the new head of a model,
 * then all of it.
 *
 *     epoch       0       1       2       3
 *     commands   freeze   -     unfreeze  -       epoch: 2
 *
 * What is frozen has no gradient, its slots stay as they are, and nothing is computed for it; layer state, such as moving averages,
 * is not frozen. The step of the optimizer counts on, so that Adam's first steps there are up to three times its rate: its averages
 * begin at 0 with their corrections past. A step is recorded anew when it changes.
 *
 * A parameter is frozen or not, whoever asked: where two of these name the same one, the first that ends frees it. Let their patterns
 * have none in common.
 *
 * Data that has no end has no second epoch: say a step there. Where the run is known to be over before the epoch or step, its log is told.
 *
 * @throws RangeError unless one of epoch and step is given, an integer from 1 on; as the run's error where no parameter is at a path
 * @example
 * unfreezeAt({ path: 'layers.0.**', epoch: 3 }).name // => 'unfreezeAt'
 */
export function unfreezeAt(options: UnfreezeAtOptions): Callback {
  const { path, epoch, step } = knownOptions('unfreezeAt', options, 'path epoch step')
  const paths = typeof path === 'string' ? [path] : path
  if (!Array.isArray(paths) || paths.length === 0 || !paths.every((one) => typeof one === 'string')) {
    failType(
      'unfreezeAt',
      `path must be a string or several, got ${kindOf(path)}`,
      "pass path: 'layers.0.**'",
    )
  }
  if ((epoch === undefined) === (step === undefined)) {
    const got = epoch === undefined ? 'neither' : 'both'
    failRange('unfreezeAt', `epoch or step must be given, got ${got}`, 'pass epoch: 3')
  }
  const [name, at] = epoch === undefined ? (['step', step!] as const) : (['epoch', epoch] as const)
  requireCounts('unfreezeAt', { [name]: at })
  const all = (type: 'freeze' | 'unfreeze'): TrainCommand[] => paths.map((one) => ({ type, path: one }))

  return {
    name: 'unfreezeAt',
    run(events$, info): Observable<TrainCommand> {
      tellNeverReached(info, 'unfreezeAt', name, at, `${paths.join(', ')} stays frozen to the end`)
      const stage = info.keep<'before' | 'frozen' | 'unfrozen'>('stage', 'before')
      const answer = (event: TrainEvent): readonly TrainCommand[] => {
        if (event.type === 'start' && stage.value === 'before') {
          stage.value = 'frozen'
          return all('freeze')
        }
        const isOver = event.type === (epoch === undefined ? 'step' : 'epoch') && event[name] + 1 >= at
        if (!isOver || stage.value !== 'frozen') return []
        stage.value = 'unfrozen'
        return all('unfreeze')
      }
      return events$.pipe(mergeMap(answer))
    },
  }
}
