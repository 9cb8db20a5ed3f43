import * as t from '@tapeflow/autodiff'
import { expect, expectTypeOf, test } from 'vitest'

interface Ramp {
  readonly from?: number
  readonly to?: number
}

test('options come back as they are', () => {
  const given: Ramp = { from: 1 }
  expect(t.knownOptions('ramp', given, 'from to')).toBe(given)
  expectTypeOf(t.knownOptions('ramp', given, 'to from')).toEqualTypeOf<Ramp>()
})

test.each([
  [{ until: 2 }, RangeError, "ramp: unknown option 'until'; use from, to"],
  [{ from: 1, 'from to': 2 }, RangeError, "ramp: unknown option 'from to'; use from, to"],
  [null, TypeError, 'ramp: options must be an object, got null; write { from: … }'],
  [3, TypeError, 'ramp: options must be an object, got 3; write { from: … }'],
  [[1], TypeError, 'ramp: options must be an object, got an array; write { from: … }'],
  [t.tensor(1), TypeError, 'ramp: options must be an object, got a Tensor; write { from: … } or ramp()'],
  [t.key(1), TypeError, 'ramp: options must be an object, got a Key; write { from: … } or ramp()'],
])('row %# is refused', (given, kind, message) => {
  const error = Object.assign(new kind(message), { operation: 'ramp' })
  expect(() => t.knownOptions('ramp', given as Ramp, 'from to')).toThrow(error)
})

test('a list that lacks a name or has one too many does not compile', () => {
  const given: Ramp = {}
  // @ts-expect-error to is missing
  t.knownOptions('ramp', given, 'from')
  // @ts-expect-error there is no step
  t.knownOptions('ramp', given, 'from to step')
  // @ts-expect-error names have one blank between them
  t.knownOptions('ramp', given, 'from, to')
})
