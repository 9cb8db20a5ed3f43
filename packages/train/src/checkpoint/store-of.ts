import { failRange } from '@tapeflow/autodiff'
import { type MonitorOptions, monitored } from '../callbacks/monitored.ts'
import type { Log } from '../monitors/guard.ts'
import { requireCounts } from '../require-numbers.ts'
import type { RunSnapshot } from '../snapshots.ts'
import type { Store, StoreHolder } from '../store.ts'
import { CheckpointError } from './checkpoint-error.ts'
import { type CheckpointFile, checkpointFile } from './file-name.ts'
import { type Files, type Reader, reader } from './files.ts'
import { inPieces } from './in-pieces.ts'
import { type Ranking, ranking } from './ranking.ts'
import { checkpointBytes } from './to-checkpoint.ts'

/** Which checkpoints a store keeps. */
export interface StoreOptions {
  /** How many of the last ones; 3 by default. Those that have turned out to be damaged do not count, and go. */
  readonly keep?: number
  /** The best one of those that were written, by what was measured last before it was taken; none by default. */
  readonly best?: MonitorOptions
}

/** A store that can be looked into. */
export interface CheckpointStore extends Store {
  /** What is there, in the order in which it was written. */
  list(): Promise<readonly CheckpointFile[]>
  /**
   * One of them.
   *
   * @throws CheckpointError where it cannot be read; RangeError where there is none of that name
   */
  load(name: string): Promise<RunSnapshot>
  /**
   * The best that is intact, where the store was told what that is; null where there is none. Of equally good ones the first.
   *
   * @param log is told of those that were passed over; `console.error` by default
   * @throws RangeError where the store has no option `best`, and where its checkpoints have measures, but none of that name
   */
  best(log?: Log): Promise<RunSnapshot | null>
}

/**
 * A store over any place for files: a bucket, a database. Checkpoints are files of `toCheckpoint`, called by their number and step,
 * `000012-step-3400.safetensors`. After each one that was written, those are deleted that are neither among the last ones nor the
 * best; nothing before, and no file that is called otherwise. A run that finds the store open to one that is not over ends before its
 * first step; what another store object has written to the same place since this run began makes `save` reject.
 *
 * @param files where they are kept
 * @param options.keep how many of the last ones; 3 by default
 * @param options.best `{ monitor: 'validation.loss', mode: 'min' }`; none by default
 * @throws RangeError for an unknown option, and where keep is no integer from 1 on
 * @example
 * const kept = new Map()
 * const files = {
 *   name: 'memory',
 *   list: async () => [...kept.keys()],
 *   read: async (name) => kept.get(name) ?? null,
 *   write: async (name, bytes) => void kept.set(name, bytes),
 *   delete: async (name) => void kept.delete(name),
 * }
 * const store = storeOf(files)
 * const x = { shape: [4, 1], values: Float32Array.of(1, 2, 3, 4) }
 * const data = dataset({ x, y: x }).batch(2)
 * const callbacks = [checkpointEvery({ epochs: 1 })]
 * const options = { data, loss: mse(), optimizer: sgd({ learningRate: 0.1 }), callbacks, store, from: store }
 * await result(fit(linear(1, 1), { ...options, epochs: 3 }))
 * const { step } = await store.latest()
 * step // => 6
 * const { history } = await result(fit(linear(1, 1), { ...options, epochs: 5 }))
 * history.length // => 5
 */
export function storeOf(files: Files, options: StoreOptions = {}): CheckpointStore {
  return checkpointStore('storeOf', files, options)
}

