import type * as t from '@tapeflow/autodiff'
import { expect, test } from 'vitest'
import { printedBy } from './child.ts'

// What `fit` is judged by: half of the eager run's peak, 400 bytes of JavaScript heap for a step, event included, and not one more for
// those who watch and are throttled.

test('a compiled step of the 784-128-64-10 network needs at most half of the memory of an eager one', async () => {
  const [compiled, eager] = await Promise.all(
    ['compiled', 'eager'].map((mode) => printedBy<t.MemoryStatistics>('peak.program.ts', [], mode)),
  )
  expect(compiled!.peakBytes / eager!.peakBytes).toBeLessThanOrEqual(0.5)
  expect([compiled!.bytes, eager!.bytes]).toEqual([0, 0])
})

/** Bytes of JavaScript heap that a step of the 2-16-16-1 network takes: the median of seven windows. */
async function garbage(owner: 'event' | 'losses', watching: string): Promise<number> {
  // So large that nothing is collected within a window.
  const youngGeneration = ['--min-semi-space-size=256', '--max-semi-space-size=256']
  const { used, shown } = await printedBy<{ used: number[]; shown: number }>(
    'garbage.program.ts',
    ['--expose-gc', ...youngGeneration],
    20_000,
    10_000,
    7,
    owner,
    watching,
  )
  expect(shown > 0).toBe(watching !== 'nobody')
  return used.toSorted((a, b) => a - b)[3]!
}

test('a step of the 2-16-16-1 network makes less than 400 bytes of garbage', async () => {
  const bytes = await garbage('event', 'nobody')
  // Not even the event would be nothing: then it is the measurement that is broken.
  expect(bytes).toBeGreaterThan(100)
  expect(bytes).toBeLessThan(400)
})

// What they show ten times a second is less than a byte a step; a record of the loss of their own would be 120, ten times.
test.each([
  ['event', 'monitors'],
  ['losses', 'throttled monitors'],
  ['losses', 'throttled callbacks'],
] as const)(
  'ten who watch make no garbage at a step, beside an owner that reads %s: %s',
  async (owner, watching) => {
    const [alone, watched] = [await garbage(owner, 'nobody'), await garbage(owner, watching)]
    expect(alone).toBeGreaterThan(100)
    // Less than five for each: what the engine has compiled when makes a number more or less.
    expect(watched - alone).toBeLessThan(48)
  },
)
