import { expect, test } from 'vitest'
import { printedBy } from './child.ts'

interface Looks {
  readonly memory: readonly { tensors: number; bytes: number; peakBytes: number; heapBytes: number }[]
  readonly resident: readonly number[]
  /** Bytes of JavaScript heap. */
  readonly used: readonly number[]
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

// The record that an epoch leaves in the history of its run: all that grows.
const record = 200

test.each([
  ['fold', 10_000, 0],
  ['fit', 100_000, 0],
  ['fit, eagerly', 10_000, 0],
  ['fit, in epochs', 100_000, 10],
] as const)(
  'the heap holds the same at step 1,000 and at the last one, through %s',
  { timeout: long ? 900_000 : 400_000 },
  async (through, usual, epochs) => {
    const steps = long ? 1_000_000 : usual
    const every = 10_000
    const program = 'flat-memory.program.ts'
    const { memory, resident, used } = await printedBy<Looks>(program, ['--expose-gc'], through, steps, every)
    expect(memory).toHaveLength(steps / every + 2)
    expect(memory.at(-1)).toEqual(memory[1])
    const growth = (bytes: readonly number[]): number => (slope(bytes.slice(bytes.length / 2)) * 100) / every
    if (usual < 100_000 && !long) return
    expect(growth(used), 'bytes of JavaScript heap for 100 steps').toBeLessThan(64 + epochs * record)
    if (epochs > 0) expect(growth(used), 'bytes of history for 100 steps').toBeGreaterThan(epochs * 50)
    if (long) expect(growth(resident), 'bytes for 100 steps').toBeLessThan(1024 + epochs * record)
  },
)
