import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

interface Looks {
  readonly memory: readonly { tensors: number; bytes: number; peakBytes: number; heapBytes: number }[]
  readonly resident: readonly number[]
}

// Resident memory settles once the engine has compiled everything, after tens of thousands of steps.
const long = import.meta.env['LONG'] === '1'
const steps = long ? 300_000 : 10_000

function run(through: 'fold' | 'fit'): Promise<Looks> {
  const program = fileURLToPath(new URL('flat-memory.program.ts', import.meta.url))
  const flags = ['--expose-gc', '--conditions=@tapeflow/source', '--import', 'tsx']
  const child = spawn(process.execPath, [...flags, program, through, String(steps)], {
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

/** The slope of the least-squares line, in bytes from one look to the next: 1,000 steps. */
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
  `the heap holds the same at step 1,000 and at step ${steps.toLocaleString('en')}, through %s`,
  { timeout: 400_000 },
  async (through) => {
    const { memory, resident } = await run(through)
    expect(memory.at(-1)).toEqual(memory[1])
    if (long)
      expect(slope(resident.slice(resident.length / 2)) / 10, 'bytes for 100 steps').toBeLessThan(1024)
  },
)
