import { expect, test } from 'vitest'
import { printedBy } from './child.ts'

test('a stream that is a hundred times faster than training takes no memory: 800 MB of batches go by', async () => {
  const program = 'live-memory.program.ts'
  const { looks, dropped } = await printedBy<{ looks: number[]; dropped: number }>(
    program,
    ['--expose-gc'],
    2000,
    250,
  )
  expect(looks).toHaveLength(8)
  // 64 of them wait, of 4 kB each.
  expect(Math.max(...looks) - Math.min(...looks)).toBeLessThan(64 * 4096)
  expect(dropped).toBeGreaterThan(2000 * 100 - 2000 - 100)
})
