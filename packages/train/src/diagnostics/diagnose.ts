import { failRange } from '@tapeflow/autodiff'
import { defer, filter, mergeMap, type OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, StepEvent, TrainEvent } from '../events.ts'
import { carries } from '../operators/at-path.ts'
import { Episodes } from './episodes.ts'
import { KnownRun } from './known-run.ts'

/** What a look found in one place, be it ill or not. */
export interface Finding extends Pick<DiagnosticEvent, 'path' | 'value' | 'threshold'> {
  /** Asked for what is told alone: most looks find nothing. */
  readonly advice: () => string
  readonly ill: boolean
  /** Whether it has recovered, where that takes more than not to be ill. */
  readonly isWell?: boolean
  /** Tells apart two illnesses of one path. */
  readonly kind?: string
}

/** A diagnostic: at which events it looks, and how. */
export interface Diagnosis<T extends TrainEvent['type']> {
  readonly name: string
  readonly looksAt: readonly T[]
  /** Which steps it looks at, where it reads tensors: of a run in a worker those of them that carry some. All steps by default. */
  readonly isDue?: (step: number) => boolean
  /** Whether it compares steps that follow each other, so that it can do without none of them. */
  readonly comparesSteps?: boolean
  /** How many healthy looks in a row end an episode. */
  readonly calm: number
  /** A look with a memory of its own. Tensors are read here alone, so only of events that are due. */
  readonly begin: (run: KnownRun) => (event: Extract<TrainEvent, { readonly type: T }>) => readonly Finding[]
}

/**
 * An operator from a run's events to what a diagnostic finds. Each subscription has a memory of its own, and a new one at each
 * `start` and where steps are made again, as after the command `restore`: what was seen of the future is forgotten.
 */
export function diagnose<T extends TrainEvent['type']>(
  diagnosis: Diagnosis<T>,
): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { name, looksAt, isDue, comparesSteps = false, calm, begin } = diagnosis
  const types: readonly string[] = looksAt
  const isSeen = (event: StepEvent): boolean => {
    if (isDue === undefined) return true
    if (!isDue(event.step)) return false
    if (carries(event) || !comparesSteps) return carries(event)
    return failRange(
      name,
      `steps that follow each other are compared, and step ${event.step} came without tensors`,
      'pass every: 1 to fitInWorker, or diagnose in a callback of the module',
    )
  }
  const concerns = (event: TrainEvent): boolean =>
    event.type === 'step'
      ? types.includes('step') && isSeen(event)
      : event.type === 'start' || event.type === 'command' || types.includes(event.type)
  const isLookedAt = (event: TrainEvent): event is Extract<TrainEvent, { readonly type: T }> =>
    types.includes(event.type)

  return (events$) =>
    defer(() => {
      const run = new KnownRun()
      let look = begin(run)
      let episodes = new Episodes(calm)
      let latest = -1
      const told = (event: TrainEvent): readonly DiagnosticEvent[] => {
        const { step, epoch } = event
        const isStep = event.type === 'step'
        // How many steps have been made: each of them makes one more.
        const made = isStep ? step + 1 : step
        const isAgain = isStep ? made <= latest : made < latest
        if (event.type === 'start' || isAgain) {
          look = begin(run)
          episodes = new Episodes(calm)
        }
        latest = made
        run.hear(event)
        if (!isLookedAt(event)) return []
        return look(event)
          .filter(({ path = '', kind = '', ill, isWell }) => episodes.begins(`${kind} ${path}`, ill, isWell))
          .map(({ path, value, threshold, advice }) => ({
            type: 'diagnostic',
            name,
            step,
            epoch,
            ...(path === undefined ? {} : { path }),
            value,
            threshold,
            advice: advice(),
          }))
      }
      return events$.pipe(filter(concerns), mergeMap(told))
    })
}
