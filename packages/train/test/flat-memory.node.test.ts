import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Looks {
  readonly memory: readonly { tensors: number; bytes: number; peakBytes: number; heapBytes: number }[]
  readonly resident: readonly number[]
}

// Resident memory settles once the engine has compiled everything, after tens of thousands of steps.
const long = import.meta.env['LONG'] === '1'
const steps = long ? 600_000 : 10_000
const every = long ? 10_000 : 1000

function run(through: 'fold' | 'fit'): Promise<Looks> {
  const program = fileURLToPath(new URL('flat-memory.program.ts', import.meta.url))
  const flags = ['--expose-gc', '--conditions=@tapeflow/source', '--import', 'tsx']
  const child = spawn(process.execPath, [...flags, program, through, String(steps), String(every)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.on('data', (chunk) => {
    out += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status) =>
      status === 0 ? resolve(JSON.parse(out) as Looks) : reject(new Error(`status ${status}`)),
    )
  })
}

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

test.each(['fold', 'fit'] as const)(
  `the heap holds the same at step ${every.toLocaleString('en')} and at step ${steps.toLocaleString('en')}, through %s`,
  { timeout: 400_000 },
  async (through) => {
    const { memory, resident } = await run(through)
    expect(memory.at(-1)).toEqual(memory[1])
    if (long)
      expect((slope(resident.slice(resident.length / 2)) * 100) / every, 'bytes for 100 steps').toBeLessThan(
        1024,
      )
  },
)
