import { knownOptions } from '@tapeflow/autodiff'
import type { OperatorFunction } from 'rxjs'
import type { DiagnosticEvent, TrainEvent } from '../events.ts'
import { requireCounts, requireNumbers } from '../require-numbers.ts'
import { diagnose } from './diagnose.ts'
import { shown } from './window.ts'

/** What `datasetSize` takes. */
export interface DatasetSizeOptions {
  /** How many classes there are, or how many rows each class has. */
  readonly classes: number | readonly number[]
  /** How many rows a class should have; 5,000 by default. */
  readonly threshold?: number
}

/**
 * An operator that tells, once, when there are fewer than 5,000 rows a class. With the rows of each class it says so at the start, of the
 * smallest class, whose number is the path: `classes.3`; with a number of classes after the first epoch, of the mean. An epoch that
 * was not read to its end counts for as many rows as its batches make of all that the data has; where the data does not know its length, one
 * in which the run's last step was made says nothing. It never stops anything: it is a rule of thumb of 2016 for networks that learn from nothing, and small data sets train well with a
 * model that was trained before. `watch` needs nothing.
 *
 *     fit     start step step epoch step
 *     emits                   d              classes: 10
 *
 * @throws RangeError for counts that are no integers from 1 on
 * @example
 * const found = []
 * of({ type: 'start', step: 0, epoch: 0 }).pipe(datasetSize({ classes: [6000, 120] })).subscribe(({ path, value }) => found.push([path, value]))
 * found // => [['classes.1', 120]]
 *
 * Goodfellow, Bengio & Courville 2016, Deep learning, section 1.2.2.
 */
export function datasetSize(options: DatasetSizeOptions): OperatorFunction<TrainEvent, DiagnosticEvent> {
  const { classes, threshold = 5000 } = knownOptions('datasetSize', options, 'classes threshold')
  const counts = typeof classes === 'number' ? null : classes
  requireNumbers('datasetSize', { threshold })
  if (counts === null) requireCounts('datasetSize', { classes: Number(classes) })
  else {
    requireCounts('datasetSize', { 'the number of classes': counts.length })
    requireCounts('datasetSize', Object.fromEntries(counts.map((count, i) => [`classes.${i}`, count])))
  }
  const advice = (value: number, of: string): string =>
    `${of} has ${shown(value)} rows, and a rule of thumb of 2016 asks for ${threshold}: try more or augmented data, a model that was trained before, or a small one.`

  return diagnose({
    name: 'datasetSize',
    looksAt: [counts === null ? 'epoch' : 'start'],
    calm: 1,
    begin: (run) => {
      let looked = false
      return (event) => {
        if (looked) return []
        looked = true
        if (event.type === 'epoch') {
          const { stepsPerEpoch = event.batches, steps } = run.info ?? {}
          if (run.info?.stepsPerEpoch === undefined && event.step === steps) return []
          const value = (event.rows * (stepsPerEpoch / event.batches)) / Number(classes)
          return [{ value, threshold, ill: value < threshold, advice: () => advice(value, 'a class') }]
        }
        const value = Math.min(...counts!)
        const path = `classes.${counts!.indexOf(value)}`
        return [{ path, value, threshold, ill: value < threshold, advice: () => advice(value, path) }]
      }
    },
  })
}
