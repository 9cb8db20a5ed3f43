import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, open, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FileCalls, writeFile } from '../src/node.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tapeflow-write-'))
})
afterEach(() => rm(directory, { recursive: true }))

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
const read = async (name: string): Promise<number[]> => [...(await readFile(join(directory, name)))]

test('a file is made, and replaced, and nothing else is left', async () => {
  const path = join(directory, 'a')
  await writeFile(path, bytes(1, 2, 3))
  expect(await read('a')).toEqual([1, 2, 3])
  await writeFile(path, bytes(4))
  expect(await read('a')).toEqual([4])
  expect(await readdir(directory)).toEqual(['a'])
})

test('bytes reach the disk before the name does, and the name before the promise is kept', async () => {
  const order: string[] = []
  const calls: FileCalls = {
    open: async (where, flags, mode) => {
      const file = await open(where, flags, mode)
      const what = where === directory ? 'directory' : 'file'
      const sync = file.sync.bind(file)
      file.sync = async () => {
        order.push(`sync ${what}`)
        await sync()
      }
      return file
    },
    rename: async (from, to) => {
      order.push('rename')
      await rename(from, to)
    },
  }
  await writeFile(join(directory, 'a'), bytes(1), { calls })
  expect(order).toEqual(['sync file', 'rename', 'sync directory'])
})

test.each(['open', 'write', 'sync', 'rename'])(
  'a failing %s leaves the old file, and no other',
  async (which) => {
    const path = join(directory, 'a')
    await writeFile(path, bytes(1, 2, 3))
    const fail = async (): Promise<never> => {
      throw new Error('no space left on device')
    }
    const calls = {
      open: (async (...given: Parameters<typeof open>) => {
        if (which === 'open') return fail()
        const file = await open(...given)
        if (which === 'write') file.writeFile = fail
        if (which === 'sync') file.sync = fail
        return file
      }) as typeof open,
      rename: which === 'rename' ? fail : rename,
    }
    await expect(writeFile(path, bytes(4), { calls })).rejects.toThrow('no space left on device')
    expect(await read('a')).toEqual([1, 2, 3])
    expect(await readdir(directory)).toEqual(['a'])
  },
)

test('a process that is killed before the rename leaves the old file', async () => {
  const path = join(directory, 'a')
  await writeFile(path, bytes(1, 2, 3))
  const program = `
    import { open } from 'node:fs/promises'
    import { writeFile } from ${JSON.stringify(join(import.meta.dirname, '../src/node.ts'))}
    const rename = () => { console.log('written'); return new Promise(() => {}) }
    setInterval(() => {}, 1000)
    await writeFile(${JSON.stringify(path)}, new Uint8Array(1000), { calls: { open, rename } })`
  const child = spawn(
    process.execPath,
    ['--conditions=@tapeflow/source', '--import', 'tsx', '--input-type=module', '--eval', program],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await read('a')).toEqual([1, 2, 3])
  const left = (await readdir(directory)).filter((name) => name !== 'a')
  expect(left.map((name) => /^\.a\..*\.part$/.test(name))).toEqual([true])
})

test('two writers at once leave one of the two files, whole', async () => {
  const path = join(directory, 'a')
  await Promise.all([1, 2, 3, 4].map((value) => writeFile(path, new Uint8Array(100_000).fill(value))))
  const found = await read('a')
  expect(found.length).toBe(100_000)
  expect(new Set(found).size).toBe(1)
  expect(await readdir(directory)).toEqual(['a'])
})

test('permissions and links stay', async () => {
  const path = join(directory, 'a')
  await writeFile(path, bytes(1))
  await chmod(path, 0o600)
  await symlink('a', join(directory, 'link'))
  await writeFile(join(directory, 'link'), bytes(2))
  expect(await read('a')).toEqual([2])
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  // More than the umask lets a new file have.
  await chmod(path, 0o666)
  await writeFile(path, bytes(2))
  expect((await stat(path)).mode & 0o777).toBe(0o666)
  expect((await readdir(directory)).sort()).toEqual(['a', 'link'])
  await rm(path)
  await writeFile(join(directory, 'link'), bytes(3))
  expect(await read('a')).toEqual([3])
})

// The new file's name was the whole old one and more, which no file system takes.
test('a name may be as long as the file system takes', async () => {
  for (const name of ['a'.repeat(255), '語'.repeat(85)]) {
    await writeFile(join(directory, name), bytes(1, 2))
    expect(await read(name)).toEqual([1, 2])
  }
})

test('what cannot be written is an error', async () => {
  await expect(writeFile(join(directory, 'none', 'a'), bytes(1))).rejects.toMatchObject({ code: 'ENOENT' })
  await expect(writeFile(join(directory, 'a'), 'text' as never)).rejects.toThrow(
    'writeFile: the bytes must be a Uint8Array, got a string; pass what toSafetensors returns',
  )
})
