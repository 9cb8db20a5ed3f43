import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import type { MemoryStatistics } from '../src/memory.ts'

type Looks = Readonly<
  Record<string, readonly [before: MemoryStatistics, meanwhile: MemoryStatistics, after: MemoryStatistics]>
>

test('what is dropped without being disposed of is given back by the garbage collector', async () => {
  const program = fileURLToPath(new URL('compile-collection.program.ts', import.meta.url))
  const flags = ['--expose-gc', '--conditions=@tapeflow/source', '--import', 'tsx']
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program])
  const { looks } = JSON.parse(stdout) as { readonly looks: Looks }
  expect(Object.keys(looks)).toHaveLength(6)
  for (const [name, [before, meanwhile, after]] of Object.entries(looks)) {
    expect(meanwhile.bytes, name).toBeGreaterThan(before.bytes)
    expect({ tensors: after.tensors, bytes: after.bytes }, name).toEqual({
      tensors: before.tensors,
      bytes: before.bytes,
    })
  }
})
