import * as t from '@tapeflow/autodiff'
import { regularize } from '@tapeflow/nn'
import { concatMap, of, Subject, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  type Callback,
  checkpointEvery,
  type FitOptions,
  fit,
  keepBest,
  type RunSnapshot,
  result,
  type TrainCommand,
  type TrainEvent,
  targetReached,
  terminateOnNaN,
  timeLimit,
} from '../src/index.ts'
import { eventsOf, framewise, line, points, scripted, twoPoints, virtually } from './small.ts'

const isWeight = (path: string): boolean => path.endsWith('weight')
const commandsOf = concatMap((event: TrainEvent): TrainCommand[] =>
  event.type === 'command' ? [event.command] : [],
)

describe('targetReached', () => {
  test('stops at the first measurement that is as good as the target', () => {
    virtually((scheduler, { expectObservable }) => {
      const callbacks = [targetReached({ monitor: 'epoch.loss', target: 2 })]
      const run$ = scripted([4, 3, 2, 1], { callbacks, ...framewise(scheduler) })
      expectObservable(run$.pipe(commandsOf)).toBe('7ms s-|', {
        s: { type: 'stop', reason: 'epoch.loss has reached 2: it is 2' },
      })
    })
  })

  test('takes more for better with mode max, and never NaN', async () => {
    const callbacks = [targetReached({ monitor: 'epoch.loss', mode: 'max', target: 2 })]
    const { reason, history } = await result(scripted([1, Number.NaN, 3, 4], { callbacks }))
    expect([reason, history.length]).toEqual(['epoch.loss has reached 2: it is 3', 3])
  })

  test('ends a real run', async () => {
    const callbacks = [targetReached({ target: 0.01 })]
    const { reason, history } = await result(
      fit(line, { ...twoPoints, validation: twoPoints.data, epochs: 1000, callbacks }),
    )
    expect(reason).toMatch('validation.loss has reached 0.01: it is 0.00')
    expect(history.slice(0, -1).every(({ validation }) => validation!.loss > 0.01)).toBe(true)
  })

  test('wants a finite target', () => {
    expect(() => targetReached({ target: Number.NaN })).toThrow(
      'targetReached: target must be a finite number, got NaN',
    )
  })
})

describe('timeLimit', () => {
  const callbacks = [timeLimit({ seconds: 0.01 })]

  test('stops after the step, epoch or validation at which time is up', () => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = fit(line, { ...twoPoints, steps: 50, callbacks, ...framewise(scheduler) })
      // The first step comes in frame 2; the stopwatch starts in frame 1.
      expectObservable(run$.pipe(commandsOf)).toBe('11ms s-|', {
        s: { type: 'stop', reason: 'trained for 0.01 seconds' },
      })
    })
  })

  test('leaves pauses out', () => {
    virtually((scheduler, { cold, expectObservable }) => {
      const commands = cold<TrainCommand>('5ms p 100ms r', { p: { type: 'pause' }, r: { type: 'resume' } })
      const run$ = fit(line, { ...twoPoints, steps: 50, callbacks, commands, ...framewise(scheduler) })
      const stops$ = run$.pipe(
        commandsOf,
        concatMap(({ type }) => (type === 'stop' ? [type] : [])),
      )
      expectObservable(stops$).toBe('113ms s-|', { s: 'stop' })
    })
  })

  test('gives no time back to a run that goes back', () => {
    let from: RunSnapshot | undefined
    const back: Callback = {
      name: 'back',
      run: (events$) =>
        events$.pipe(
          concatMap((event): TrainCommand[] => {
            if (event.type !== 'step') return []
            if (event.step === 1) from ??= event.snapshot()
            if (event.step !== 4 || from === undefined) return []
            return [{ type: 'restore', from }]
          }),
        ),
    }
    virtually((scheduler, { expectObservable }) => {
      const all = [back, ...callbacks]
      const run$ = fit(line, { ...twoPoints, steps: 50, callbacks: all, ...framewise(scheduler) })
      const stops$ = run$.pipe(
        commandsOf,
        concatMap(({ type }) => (type === 'stop' ? [type] : [])),
      )
      expectObservable(stops$).toBe('11ms s-|', { s: 'stop' })
    })
  })

  test('counts what a resumed run has used', () => {
    let from: RunSnapshot | undefined
    const steps = (more: Partial<FitOptions>): number => {
      let made = 0
      virtually((scheduler) => {
        fit(line, { ...twoPoints, steps: 50, callbacks, ...framewise(scheduler), ...more })
          .pipe(
            tap((event) => {
              if (event.type !== 'step') return
              made++
              if (event.step === 3) from ??= event.snapshot()
            }),
          )
          .subscribe()
      })
      return made
    }
    const straight = steps({})
    const rest = steps({ commands: of({ type: 'restore', from: from! }) })
    expect(rest).toBeGreaterThan(0)
    expect(rest).toBeLessThan(straight - 2)
  })

  test('wants seconds', () => {
    expect(() => timeLimit({ seconds: 0 })).toThrow(
      'timeLimit: seconds must be a finite number above 0, got 0',
    )
  })
})