/** As `storeOf`, by another name in errors. */
export function checkpointStore(operation: string, files: Files, options: StoreOptions): CheckpointStore {
  const { keep, ranked } = checked(operation, options)
  const read = reader(operation, files)
  const rank = ranked === null ? null : ranking(ranked, read)
  const fail = (what: string, remedy?: string, options?: ErrorOptions): never => {
    throw new CheckpointError(operation, 'unwritable', what, remedy, options)
  }
  let newest: number | null = null
  let holder: StoreHolder | null = null
  // What all holders before still save.
  let saving: Promise<unknown> = Promise.resolve()

  return {
    name: files.name,
    list: read.list,
    load: read.load,
    async open(next) {
      const before = holder
      if (before !== null && !before.isOver) {
        failRange(
          operation,
          `a run that is not over writes to ${files.name}`,
          'wait for its end, or give each run a store of its own',
        )
      }
      holder = next ?? null
      saving = Promise.all([saving, before?.flushed()])
      await saving
      try {
        await files.write(probe, new Uint8Array(1))
        await files.delete(probe)
        newest = (await read.list()).at(-1)?.number ?? 0
      } catch (cause) {
        fail(`nothing can be written to ${files.name}: ${wordsOf(cause)}`, 'choose another place', { cause })
      }
    },
    async save(run) {
      const bytes = await inPieces(checkpointBytes(run))
      const before = await read.list()
      const last = newest ?? before.at(-1)?.number ?? 0
      const foreign = before.find(({ number }) => number > last)
      if (foreign !== undefined) {
        const what = `another run writes to ${files.name}: it has ${foreign.name} since this one began`
        fail(what, 'give each run a store of its own')
      }
      const file = checkpointFile(last + 1, run.step)
      await files.write(file.name, bytes)
      newest = file.number
      rank?.note(file, run)
      try {
        await letGo(files, [...before, file], keep, read, rank)
      } catch (cause) {
        fail(`${file.name} was written, but older ones could not be deleted: ${wordsOf(cause)}`, undefined, {
          cause,
        })
      }
    },
    ...(rank === null ? {} : { bestOf: rank.bestOf }),
    latest: (log = console.error) => latestOf(operation, files.name, read, log),
    async best(log = console.error) {
      if (rank === null) {
        failRange(operation, 'it was not said what is best', "pass best: { monitor: 'validation.loss' }")
      }
      const found = await read.list()
      for (;;) {
        const file = await rank.best(found, log)
        if (file === null) {
          if (found.length > 0) requireName(operation, files.name, rank)
          return null
        }
        const run = await read.loadIfIntact(file.name, log)
        if (run !== null) return run
        rank.forget(file, true)
      }
    },
  }
}

// What is written to see that it can be. Not a name of ours, so that nobody reads it.
const probe = 'probe'

function checked(
  operation: string,
  options: StoreOptions,
): { readonly keep: number; readonly ranked: ReturnType<typeof monitored> | null } {
  for (const name of Object.keys(options)) {
    if (name !== 'keep' && name !== 'best') failRange(operation, `unknown option '${name}'`, 'use keep, best')
  }
  const { keep = 3, best } = options
  requireCounts(operation, { keep })
  return { keep, ranked: best === undefined ? null : monitored(operation, best) }
}

/** A name that was never measured is hardly one that is meant. */
function requireName(operation: string, place: string, { monitor, names }: Ranking): void {
  if (names.size === 0 || names.has(monitor)) return
  const there = [...names].sort().join(', ')
  failRange(operation, `no checkpoint in ${place} has a measure '${monitor}'`, `they have ${there}`)
}

/** Deletes what is neither among the last nor the best. Those that are known to be damaged count as none. */
async function letGo(
  files: Files,
  found: readonly CheckpointFile[],
  keep: number,
  { damaged }: Reader,
  rank: Ranking | null,
): Promise<void> {
  const last = new Set(found.filter(({ name }) => !damaged.has(name)).slice(-keep))
  const old = found.filter((file) => !last.has(file))
  // Damaged ones are told of where somebody goes on from them.
  const best = old.length === 0 ? null : ((await rank?.best(found, () => {})) ?? null)
  for (const file of old) {
    if (file === best) continue
    await files.delete(file.name)
    rank?.forget(file, false)
  }
}

async function latestOf(
  operation: string,
  place: string,
  { list, loadIfIntact }: Reader,
  log: Log,
): Promise<RunSnapshot | null> {
  const found = await list()
  for (const { name } of found.toReversed()) {
    const run = await loadIfIntact(name, log)
    if (run !== null) return run
  }
  if (found.length === 0) return null
  throw new CheckpointError(
    operation,
    'damaged',
    `none of the ${found.length} checkpoints in ${place} can be read`,
    'move them away to begin anew',
  )
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
