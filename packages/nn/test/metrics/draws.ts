import * as t from '@tapeflow/autodiff'
import { labels, type MetricRow, numbers } from './metric-row.ts'

export const classes = 4
export const four: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: numbers(classes),
  target: labels(classes),
}
// The last class never occurs.
export const rare: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: (key, rows) => t.concat([numbers(3)(key, rows), t.full([rows, 1], -9)], { axis: 1 }),
  target: labels(3),
}
export const two: Pick<MetricRow, 'prediction' | 'target'> = { prediction: numbers(), target: labels(2) }
export const twoColumns: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: numbers(2),
  target: labels(2),
}
