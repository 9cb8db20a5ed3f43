import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failType, kindOf } from '@tapeflow/autodiff'
import { type FileCalls, writeFile } from '@tapeflow/nn/node'
import type { Files } from '../checkpoint/files.ts'
import { type CheckpointStore, checkpointStore, type StoreOptions } from '../checkpoint/store-of.ts'

/** What `directoryStore` takes beside the path. */
export interface DirectoryStoreOptions extends StoreOptions {
  /** What opens and renames files, for tests: those of `node:fs/promises` by default. */
  readonly calls?: FileCalls
}

/**
 * A store for the checkpoints of a run in a directory. Each is a safetensors file, `000012-step-3400.safetensors`, which Python reads
 * too (see `toCheckpoint`). It is written under another name, brought to the disk (fsync) and renamed: what a crash leaves is as if
 * the last one had not been begun.
 *
 *     const store = directoryStore('runs/first', { keep: 3, best: { monitor: 'validation.loss' } })
 *     fit(model, { ..., callbacks: [checkpointEvery({ epochs: 1 })], store, from: store })
 *
 * begins a run, or goes on with it where it was killed. One that is damaged is passed over for the one before it, of which the
 * run's `log` is told. One of a later format is an error. A disk that is full, or a directory that has gone, are told to `log`:
 * the run goes on, and the next checkpoint is tried again.
 *
 * @param path of the directory; it is made. A run has it for itself
 * @param options.keep how many of the last ones are kept; 3 by default
 * @param options.best the best one is kept beside them: `{ monitor: 'validation.loss', mode: 'min' }`; none by default
 * @throws TypeError for a path that is no string, RangeError for other options; as the error of the run, before its first step,
 * CheckpointError where nothing can be written there
 * @example
 * const { mkdtemp } = await import('node:fs/promises')
 * const x = { shape: [4, 1], values: Float32Array.of(1, 2, 3, 4) }
 * const data = dataset({ x, y: x }).batch(2)
 * const store = directoryStore(await mkdtemp('/tmp/tapeflow-example-'), { best: { monitor: 'epoch.loss' } })
 * const callbacks = [checkpointEvery({ epochs: 1 })]
 * const options = { data, loss: mse(), optimizer: sgd({ learningRate: 0.1 }), callbacks, store, from: store }
 * await result(fit(linear(1, 1), { ...options, epochs: 5 }))
 * const last = (await store.list()).at(-1)
 * last.name.endsWith('-step-10.safetensors') // => true
 * const best = await store.best()
 * best.history.length // => 5
 */
export function directoryStore(path: string, options: DirectoryStoreOptions = {}): CheckpointStore {
  if (typeof path !== 'string' || path === '') {
    failType(
      'directoryStore',
      `the path must be a string that is not empty, got ${kindOf(path)}`,
      "pass directoryStore('runs/first')",
    )
  }
  const { calls = { open, rename }, ...others } = options
  const files: Files = {
    name: path,
    list: () => readdir(path).catch(ifThere([])),
    read: (name) => readFile(join(path, name)).catch(ifThere(null)),
    async write(name, bytes) {
      // It may have gone since.
      await mkdir(path, { recursive: true })
      await writeFile(join(path, name), bytes, { calls })
    },
    delete: (name) => rm(join(path, name), { force: true }),
  }
  const store = checkpointStore('directoryStore', files, others)
  return {
    ...store,
    async open(holder) {
      await store.open(holder)
      const parts = (await readdir(path)).filter((name) => leftover.test(name))
      for (const name of parts) await files.delete(name)
    },
  }
}

/** What `writeFile` was at when a run was killed. */
const leftover = /^\.(\d{6,}-step-\d+\.safetensors|probe)\.[\da-f-]{36}\.part$/

function ifThere<T>(otherwise: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return otherwise
    throw error
  }
}
