import type { Monitored, MonitorName } from '../callbacks/monitored.ts'
import type { Log } from '../monitors/guard.ts'
import type { RunSnapshot } from '../snapshots.ts'
import type { CheckpointFile } from './file-name.ts'
import type { Reader } from './files.ts'

/** Which of some checkpoints is the best, by one measure. */
export interface Ranking {
  readonly monitor: MonitorName
  /** What was measured in runs that it has seen, by the names that can be monitored. */
  readonly names: ReadonlySet<string>
  /** Takes note of a file that has just been written. */
  note(file: CheckpointFile, run: RunSnapshot): void
  /** The first of the best of some runs; null where none is better than all files that are known. */
  bestOf(runs: readonly RunSnapshot[]): RunSnapshot | null
  /** The first of the best, of those that can be read; null where none was measured. Files that are not known yet are read. */
  best(found: readonly CheckpointFile[], log: Log): Promise<CheckpointFile | null>
  /** A file has gone, or has turned out to be damaged. */
  forget(file: CheckpointFile, isDamaged: boolean): void
}

/** A ranking by the last number of a measure before the checkpoint was taken. */
export function ranking({ monitor, worst, isBetter }: Monitored, { loadIfIntact }: Reader): Ranking {
  const values = new Map<string, number>()
  const names = new Set<string>()
  const measured = (run: RunSnapshot | null): number => {
    for (const name of Object.keys(run?.measured ?? {})) names.add(name)
    return run?.measured[monitor] ?? Number.NaN
  }
  const numberOf = async ({ name }: CheckpointFile, log: Log): Promise<number> => {
    const known = values.get(name)
    if (known !== undefined) return known
    const value = measured(await loadIfIntact(name, log))
    values.set(name, value)
    return value
  }
  return {
    monitor,
    names,
    note: ({ name }, run) => values.set(name, measured(run)),
    forget: ({ name }, isDamaged) => {
      if (isDamaged) values.set(name, Number.NaN)
      else values.delete(name)
    },
    bestOf(runs) {
      let value = worst
      for (const other of values.values()) if (isBetter(other, value)) value = other
      let best: RunSnapshot | null = null
      for (const run of runs) {
        const other = measured(run)
        if (isBetter(other, value)) [value, best] = [other, run]
      }
      return best
    },
    async best(found, log) {
      let value = worst
      let best: CheckpointFile | null = null
      for (const file of found) {
        const other = await numberOf(file, log)
        if (isBetter(other, value)) [value, best] = [other, file]
      }
      return best
    },
  }
}
