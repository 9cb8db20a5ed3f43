import * as t from '@tapeflow/autodiff'
import {
  asapScheduler,
  asyncScheduler,
  auditTime,
  bufferTime,
  debounceTime,
  delay,
  filter,
  map,
  type Observable,
  type OperatorFunction,
  observeOn,
  sampleTime,
  shareReplay,
  tap,
  throttleTime,
} from 'rxjs'
import { describe, expect, test } from 'vitest'
import {
  fit,
  gradients,
  type LossRecord,
  losses,
  StaleSnapshotError,
  type StepEvent,
  type TensorRecord,
  type TrainEvent,
  weights,
} from '../src/index.ts'
import { framewise, line, modes, points, twoPoints, virtually } from './small.ts'

type Rec = LossRecord | TensorRecord

// Start in frame 1, steps 0 to 7 in frames 2 to 9, epoch, finishing, end in frame 12.
const pairs = Array.from({ length: 8 }, (_, i) => [1 + i / 8, 2 + (i % 5)] as const)
const options = { ...twoPoints, data: points(...pairs).batch(1), epochs: 1, watch: ['gradients'] as const }

/** What is late, and in which frames of virtual time which steps come out of it. */
interface Late {
  readonly name: string
  readonly late: <T>(values$: Observable<T>) => Observable<T | readonly T[]>
  readonly marbles: string
  /** Where somebody subscribes; at once by default. */
  readonly subscription?: string
  /** Whether events pass it while they are handled. */
  readonly atOnce?: boolean
}
const lates: readonly Late[] = [
  { name: 'throttleTime(3)', late: throttleTime(3), marbles: '--0--3--6---|', atOnce: true },
  {
    name: 'throttleTime(3), trailing',
    late: throttleTime(3, undefined, { leading: false, trailing: true }),
    marbles: '-----2--5--7|',
  },
  { name: 'auditTime(3)', late: auditTime(3), marbles: '-----2--5--7|' },
  { name: 'debounceTime(2)', late: debounceTime(2), marbles: '-----------7|' },
  { name: 'sampleTime(4)', late: sampleTime(4), marbles: '----1---5---(7|)' },
  { name: 'bufferTime(3)', late: bufferTime(3), marbles: '---0--a--b--(7e|)' },
  { name: 'delay(20)', late: delay(20), marbles: '----------------------0123456(7|)' },
  { name: 'observeOn(asyncScheduler)', late: observeOn(asyncScheduler), marbles: '--01234567--|' },
  { name: 'observeOn(asyncScheduler, 5)', late: observeOn(asyncScheduler, 5), marbles: '-------01234567--|' },
  { name: 'observeOn(asapScheduler)', late: observeOn(asapScheduler), marbles: '--01234567--|' },
  {
    name: 'shareReplay(), for one who comes after the end',
    late: shareReplay(),
    marbles: '----------------(01234567|)',
    subscription: '----------------^',
  },
]
const shown = { ...Object.fromEntries(pairs.map((_, i) => [i, String(i)])), a: '123', b: '456', e: '' }
const stepsOf = map((records: Rec | readonly Rec[]) =>
  [records]
    .flat()
    .map(({ step }) => step)
    .join(''),
)

const looks: readonly [
  name: string,
  operator: OperatorFunction<TrainEvent, Rec>,
  look: (event: StepEvent) => unknown,
][] = [
  [
    'losses()',
    losses(),
    ({ step, epoch, batch, loss, runningLoss, learningRate }) => ({
      step,
      epoch,
      batch,
      loss,
      runningLoss,
      learningRate,
    }),
  ],
  [
    "gradients('weight')",
    gradients('weight'),
    (event) => record(event, 'weight', untouched(event.gradients.tree)['weight']),
  ],
  ['gradients()', gradients(), (event) => record(event, '', untouched(event.gradients.tree))],
  [
    "weights('bias')",
    weights('bias'),
    (event) => record(event, 'bias', untouched(event.weights.tree)['bias']),
  ],
  ['weights()', weights(), (event) => record(event, '', untouched(event.weights.tree))],
]
const record = ({ step, epoch }: StepEvent, path: string, value: unknown) => ({ step, epoch, path, value })
/** A copy made otherwise than by snapshots. */
function untouched(tree: unknown): Record<string, unknown> {
  const copies: Record<string, unknown> = {}
  t.visitLeaves(tree, (leaf, path) => {
    if (leaf instanceof t.Tensor)
      copies[path] = { shape: [...leaf.shape], values: Float32Array.from(leaf.toFloat32Array()) }
  })
  return copies
}

describe.each(modes)('what comes late is what was shown then, %s:', (_, mode) => {
  describe.each(looks)('%s', (_name, operator, look) => {
    test.each(lates)('before $name', ({ late, marbles, subscription }) => {
      const before = t.memory()
      const then: unknown[] = []
      const came: Rec[] = []
      virtually((scheduler, { expectObservable }) => {
        const run$: Observable<TrainEvent> = fit(line, { ...options, ...mode, ...framewise(scheduler) })
        const records$ = run$.pipe(
          tap((event) => {
            if (event.type === 'step') then.push(look(event))
          }),
          operator,
          late,
        )
        if (subscription !== undefined) records$.subscribe()
        const watched$ = records$.pipe(tap((some) => came.push(...[some].flat())))
        expectObservable(watched$.pipe(stepsOf), subscription).toBe(marbles, shown)
      })
      expect(came).toEqual(came.map(({ step }) => then[step]))
      expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
      // No two steps showed the same: what is of another step is seen.
      expect(new Set(then.map((one) => JSON.stringify(Object.values(one as object).slice(2)))).size).toBe(8)
    })
  })

  // What is looked at late without a copy is an error, not another step's numbers: else the tests above could not fail.
  test.each(lates)('the event itself, before $name', ({ late, marbles, subscription, atOnce = false }) => {
    const before = t.memory()
    virtually((scheduler, { expectObservable }) => {
      const run$: Observable<TrainEvent> = fit(line, { ...options, ...mode, ...framewise(scheduler) })
      const events$ = run$.pipe(
        filter((event) => event.type === 'step'),
        late,
      )
      if (subscription !== undefined) events$.subscribe()
      const read$ = events$.pipe(
        map((some) => {
          const [first] = [some].flat()
          first?.weights.snapshot()
          return String(first?.step)
        }),
      )
      const [first] = marbles.match(/\d/)!
      const stale = new StaleSnapshotError('weights', `step event at step ${first}`)
      const wanted = atOnce ? marbles : marbles.replace(/[^-].*/, '#')
      expectObservable(read$, subscription).toBe(wanted, undefined, stale)
    })
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})
