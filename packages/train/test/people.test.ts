import * as t from '@tapeflow/autodiff'
import { concatMap, config, map, type Observable, Subject, tap, throwError } from 'rxjs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  type Callback,
  diagnostics,
  fit,
  gradients,
  lossSpike,
  type Monitor,
  type TrainCommand,
  type TrainEvent,
  vanishingGradient,
} from '../src/index.ts'
import { eventsOf, line, turn, twoPoints } from './small.ts'

const long = { ...twoPoints, steps: 1e9 }

describe('the owner', () => {
  const reported: unknown[] = []
  afterEach(() => {
    config.onUnhandledError = null
    reported.length = 0
  })

  test.each<[string, (run$: Observable<unknown>) => Observable<unknown>]>([
    ['directly', (run$) => run$],
    [
      'through operators',
      (run$) =>
        run$.pipe(
          map((event) => event),
          tap(() => {}),
        ),
    ],
  ])('that throws ends the run, subscribed %s', async (_, through) => {
    config.onUnhandledError = (error) => reported.push(error)
    const before = t.memory().bytes
    let heard = 0
    const subscription = through(fit(line, long)).subscribe(() => {
      if (++heard === 3) throw new Error('the owner has had enough')
    })
    await vi.waitFor(() => expect(reported).toHaveLength(1))
    expect(heard).toBe(3)
    expect(subscription.closed).toBe(true)
    expect(t.memory().bytes).toBe(before)
    expect(reported).toEqual([expect.objectContaining({ message: 'the owner has had enough' })])
  })

  test('that throws inside an operator ends the run with that error', async () => {
    const before = t.memory().bytes
    const run$ = fit(line, long).pipe(
      map((event) => {
        if (event.step === 3) throw new Error('in the map')
        return event
      }),
    )
    await expect(eventsOf(run$)).rejects.toThrow('in the map')
    expect(t.memory().bytes).toBe(before)
  })

  test('that unsubscribes inside next hears nothing more, nor do callbacks and monitors', async () => {
    const before = t.memory().bytes
    const heard: string[] = []
    const callback: Callback = {
      name: 'listener',
      run: (events$) =>
        events$.pipe(
          tap((event) => heard.push(`callback ${event.type}`)),
          concatMap(() => []),
        ),
    }
    const monitors = [(event: TrainEvent) => heard.push(`monitor ${event.type}`)]
    const subscription = fit(line, { ...long, callbacks: [callback], monitors }).subscribe((event) => {
      heard.push(`owner ${event.type}`)
      if (event.type === 'step') subscription.unsubscribe()
    })
    await vi.waitFor(() => expect(subscription.closed).toBe(true))
    await turn()
    expect(heard).toEqual(['owner start', 'callback start', 'monitor start', 'owner step'])
    expect(t.memory().bytes).toBe(before)
  })
})

describe('a monitor', () => {
  test('that throws changes nothing but one logged error', async () => {
    const logged: unknown[][] = []
    const monitors = [
      () => {
        throw new Error('no screen')
      },
    ]
    const log = (...line: unknown[]): number => logged.push(line)
    const events = await eventsOf(fit(line, { ...twoPoints, epochs: 2, monitors, log }))
    const without = await eventsOf(fit(line, { ...twoPoints, epochs: 2 }))
    expect(events.map(({ type, step }) => [type, step])).toEqual(
      without.map(({ type, step }) => [type, step]),
    )
    expect(logged).toEqual([
      [
        'fit: monitor 0 failed and was detached; the run goes on',
        expect.objectContaining({ message: 'no screen' }),
      ],
    ])
  })

  test('that is asynchronous and rejects is logged once, and heard no more', async () => {
    const logged: unknown[] = []
    const log = (_: string, error: unknown): number => logged.push(error)
    let heard = 0
    const monitor = async (): Promise<void> => {
      heard++
      await Promise.resolve()
      throw new Error('no socket')
    }
    await eventsOf(fit(line, { ...twoPoints, epochs: 50, monitors: [monitor], log, pace: { budget: 0 } }))
    expect(logged).toEqual([expect.objectContaining({ message: 'no socket' })])
    expect(heard).toBe(1)
  })

  // What its subscribers do not handle, RxJS reports as uncaught, which ends a process of Node.
  test('that is a Subject leaves errors behind it, and that of the run, to its subscribers', async () => {
    const watched$ = new Subject<TrainEvent>()
    const [logged, found]: [unknown[], unknown[]] = [[], []]
    watched$.pipe(gradients()).subscribe({ error: (error) => found.push(error) })
    watched$.subscribe({ error: (error) => found.push(error) })
    const log = (...said: unknown[]): number => logged.push(said)
    const monitored = { ...twoPoints, epochs: 1, monitors: [watched$], log }
    const loss = (): never => {
      throw new Error('no loss')
    }
    await eventsOf(fit(line, monitored))
    expect(found).toEqual([
      expect.objectContaining({ message: expect.stringContaining('gradients are not watched') }),
    ])
    const failing$ = new Subject<TrainEvent>()
    failing$.subscribe({ error: (error) => found.push(error) })
    await expect(eventsOf(fit(line, { ...monitored, monitors: [failing$], loss }))).rejects.toThrow('no loss')
    expect(found[1]).toMatchObject({ message: 'fit: step 0 of epoch 0 failed: no loss' })
    expect(logged).toEqual([])
  })

  test('that is a Subject has ended with its first run, and is heard in each through a function', async () => {
    const [once$, each$] = [new Subject<TrainEvent>(), new Subject<TrainEvent>()]
    const heard = { once: 0, each: 0 }
    once$.subscribe(() => heard.once++)
    each$.subscribe(() => heard.each++)
    const run$ = fit(line, { ...twoPoints, epochs: 1, monitors: [once$, (event) => each$.next(event)] })
    const { length } = await eventsOf(run$)
    await eventsOf(run$)
    expect(heard).toEqual({ once: length, each: 2 * length })
  })

  test.each([
    ['a diagnostic', vanishingGradient()],
    ['several of them', diagnostics(vanishingGradient(), lossSpike())],
  ])('that is an operator, %s, is told that nobody hears what it finds', async (_, operator) => {
    const logged: unknown[] = []
    const log = (_: string, error: unknown): number => logged.push(error)
    // No monitor, which is the point.
    const monitors = [operator as unknown as Monitor]
    await eventsOf(fit(line, { ...twoPoints, epochs: 2, monitors, log }))
    const message = expect.stringContaining(
      'it returned an Observable, which nobody hears; pipe the run through it',
    )
    expect(logged).toEqual([expect.objectContaining({ message })])
  })

  test('hears of completion and of errors', async () => {
    const heard: string[] = []
    const monitor = {
      complete: () => heard.push('complete'),
      error: (error: Error) => heard.push(error.message),
    }
    await eventsOf(fit(line, { ...twoPoints, epochs: 1, monitors: [monitor] }))
    const loss = (): never => {
      throw new Error('no loss')
    }
    await expect(eventsOf(fit(line, { ...twoPoints, loss, epochs: 1, monitors: [monitor] }))).rejects.toThrow(
      'no loss',
    )
    expect(heard).toEqual(['complete', 'fit: step 0 of epoch 0 failed: no loss'])
  })
})

