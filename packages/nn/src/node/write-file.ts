import { randomUUID } from 'node:crypto'
import { chmod, open, readlink, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { failType, kindOf, knownOptions } from '@tapeflow/autodiff'

/** A file that is open: a `FileHandle` of Node. */
export interface OpenFile {
  writeFile(bytes: Uint8Array): Promise<void>
  sync(): Promise<void>
  close(): Promise<void>
}

/** The calls on files that writing needs: those of `node:fs/promises`, or others that fail on purpose. */
export interface FileCalls {
  open(path: string, flags: string, mode?: number): Promise<OpenFile>
  rename(from: string, to: string): Promise<void>
}

/** How a file is written. */
export interface WriteOptions {
  /** Those of `node:fs/promises` by default. */
  readonly calls?: FileCalls
}

/**
 * Writes a file as a whole or not at all. The bytes go to a new file beside it, are brought to the disk (fsync), and take the name
 * of the old one at once (rename): whoever reads meanwhile, and whatever happens in between, finds the old file or the new one.
 *
 * An error removes the new file. A crash or a loss of power may leave it, `.name.….part` (of a long name the first 64 characters),
 * which may be deleted. A symbolic link stays one; the permissions of a file that was there stay.
 *
 * @param path where; its directory must exist
 * @param bytes all of them
 * @param options.calls what opens and renames, for tests
 * @returns when the file and its name are on the disk
 * @throws the error of Node where a file cannot be written; TypeError where the bytes are none
 * @example
 * import { mkdtemp, readFile } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 * const path = join(await mkdtemp(join(tmpdir(), 'example-')), 'weights.safetensors')
 * await writeFile(path, toSafetensors({ w: t.tensor([1, 2]) }))
 * fromSafetensors(await readFile(path)).w.toArray() // => [1, 2]
 */
export async function writeFile(path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> {
  knownOptions('writeFile', options, 'calls')
  if (!(bytes instanceof Uint8Array)) {
    failType(
      'writeFile',
      `the bytes must be a Uint8Array, got ${kindOf(bytes)}`,
      'pass what toSafetensors returns',
    )
  }
  const calls: FileCalls = options.calls ?? { open, rename }
  // A link to nothing is followed too: the file that it names is made.
  const target = await realpath(path).catch(() =>
    readlink(path).then(
      (to) => resolve(dirname(path), to),
      () => path,
    ),
  )
  const mode = await stat(target).then(
    (found) => found.mode & 0o777,
    () => null,
  )
  // Of a long name the beginning, so that what is added has room: file systems take 255 bytes, three to a character or fewer.
  const part = join(dirname(target), `.${basename(target).slice(0, 64)}.${randomUUID()}.part`)
  try {
    // It must not be there: 'wx'.
    const file = await calls.open(part, 'wx', mode ?? 0o666)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    // What `open` is told passes the umask.
    if (mode !== null) await chmod(part, mode)
    await calls.rename(part, target)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  await syncDirectory(dirname(target), calls)
}

// So that the new name outlives a loss of power. Windows has no such call.
async function syncDirectory(path: string, calls: FileCalls): Promise<void> {
  const directory = await calls.open(path, 'r').catch(() => null)
  if (directory === null) return
  try {
    await directory.sync().catch(() => {})
  } finally {
    await directory.close()
  }
}
