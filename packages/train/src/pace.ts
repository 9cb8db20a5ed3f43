import { asyncScheduler, type SchedulerLike } from 'rxjs'

/** How a run shares the thread it runs on. */
export interface Pace {
  /** Milliseconds that steps are made for before the event loop has its turn; 4 by default. 0: one step at a time. */
  readonly budget?: number
  /** Milliseconds between two such slices; 0 by default, which yields as cheaply as the platform allows. */
  readonly rest?: number
}

/**
 * In milliseconds. Measured with steps of 30 us in Node 20 and Chromium: slices from 2 ms on cost no more than one endless slice,
 * within noise, and pages keep their 60 frames a second; slices of one step cost a third.
 */
export const budgetByDefault = 4

/** Calls back later and tells the time. */
export interface Clock {
  /** In milliseconds. */
  now(): number
  /** Runs `work` in a later turn of the event loop, once. */
  later(work: () => void): void
  /** Forgets what was to be run, and gives back what waiting took. */
  close(): void
}

/**
 * The clock of a run: `setImmediate` in Node, a message to itself in a browser (timers there wait 4 ms and more), timers
 * where there is a rest, and the scheduler where one is given.
 */
export function clock(rest: number, scheduler: SchedulerLike | undefined): Clock {
  if (scheduler !== undefined || rest > 0) return scheduled(scheduler ?? asyncScheduler, rest)
  return typeof setImmediate === 'function' ? immediate() : messages()
}

function scheduled(scheduler: SchedulerLike, rest: number): Clock {
  let pending: { unsubscribe(): void } | null = null
  return {
    now: () => scheduler.now(),
    later: (work) => {
      pending = scheduler.schedule(work, rest)
    },
    close: () => pending?.unsubscribe(),
  }
}

function immediate(): Clock {
  let pending: NodeJS.Immediate | null = null
  return {
    now: () => performance.now(),
    later: (work) => {
      pending = setImmediate(work)
    },
    close: () => {
      if (pending !== null) clearImmediate(pending)
    },
  }
}

function messages(): Clock {
  const { port1, port2 } = new MessageChannel()
  let pending: (() => void) | null = null
  port1.onmessage = () => {
    const work = pending
    pending = null
    work?.()
  }
  return {
    now: () => performance.now(),
    later: (work) => {
      pending = work
      port2.postMessage(null)
    },
    close: () => {
      pending = null
      port1.close()
    },
  }
}