describe('a callback', () => {
  const fail = (): never => {
    throw new Error('oh')
  }
  const failing: readonly [string, Callback['run']][] = [
    ['while it joins', fail],
    ['on an event', (events$) => events$.pipe(concatMap((event) => (event.step === 2 ? fail() : [])))],
    ['at once', () => throwError(() => new Error('oh'))],
  ]
  test.each(failing)('that fails %s ends the run, named', async (_, run) => {
    const before = t.memory().bytes
    const failed = eventsOf(fit(line, { ...long, callbacks: [{ name: 'plotter', run }] }))
    await expect(failed).rejects.toThrow("fit: callback 'plotter' failed: oh")
    await expect(failed).rejects.toMatchObject({ operation: 'fit', cause: { message: 'oh' } })
    expect(t.memory().bytes).toBe(before)
  })

  test('that fails while the run is paused ends it', async () => {
    const commands = new Subject<TrainCommand>()
    const callback: Callback = { name: 'paused', run: () => commands }
    const failed = eventsOf(fit(line, { ...long, callbacks: [callback] }))
    failed.catch(() => {})
    await vi.waitFor(() => expect(commands.observed).toBe(true))
    commands.next({ type: 'pause' })
    await turn()
    commands.error(new Error('lost the line'))
    await expect(failed).rejects.toThrow("fit: callback 'paused' failed: lost the line")
  })

  test('that returns no Observable is told so', async () => {
    const callback: Callback = { name: 'mute', run: (_, info) => Reflect.get(info, 'nothing') }
    await expect(eventsOf(fit(line, { ...long, callbacks: [callback] }))).rejects.toThrow(
      "fit: callback 'mute' failed: run must return an Observable of commands, got undefined; return EMPTY for none",
    )
  })

  test('is let go when the run ends, completes or is unsubscribed', async () => {
    let living = 0
    const callback: Callback = {
      name: 'counter',
      run: () =>
        new Subject<TrainCommand>().pipe(tap({ subscribe: () => living++, finalize: () => living-- })),
    }
    await eventsOf(fit(line, { ...twoPoints, epochs: 1, callbacks: [callback] }))
    // For a turn what it says is heard, which is too late.
    await turn()
    expect(living).toBe(0)
    const subscription = fit(line, { ...long, callbacks: [callback] }).subscribe()
    await vi.waitFor(() => expect(living).toBe(1))
    subscription.unsubscribe()
    expect(living).toBe(0)
  })

  test('keeps values with the run: in its snapshots, and back with them', async () => {
    const counted: number[] = []
    let restored = false
    const callback: Callback = {
      name: 'counter',
      run: (events$, info) => {
        const count = info.keep('count', 0)
        return events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step') return []
            counted.push(++count.value)
            if (event.step === 1 && !restored) return [{ type: 'checkpoint' }]
            if (event.step !== 2 || restored) return []
            restored = true
            return [{ type: 'restore', from: 2 }]
          }),
        )
      },
    }
    const events = await eventsOf(fit(line, { ...twoPoints, steps: 4, callbacks: [callback] }))
    expect(counted).toEqual([1, 2, 3, 3, 4])
    expect(events.at(-1)).toMatchObject({ result: { kept: { 'counter.count': 4 } } })
  })
})
