import { failRange } from '@tapeflow/autodiff'
import type { Log } from '../monitors/guard.ts'
import type { RunSnapshot } from '../snapshots.ts'
import { CheckpointError } from './checkpoint-error.ts'
import { type CheckpointFile, checkpointFiles } from './file-name.ts'
import { fromCheckpoint } from './from-checkpoint.ts'

/** A place for files, by name. */
export interface Files {
  /** In messages: the path of the directory. */
  readonly name: string
  /** All names that are there, also of files that are none of ours. */
  list(): Promise<readonly string[]>
  /** Null where there is none of that name. */
  read(name: string): Promise<Uint8Array | null>
  /** Keeps a file as a whole or not at all; when the promise is kept, a loss of power does not take it. */
  write(name: string, bytes: Uint8Array): Promise<void>
  delete(name: string): Promise<void>
}

/** Reads checkpoints. */
export interface Reader {
  /** The names of those that have turned out to be damaged. */
  readonly damaged: ReadonlySet<string>
  /** Those that are there, in the order in which they were written. */
  list(): Promise<CheckpointFile[]>
  load(name: string): Promise<RunSnapshot>
  /**
   * Null where a file cannot be read, of which `log` is told.
   *
   * @throws CheckpointError for one that is intact, but of a later format: that is no reason to go back to an older one
   */
  loadIfIntact(name: string, log: Log): Promise<RunSnapshot | null>
}

/** Reads the checkpoints among some files. */
export function reader(operation: string, files: Files): Reader {
  const damaged = new Set<string>()
  const load = async (name: string): Promise<RunSnapshot> => {
    const bytes = await files.read(name)
    if (bytes === null) failRange(operation, `there is no checkpoint '${name}' in ${files.name}`)
    try {
      return fromCheckpoint(bytes)
    } catch (cause) {
      if (!(cause instanceof CheckpointError)) throw cause
      if (cause.problem === 'damaged') damaged.add(name)
      const words = cause.message.replace(/^fromCheckpoint: /, '')
      const what = `${files.name}, ${name}: ${words}`
      throw new CheckpointError(operation, cause.problem, what, undefined, { cause })
    }
  }
  return {
    damaged,
    list: async () => checkpointFiles(await files.list()),
    load,
    async loadIfIntact(name, log) {
      try {
        return await load(name)
      } catch (cause) {
        if (cause instanceof CheckpointError && cause.problem !== 'damaged') throw cause
        log(`${operation}: ${name} in ${files.name} cannot be read, and is passed over`, cause)
        return null
      }
    },
  }
}
