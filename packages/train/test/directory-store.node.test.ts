import { mkdtemp, open, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspectSafetensors } from '@tapeflow/nn'
import { tap } from 'rxjs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkpointEvery, type FitOptions, fit, result, type TrainEvent } from '../src/index.ts'
import { type DirectoryStoreOptions, directoryStore } from '../src/node.ts'
import { runAt } from './memory-files.ts'
import { eventsOf, line, timeless, twoPoints } from './small.ts'

type Calls = NonNullable<DirectoryStoreOptions['calls']>

let around: string
let path: string
beforeEach(async () => {
  around = await mkdtemp(join(tmpdir(), 'tapeflow-store-'))
  path = join(around, 'runs', 'first')
})
afterEach(() => rm(around, { recursive: true }))

const options: FitOptions = {
  ...twoPoints,
  epochs: 6,
  callbacks: [checkpointEvery({ steps: 1 })],
  pace: { budget: 0, rest: 1 },
}

/** What was told to a log. */
function noted(): { log: NonNullable<FitOptions['log']>; readonly told: string[] } {
  const told: string[] = []
  return { told, log: (message, error) => told.push(`${message} | ${String(error)}`) }
}

test('the directory is made, and has whole files of the last checkpoints alone', async () => {
  const store = directoryStore(path)
  const { told, log } = noted()
  const end = (await eventsOf(fit(line, { ...options, store, log }))).at(-1)!
  const names = await readdir(path)
  expect(names.length).toBeLessThanOrEqual(3)
  for (const name of names) expect(name).toMatch(/^\d{6}-step-\d+\.safetensors$/)
  expect(inspectSafetensors(await readFile(join(path, names.sort().at(-1)!))).metadata['format']).toBe(
    'tapeflow run',
  )
  if (end.type !== 'end') throw new Error(end.type)
  expect(timeless((await store.latest())!)).toEqual(timeless(end.result))
  expect(told).toEqual([])
})

test('bytes reach the disk before the name does, and the name before older ones are let go', async () => {
  const done: string[] = []
  const calls: Calls = {
    open: async (where, flags, mode) => {
      const file = await open(where, flags, mode)
      const sync = file.sync.bind(file)
      file.sync = async () => {
        await sync()
        const names = await readdir(path)
        const numbers = names
          .filter((name) => name.endsWith('.safetensors'))
          .map((name) => Number(name.slice(0, 6)))
        done.push(`sync ${where === path ? 'directory' : 'file'}: ${numbers.sort((a, b) => a - b)}`)
      }
      return file
    },
    rename,
  }
  const store = directoryStore(path, { keep: 1, calls })
  await store.save(runAt(1))
  await store.save(runAt(2))
  expect(done).toEqual(['sync file: ', 'sync directory: 1', 'sync file: 1', 'sync directory: 1,2'])
  expect(await readdir(path)).toEqual(['000002-step-2.safetensors'])
})

/** Calls of which one fails from some moment on, as on a disk that is full. */
function failing(
  which: 'open' | 'write' | 'sync' | 'rename',
  code: string,
): { calls: Calls; fails: boolean } {
  const state = { calls: { open, rename } as Calls, fails: false }
  const fail = async (): Promise<never> => {
    throw Object.assign(new Error(`${code}: ${which}`), { code })
  }
  state.calls = {
    open: async (where, flags, mode) => {
      if (state.fails && which === 'open') return fail()
      const file = await open(where, flags, mode)
      if (!state.fails || flags === 'r') return file
      if (which === 'sync') file.sync = fail
      if (which === 'write') {
        // Some of it has got there.
        file.writeFile = async (data) => {
          await file.write((data as Uint8Array).subarray(0, 100))
          return fail()
        }
      }
      return file
    },
    rename: (from, to) => (state.fails && which === 'rename' ? fail() : rename(from, to)),
  }
  return state
}

