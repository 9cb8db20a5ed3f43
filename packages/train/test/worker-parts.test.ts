import { RecordingError } from '@tapeflow/autodiff'
import { lastValueFrom, tap } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { fit, StaleSnapshotError } from '../src/index.ts'
import type { Clock } from '../src/pace.ts'
import { credit } from '../src/worker/credit.ts'
import { packing } from '../src/worker/packing.ts'
import { revived, told } from '../src/worker/told-error.ts'
import { parseTravel } from '../src/worker/travel.ts'
import recipe from './worker/recipe.ts'

class Named extends Error {
  override readonly name = 'Named'
}

describe('an error that was told and revived', () => {
  test.each([
    new RangeError('out'),
    new TypeError('kind', { cause: new RangeError('inner', { cause: { code: 3 } }) }),
    new RecordingError('relu', 'was read', 'pass it'),
    new StaleSnapshotError('weights', 'step'),
    Object.assign(new Error('plain'), { operation: 'fit' }),
    new Named('of the module'),
  ])('%s is the same', (error) => {
    const back = revived(structuredClone(told(error)))
    expect(back).toBeInstanceOf(error instanceof Named ? Error : error.constructor)
    for (const field of ['name', 'message', 'stack', 'operation']) {
      expect(Reflect.get(back, field)).toBe(Reflect.get(error, field))
    }
    expect(String(back)).toBe(String(error))
    const causes = (of: unknown): unknown[] =>
      of instanceof Error ? [String(of), ...causes(of.cause)] : of === undefined ? [] : [of]
    expect(causes(back)).toEqual(causes(error))
  })

  test.each([
    ['a text', 'a text'],
    [3, '3 was thrown, which is no error'],
    [undefined, 'undefined was thrown, which is no error'],
  ])('%j becomes one', (thrown, message) => {
    expect(revived(told(thrown)).message).toBe(message)
  })

  test('causes that are their own cause come to an end; one that cannot be cloned is told in words', () => {
    const circular = new Error('round')
    circular.cause = circular
    expect(() => structuredClone(told(circular))).not.toThrow()
    expect(revived(told(new Error('x', { cause: () => 1 }))).cause).toBe('() => 1')
  })
})

test('slices are made while credit lasts, whatever is sent and handled in between', () => {
  const waiting: (() => void)[] = []
  const clock: Clock = { now: () => 0, later: (work) => waiting.push(work), close: () => waiting.splice(0) }
  const turnOfEvents = (): void => waiting.shift()?.()
  const { scheduler, sent, handled } = credit(clock, 2)
  let slices = 0
  const slice = (): void => {
    slices++
    sent()
    scheduler.schedule(slice)
  }
  const scheduled = scheduler.schedule(slice)
  for (let i = 0; i < 9; i++) turnOfEvents()
  expect(slices).toBe(2)
  for (let answered = 1; answered <= 5; answered++) {
    handled()
    for (let i = 0; i < 9; i++) turnOfEvents()
    expect(slices).toBe(2 + answered)
  }
  scheduled.unsubscribe()
  handled()
  for (let i = 0; i < 9; i++) turnOfEvents()
  expect(slices).toBe(7)
})

test.each([
  [['weights'], { weights: true, gradients: false, activations: false }, []],
  [
    ['gradients:layers.*.bias', 'weights:x'],
    { weights: false, gradients: true, activations: false },
    ['gradients'],
  ],
  [
    ['activations:**', 'gradientNorm'],
    { weights: false, gradients: false, activations: true },
    ['gradientNorm', 'activations:**'],
  ],
])('%j means what it says', (names, expected, inside) => {
  const travel = parseTravel(names)
  for (const [what, travels] of Object.entries(expected)) {
    const of = travel[what as 'weights' | 'gradients' | 'activations']
    expect(of?.('layers.0.bias') ?? false).toBe(travels)
  }
  expect(travel.inside).toEqual(inside)
})

test("a batch gives its memory away, and none that is somebody else's", async () => {
  const travel = parseTravel(['weights', 'gradients:**.bias', 'activations', 'checkpoints'])
  const packed = packing(travel)
  const { model, ...rest } = recipe({ epochs: 1, callbacks: ['checkpoints'] })
  const own: unknown[] = []
  const run$ = fit(model, { ...rest, watch: travel.inside })
  await lastValueFrom(
    run$.pipe(
      tap((event) => {
        packed.add(event)
        if (event.type === 'checkpoint') own.push(event.snapshot)
        if (event.type === 'end') own.push(event.result)
      }),
    ),
  )
  const { batch, transfer } = packed.take()
  expect(batch.steps.length).toBeGreaterThan(0)
  const sent = structuredClone(batch, { transfer: [...transfer] })
  expect(batch.steps).toHaveLength(0)
  expect(lengths(batch.shown).every((length) => length === 0)).toBe(true)
  expect(lengths(sent.shown).length).toBe(8 * (4 + 2 + 4))
  expect(lengths(sent.shown)).not.toContain(0)
  // Weights, the momentum of each, and the copies of both that history and callbacks may hold.
  expect(lengths(own).length).toBeGreaterThanOrEqual(16)
  expect(lengths(own)).not.toContain(0)
  expect(packed.size).toBe(0)
})

/** The lengths of all arrays in something. */
function lengths(within: unknown): number[] {
  if (within instanceof Float32Array) return [within.length]
  if (typeof within !== 'object' || within === null) return []
  return Object.values(within).flatMap(lengths)
}
