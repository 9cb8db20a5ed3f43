import { appendFile, mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import type { TrainEvent } from '../events.ts'
import { failureOf } from '../failure.ts'

/**
 * A monitor that writes to a file, while the run goes on. It is of one run at a time: two that go on at once would mix their rows, so
 * each gets a logger and a path of its own. One run after the other is right. A run does not wait for its files: when it has ended, `flushed()`
 * tells when they are there. In a worker, where nobody can call that, they are there when its thread has ended.
 */
export interface FileLogger {
  /**
   * Hears an event and returns before anything is written. The promise is there where writing begins; it rejects where it
   * fails, which `fit` logs.
   */
  next(event: TrainEvent): Promise<void> | undefined
  /** Resolves when everything heard so far has been written; rejects where it could not be. */
  flushed(): Promise<void>
}

/** A file that grows at its end. */
export interface LogFile {
  /** Appends whole lines or records, after everything before. */
  append(chunk: string | Uint8Array): Promise<void> | undefined
  /** Does something to the file, after everything before. A file that failed is tried again. */
  perform(task: () => Promise<void>): Promise<void> | undefined
  flushed(): Promise<void>
}

// A disk that is this far behind will not catch up.
const waitingAtMost = 64 * 1024 * 1024
// Node writes no more than 512 KiB in one call to the system: what is less is there as a whole or not at all.
const writtenAtMost = 256 * 1024

/**
 * A queue before files: one write at a time, on Node's own threads; what comes meanwhile waits in memory and is then written
 * together. No file stays open between writes, so that nothing is left over from a run that is unsubscribed.
 *
 * @param name in errors: `csvLogger`
 * @param path asked at each write
 */
export function logFile(name: string, path: () => string): LogFile {
  let queue: (Uint8Array | (() => Promise<void>))[] = []
  let size = 0
  let writing: Promise<void> | null = null
  let failed = false

  const nextChunk = (): Uint8Array => {
    const parts: Uint8Array[] = []
    let length = 0
    for (const part of queue) {
      if (typeof part === 'function' || (length > 0 && length + part.length > writtenAtMost)) break
      parts.push(part)
      length += part.length
    }
    queue.splice(0, parts.length)
    size -= length
    return Buffer.concat(parts)
  }
  const drain = async (): Promise<void> => {
    try {
      while (queue.length > 0) {
        const [first] = queue
        if (typeof first === 'function') {
          queue.shift()
          await first()
        } else await appendFile(path(), nextChunk())
      }
      writing = null
    } catch (error) {
      // `writing` stays: flushed() tells of it, too.
      failed = true
      queue = []
      size = 0
      // What the logger itself refuses says so already; the disk's errors name neither it nor, always, the file.
      if (error instanceof Error && 'operation' in error) throw error
      throw failureOf(`writing ${path()}`, error, name)
    }
  }
  const start = (): Promise<void> | undefined => {
    if (writing !== null) return undefined
    writing = Promise.resolve().then(drain)
    return writing
  }
  return {
    append(chunk) {
      if (failed) return undefined
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      if (size + bytes.length > waitingAtMost) {
        failRange(name, `the disk is ${size} bytes behind`, 'log less often, with every')
      }
      queue.push(bytes)
      size += bytes.length
      return start()
    },
    perform(task) {
      if (failed) {
        failed = false
        writing = null
      }
      queue.push(task)
      return start()
    },
    flushed: async () => {
      await writing
    },
  }
}

/** Makes the folder of a file that is about to be made. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
}

/**
 * Keeps the lines of a file for which `keep` is true; a last line that was torn goes. The file is replaced as a whole.
 *
 * @returns how many lines the file has now; 0 where it is not there
 */
export function keepLines(path: string, keep: (line: string, index: number) => boolean): Promise<number> {
  return changeLines(path, (lines) => lines.filter(keep))
}

/**
 * Puts others in the place of a file's lines; a last line that was torn goes. The file is replaced as a whole.
 *
 * @returns how many lines the file has now; 0 where it is not there
 */
export async function changeLines(
  path: string,
  change: (lines: readonly string[]) => readonly string[],
): Promise<number> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
  const kept = change(text.split('\n').slice(0, -1))
  const wanted = kept.map((line) => `${line}\n`).join('')
  if (wanted !== text) await replaceFile(path, wanted)
  return kept.length
}

/** Writes a file anew: another name first, then the right one. */
export async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.new`
  await writeFile(temporary, text)
  const file = await open(temporary)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** Throws unless a logger was told where to write. */
export function requirePath(name: string, path: unknown): asserts path is string {
  if (typeof path === 'string' && path !== '') return
  failType(
    name,
    `the path must be a string that is not empty, got ${kindOf(path)}`,
    `pass ${name}('runs/first')`,
  )
}

/** Throws unless a number of steps was given, or nothing. */
export function requireEvery(name: string, option: string, value: unknown): void {
  if (value === undefined || (Number.isSafeInteger(value) && Number(value) > 0)) return
  const got = typeof value === 'number' ? value : kindOf(value)
  failRange(name, `${option} must be an integer from 1 on, got ${got}`, `pass ${option}: 100`)
}
