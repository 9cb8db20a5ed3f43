import type { EpochRecord, Measures, RunInfo } from './events.ts'

/** A number by its name, and where it is in a record. */
export interface Named<T> {
  readonly name: string
  readonly of: (record: T) => number | undefined
}

/** What a run measures each time it measures. */
export type MeasureNames = Pick<RunInfo, 'losses' | 'metrics'>

/**
 * The numbers of a measurement, by the names that they have in columns and tags, and by which callbacks monitor them: `loss`, each of
 * several losses as `losses.<name>`, each metric by its own.
 *
 * @example
 * namedMeasures({ losses: ['mean'], metrics: ['accuracy'] }).map(({ name }) => name) // => ['loss', 'losses.mean', 'accuracy']
 */
export function namedMeasures({ losses, metrics }: MeasureNames): readonly Named<Measures>[] {
  return [
    { name: 'loss', of: ({ loss }) => loss },
    ...losses.map((name) => ({ name: `losses.${name}`, of: (found: Measures) => found.losses?.[name] })),
    ...metrics.map((name) => ({ name, of: (found: Measures) => found.metrics[name] })),
  ]
}

/** The names in some measurements, each once. */
export function namesIn(found: readonly Measures[]): MeasureNames {
  const keys = (of: (one: Measures) => object | undefined): readonly string[] => [
    ...new Set(found.flatMap((one) => Object.keys(of(one) ?? {}))),
  ]
  return { losses: keys(({ losses }) => losses), metrics: keys(({ metrics }) => metrics) }
}

/** All numbers of a measurement by name. */
export function numbersOf(found: Measures): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {}
  for (const { name, of } of namedMeasures(namesIn([found]))) numbers[name] = of(found)!
  return numbers
}

/** What was measured, without where. */
export function measuresOf({ loss, losses, metrics }: Measures): Measures {
  return losses === undefined ? { loss, metrics } : { loss, losses, metrics }
}

/** What is measured in an epoch of a run. */
export type EpochMeasures = MeasureNames & Pick<RunInfo, 'evaluatesTraining' | 'hasValidation'>

/** The numbers of an epoch, in the order of columns: those of its training batches, then `training.<name>` and `validation.<name>`. */
export function epochColumns(measures: EpochMeasures): readonly Named<EpochRecord>[] {
  const named = namedMeasures(measures)
  const within = (place: 'training' | 'validation'): Named<EpochRecord>[] =>
    named.map(({ name, of }) => ({
      name: `${place}.${name}`,
      of: ({ [place]: found }) => (found === undefined ? undefined : of(found)),
    }))
  return [
    { name: 'epoch', of: ({ epoch }) => epoch },
    ...named,
    { name: 'learningRate', of: ({ learningRate }) => learningRate },
    { name: 'seconds', of: ({ seconds }) => seconds },
    ...(measures.evaluatesTraining ? within('training') : []),
    ...(measures.hasValidation ? within('validation') : []),
  ]
}

// What stands beside metrics in a row of steps or epochs.
const columns: readonly string[] = [
  'step',
  'epoch',
  'loss',
  'penalty',
  'runningLoss',
  'learningRate',
  'seconds',
]

/** Whether a metric of this name would be taken for another number of the run. */
export function isTaken(name: string): boolean {
  return columns.includes(name) || /^(losses|training|validation)\./.test(name)
}
