import * as t from '@tapeflow/autodiff'
import { labels, type MetricRow, numbers } from './metric-row.ts'

export const classes = 4
export const four: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: numbers(classes),
  target: labels(classes),
}
const withoutLast: MetricRow['prediction'] = (key, rows) =>
  t.concat([numbers(3)(key, rows), t.full([rows, 1], -9)], { axis: 1 })
/** All classes occur; the last never does; it is only predicted; it is never predicted. */
export const occurrences: readonly Pick<MetricRow, 'prediction' | 'target'>[] = [
  four,
  { prediction: withoutLast, target: labels(3) },
  { prediction: numbers(classes), target: labels(3) },
  { prediction: withoutLast, target: labels(classes) },
]
export const two: Pick<MetricRow, 'prediction' | 'target'> = { prediction: numbers(), target: labels(2) }
export const twoColumns: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: numbers(2),
  target: labels(2),
}
