import { type SchedulerLike, Subscription } from 'rxjs'
import type { Clock } from '../pace.ts'

/** A scheduler for the slices of a run whose events go somewhere else, and may not run ahead of there. */
export interface Credit {
  readonly scheduler: SchedulerLike
  /** A batch has been sent. */
  sent(): void
  /** A batch has been handled. */
  handled(): void
}

/**
 * Lets a run make its next slice only while fewer than `atMost` batches are on their way: else the run waits, and no event is lost.
 *
 * @param clock runs the slices
 */
export function credit(clock: Clock, atMost: number): Credit {
  let onTheirWay = 0
  let held: (() => void) | null = null

  const later = (work: () => void): void =>
    clock.later(() => {
      if (onTheirWay < atMost) work()
      else held = work
    })
  return {
    scheduler: {
      now: () => clock.now(),
      // A run has one slice scheduled at a time, with the same rest before each, which its clock knows.
      schedule: (work) => {
        const closing = new Subscription(() => {
          held = null
          clock.close()
        })
        later(() => Reflect.apply(work, undefined, []))
        return closing
      },
    },
    sent: () => {
      onTheirWay++
    },
    handled: () => {
      onTheirWay--
      const work = held
      held = null
      if (work !== null) later(work)
    },
  }
}
