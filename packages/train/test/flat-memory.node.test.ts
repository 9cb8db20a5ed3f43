import { expect, test } from 'vitest'
import { printedBy } from './child.ts'

interface Looks {
  readonly memory: readonly { tensors: number; bytes: number; peakBytes: number; heapBytes: number }[]
  readonly resident: readonly number[]
}

// Resident memory settles once the engine has compiled everything, after tens of thousands of steps.
const long = import.meta.env['LONG'] === '1'

/** The slope of the least-squares line, in bytes from one look to the next. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  let [above, below] = [0, 0]
  for (const [i, value] of values.entries()) {
    above += (i - middle) * (value - mean)
    below += (i - middle) ** 2
  }
  return above / below
}

test.each([
  ['fold', 10_000],
  ['fit', 100_000],
  ['fit, eagerly', 10_000],
] as const)(
  'the heap holds the same at step 1,000 and at the last one, through %s',
  { timeout: 400_000 },
  async (through, usual) => {
    const steps = long ? 600_000 : usual
    const every = 10_000
    const program = 'flat-memory.program.ts'
    const { memory, resident } = await printedBy<Looks>(program, ['--expose-gc'], through, steps, every)
    expect(memory).toHaveLength(steps / every + 2)
    expect(memory.at(-1)).toEqual(memory[1])
    if (long)
      expect((slope(resident.slice(resident.length / 2)) * 100) / every, 'bytes for 100 steps').toBeLessThan(
        1024,
      )
  },
)