describe.each<[Parameters<typeof failing>[0], string]>([
  ['open', 'EROFS'],
  ['open', 'EMFILE'],
  ['write', 'ENOSPC'],
  ['write', 'EIO'],
  ['sync', 'EIO'],
  ['rename', 'ENOSPC'],
])('where %s fails with %s', (which, code) => {
  test('the checkpoints before are as they were, and nothing else is left', async () => {
    const disk = failing(which, code)
    const store = directoryStore(path, { calls: disk.calls, keep: 1 })
    await store.open()
    await store.save(runAt(1))
    disk.fails = true
    for (const step of [2, 3]) await expect(store.save(runAt(step))).rejects.toThrow(`${code}: ${which}`)
    expect(await readdir(path)).toEqual(['000001-step-1.safetensors'])
    expect(await store.latest()).toStrictEqual(runAt(1))
    disk.fails = false
    await store.save(runAt(4))
    expect(await readdir(path)).toEqual(['000002-step-4.safetensors'])
  })

  test('the run goes on, and its log is told', async () => {
    const disk = failing(which, code)
    const { told, log } = noted()
    const run$ = fit(line, { ...options, store: directoryStore(path, { calls: disk.calls }), log })
    const { params } = await result(
      run$.pipe(
        tap(({ type }) => {
          if (type === 'start') disk.fails = true
        }),
      ),
    )
    expect(params).toEqual((await result(fit(line, options))).params)
    expect(told.length).toBeGreaterThan(0)
    for (const said of told) {
      expect(said).toMatch(/^fit: the checkpoint of step \d+ could not be written to \/.*first \| Error: /)
      expect(said).toContain(`${code}: ${which}`)
    }
    expect(await readdir(path)).toEqual([])
  })

  test('a run that would begin there is refused', async () => {
    const disk = failing(which, code)
    disk.fails = true
    const events: TrainEvent[] = []
    const run$ = fit(line, { ...options, store: directoryStore(path, { calls: disk.calls }) })
    const error = await new Promise((resolve) => {
      run$.subscribe({ next: (event) => events.push(event), error: resolve })
    })
    expect(error).toMatchObject({
      name: 'CheckpointError',
      problem: 'unwritable',
      message: `directoryStore: nothing can be written to ${path}: ${code}: ${which}; choose another place`,
    })
    expect(events).toEqual([])
  })
})

test('a directory that cannot be made is an error before the first step', async () => {
  await writeFile(join(around, 'file'), 'x')
  const run$ = fit(line, { ...options, store: directoryStore(join(around, 'file', 'runs')) })
  await expect(result(run$)).rejects.toThrow(
    /^directoryStore: nothing can be written to \/.*runs: (ENOTDIR|EEXIST): .*; choose another place$/,
  )
})

test('a directory that is removed meanwhile is made anew for the next checkpoint', async () => {
  const store = directoryStore(path)
  await store.open()
  await store.save(runAt(1))
  await rm(path, { recursive: true })
  expect(await store.latest()).toBeNull()
  await store.save(runAt(2))
  expect(await readdir(path)).toEqual(['000002-step-2.safetensors'])
})

test('what a killed run was writing is cleaned up by the next; files of others stay', async () => {
  const store = directoryStore(path)
  await store.save(runAt(1))
  const own = [
    '.000002-step-9.safetensors.0b1c5a72-93d0-4a0e-8f6e-2d7f6e1c9a11.part',
    '.probe.0b1c5a72-93d0-4a0e-8f6e-2d7f6e1c9a11.part',
  ]
  const others = ['.weights.safetensors.0b1c5a72-93d0-4a0e-8f6e-2d7f6e1c9a11.part', 'notes.txt', '.part']
  for (const name of [...own, ...others]) await writeFile(join(path, name), 'x')
  await store.open()
  expect((await readdir(path)).sort()).toEqual([...others, '000001-step-1.safetensors'].sort())
})

test('the newest that was cut is passed over, and a run goes on from the one before as it would have', async () => {
  const store = directoryStore(path, { keep: 20 })
  const straight = await eventsOf(fit(line, { ...options, store }))
  const files = await store.list()
  expect(files.length).toBeGreaterThan(1)
  const last = files.at(-1)!.name
  await truncate(join(path, last), 700)
  const { told, log } = noted()
  const again = await eventsOf(fit(line, { ...options, store, from: store, log }))
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(
    new RegExp(
      `^directoryStore: ${last} in .* cannot be read, and is passed over \\| CheckpointError: directoryStore: .*, ${last}: the file of 700 bytes has the checksum`,
    ),
  )
  const [a, b] = [straight.at(-1)!, again.at(-1)!]
  if (a.type !== 'end' || b.type !== 'end') throw new Error('no end')
  expect(timeless(b.result)).toEqual(timeless(a.result))
})

test.each<[unknown, string]>([
  [
    '',
    "directoryStore: the path must be a string that is not empty, got a string; pass directoryStore('runs/first')",
  ],
  [
    undefined,
    "directoryStore: the path must be a string that is not empty, got undefined; pass directoryStore('runs/first')",
  ],
])('a path that is none is refused: %s', (wrong, message) => {
  expect(() => directoryStore(wrong as never)).toThrow(
    expect.objectContaining({ name: 'TypeError', message }),
  )
})

test('files tell the version of the package', async () => {
  const manifest = JSON.parse(await readFile(join(import.meta.dirname, '../package.json'), 'utf8')) as {
    version: string
  }
  const store = directoryStore(path)
  await store.save(runAt(1))
  const { metadata } = inspectSafetensors(await readFile(join(path, '000001-step-1.safetensors')))
  expect(metadata['library']).toBe(manifest.version)
})
