import type * as t from '@tapeflow/autodiff'
import { expect, test } from 'vitest'
import { printedBy } from './child.ts'

// What `fit` is judged by: half of the eager run's peak, and 400 bytes of JavaScript heap for a step, event included.

test('a compiled step of the 784-128-64-10 network needs at most half of the memory of an eager one', async () => {
  const [compiled, eager] = await Promise.all(
    ['compiled', 'eager'].map((mode) => printedBy<t.MemoryStatistics>('peak.program.ts', [], mode)),
  )
  expect(compiled!.peakBytes / eager!.peakBytes).toBeLessThanOrEqual(0.5)
  expect([compiled!.bytes, eager!.bytes]).toEqual([0, 0])
})

test('a step of the 2-16-16-1 network makes less than 400 bytes of garbage', async () => {
  // So large that nothing is collected within a window.
  const youngGeneration = ['--min-semi-space-size=256', '--max-semi-space-size=256']
  const { used } = await printedBy<{ used: number[] }>(
    'garbage.program.ts',
    ['--expose-gc', ...youngGeneration],
    20_000,
    10_000,
    7,
  )
  const median = used.toSorted((a, b) => a - b)[3]!
  // Not even the event would be nothing: then it is the measurement that is broken.
  expect(median).toBeGreaterThan(100)
  expect(median).toBeLessThan(400)
})
