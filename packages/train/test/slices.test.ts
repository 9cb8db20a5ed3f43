import * as t from '@tapeflow/autodiff'
import { asapScheduler, queueScheduler, type SchedulerLike, Subject, type Subscription } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { fit, type TrainCommand, type TrainEvent } from '../src/index.ts'
import { eventsOf, line, turn, twoPoints } from './small.ts'

/** A scheduler of timers whose `schedule` does what is said on its n-th call, counted from 0. */
function scheduler(odd: (call: number, work: () => void) => void): SchedulerLike {
  let calls = 0
  const schedule = (work: () => void): Pick<Subscription, 'unsubscribe'> => {
    odd(calls++, work)
    const timer = setTimeout(work, 0)
    return { unsubscribe: () => clearTimeout(timer) }
  }
  return { now: () => performance.now(), schedule } as unknown as SchedulerLike
}

/** What a run of a few steps comes to, with the heap as before in the end. */
async function outcome(given: SchedulerLike, commands = new Subject<TrainCommand>()): Promise<unknown> {
  const before = t.memory()
  const run$ = fit(line, { ...twoPoints, steps: 4, scheduler: given, pace: { budget: 0 }, commands })
  const found = await eventsOf(run$).then(
    (events) => events.at(-1)!.type,
    (error: unknown) => error,
  )
  await turn()
  expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  return found
}

describe('a scheduler', () => {
  test('of another kind is as good', async () => {
    expect(await outcome(asapScheduler)).toBe('end')
    expect(await outcome(scheduler(() => {}))).toBe('end')
  })

  // Events came inside subscribe, before there was anything to unsubscribe from.
  test.each([
    ['at the first slice', queueScheduler],
    ["at the first slice, of one's own", scheduler((_, work) => work())],
    ['at a later one', scheduler((call, work) => call === 3 && work())],
  ])('that runs at once is refused: %s', async (_, given) => {
    const before = t.memory()
    const events: TrainEvent[] = []
    const errors: unknown[] = []
    fit(line, { ...twoPoints, steps: 4, scheduler: given, pace: { budget: 0 } }).subscribe({
      next: (event) => events.push(event),
      error: (error) => errors.push(error),
    })
    expect(events).toEqual([])
    while (errors.length === 0) await turn()
    const message =
      'fit: the scheduler ran at once what it was to run later; leave it out, or pass asyncScheduler'
    expect(errors).toEqual([expect.objectContaining({ message, operation: 'fit' })])
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })

  test.each([0, 1, 3])('that throws at slice %i is the error of the run', async (slice) => {
    const oh = new Error('no timers')
    const given = scheduler((call) => {
      if (call === slice) throw oh
    })
    expect(await outcome(given)).toBe(oh)
  })

  test('that throws when a paused run is to go on is the error of the run, not of who resumes it', async () => {
    const oh = new Error('no timers')
    let broken = false
    const commands = new Subject<TrainCommand>()
    const given = scheduler(() => {
      if (broken) throw oh
    })
    const run = outcome(given, commands)
    commands.next({ type: 'pause' })
    await turn()
    broken = true
    commands.next({ type: 'resume' })
    expect(await run).toBe(oh)
  })

  test.each([1, 5])('whose clock throws at reading %i is the error of the run', async (reading) => {
    const oh = new Error('no clock')
    let readings = 0
    const given = {
      ...scheduler(() => {}),
      now: () => {
        if (++readings === reading) throw oh
        return performance.now()
      },
    }
    expect(await outcome(given)).toBe(oh)
  })
})
