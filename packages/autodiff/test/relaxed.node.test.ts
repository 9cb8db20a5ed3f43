import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { describe, expect, it } from 'vitest'
import { describeRelaxed } from './relaxed-mode.ts'

// Later ones have it without a flag.
const isNode20 = process.versions.node.startsWith('20.')
const flag = '--experimental-wasm-relaxed-simd'

const flags = isNode20 ? [flag] : []

interface Printed {
  readonly hasRelaxedSimd: boolean
  readonly found: readonly [relaxed: number, strict: number] | string
}

async function printed(...flags: readonly string[]): Promise<Printed> {
  const program = fileURLToPath(new URL('relaxed.program.ts', import.meta.url))
  const all = [...flags, '--conditions=@tapeflow/source', '--import', 'tsx', program]
  const { stdout } = await promisify(execFile)(process.execPath, all)
  return JSON.parse(stdout) as Printed
}

describe('a process of its own', () => {
  it('has the mode with the flag, and there the same bits at every run, which are not the strict ones', async () => {
    const [one, other] = await Promise.all([printed(...flags), printed(...flags)])
    expect(one.hasRelaxedSimd).toBe(true)
    expect(other).toEqual(one)
    expect(one.found[0]).not.toBe(one.found[1])
  })

  it('is refused in so many words without the flag, in Node 20', async () => {
    const { hasRelaxedSimd, found } = await printed()
    expect(hasRelaxedSimd).toBe(!isNode20)
    if (!isNode20) return
    expect(found).toBe(
      'RangeError: relaxed: this engine has no relaxed SIMD; in Node 20 start it with --experimental-wasm-relaxed-simd, or leave numerics out',
    )
  })
})

// The flag is heard while a process runs, too: what holds of the mode is told apart here.
if (isNode20) setFlagsFromString(flag)
describeRelaxed()