describe('terminateOnNaN', () => {
  const where = (step: number): string =>
    `at step ${step} (batch 0 of epoch ${step}); t.debug on model and loss with that batch names the operation, see docs/debugging.md`

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('stops at a loss of %s, and says where', (wrong) => {
    virtually((scheduler, { expectObservable }) => {
      const run$ = scripted([4, wrong, 2], { callbacks: [terminateOnNaN()], ...framewise(scheduler) })
      expectObservable(run$.pipe(commandsOf)).toBe('4ms s-|', {
        s: { type: 'stop', reason: `loss is ${wrong} ${where(1)}` },
      })
    })
  })

  test('restores nothing: that is for keepBest beside it', async () => {
    const data = {
      length: 1,
      iterate: (epoch = 0) =>
        points([1, epoch < 2 ? 2 : Number.NaN])
          .batch(1)
          .iterate(0),
    }
    const options = { ...twoPoints, data, epochs: 4 }
    const spoilt = await result(fit(line, { ...options, callbacks: [terminateOnNaN()] }))
    expect(spoilt.reason).toBe(`loss is NaN ${where(2)}`)
    expect(spoilt.params.weight.values).toEqual(Float32Array.of(Number.NaN))
    const callbacks = [terminateOnNaN(), keepBest({ monitor: 'epoch.loss' })]
    const saved = await result(fit(line, { ...options, callbacks }))
    expect(saved.reason).toBe(spoilt.reason)
    expect(saved.params.weight.values[0]).toBeGreaterThan(0)
  })

  test('looks at the norm of the gradients where it is asked to', async () => {
    // The loss is 1e10; the gradient is -2e30, whose square is none of float32.
    const options = { ...twoPoints, data: points([1e25, 1e5]).batch(1), epochs: 2 }
    const start: FitOptions = { ...options, watch: ['gradientNorm'] }
    const watched = await result(fit(line, { ...start, callbacks: [terminateOnNaN({ gradientNorm: true })] }))
    expect(watched.reason).toBe(`gradientNorm is Infinity ${where(0)}`)
    const other = await result(fit(line, { ...start, callbacks: [terminateOnNaN()] }))
    expect(other.reason).not.toMatch('step 0')
    const unwatched = fit(line, { ...options, callbacks: [terminateOnNaN({ gradientNorm: true })] })
    await expect(result(unwatched)).rejects.toThrow("pass watch: ['gradientNorm'] to fit")
    expect(() => terminateOnNaN({ gradientNorm: 'yes' as never })).toThrow(
      'terminateOnNaN: gradientNorm must be true or false, got a string',
    )
  })

  test('looks at the penalty', async () => {
    const regularizers = regularize([{ at: isWeight, penalty: (x) => t.mul(t.sum(x), Number.NaN) }])
    const options = { ...twoPoints, regularizers, epochs: 1, callbacks: [terminateOnNaN()] }
    expect((await result(fit(line, options))).reason).toBe(`penalty is NaN ${where(0)}`)
  })
})

describe('checkpointEvery', () => {
  test('asks for one after so many steps', () => {
    virtually((scheduler, { expectObservable }) => {
      const callbacks = [checkpointEvery({ steps: 2 })]
      const run$ = fit(line, { ...twoPoints, steps: 5, callbacks, ...framewise(scheduler) })
      const steps$ = run$.pipe(
        concatMap((event) => (event.type === 'checkpoint' ? [[event.step, event.snapshot.step]] : [])),
      )
      expectObservable(steps$).toBe('---a--b----|', { a: [2, 2], b: [4, 4] })
    })
  })

  test('asks after so many epochs, when they have been validated', async () => {
    const told = async (more: Partial<FitOptions>): Promise<string> => {
      const callbacks = [checkpointEvery({ epochs: 2 })]
      const events = await eventsOf(fit(line, { ...twoPoints, epochs: 5, callbacks, ...more }))
      return events.map(({ type }) => type[0]).join('')
    }
    expect(await told({})).toBe('sssessecc' + 'ssessecc' + 'ssefe')
    expect(await told({ validation: twoPoints.data })).toBe('sssevssevcc' + 'ssevssevcc' + 'ssevfe')
  })

  test('leaves checkpoints that a run can go back to', async () => {
    const commands = new Subject<TrainCommand>()
    let once = true
    const events = await eventsOf(
      fit(line, { ...twoPoints, steps: 6, callbacks: [checkpointEvery({ steps: 2 })], commands }).pipe(
        tap((event) => {
          if (event.type !== 'step' || event.step !== 4 || !once) return
          once = false
          commands.next({ type: 'restore', from: 2 })
        }),
      ),
    )
    const steps = events.flatMap((event) => (event.type === 'step' ? [event.step] : []))
    expect(steps).toEqual([0, 1, 2, 3, 4, 2, 3, 4, 5])
  })

  test.each<[string, object]>([
    ['checkpointEvery: steps or epochs must be given, got neither; pass epochs: 1', {}],
    ['checkpointEvery: steps or epochs must be given, got both; pass epochs: 1', { steps: 1, epochs: 1 }],
    ['checkpointEvery: steps must be an integer from 1 on, got 0', { steps: 0 }],
    ['checkpointEvery: epochs must be an integer from 1 on, got 1.5', { epochs: 1.5 }],
  ])('%s', (message, options) => {
    expect(() => Reflect.apply(checkpointEvery, undefined, [options])).toThrow(
      expect.objectContaining({ message }),
    )
  })
})
