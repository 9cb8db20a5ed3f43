import { failRange, knownOptions } from '@tapeflow/autodiff'
import { checkThreshold, type ThresholdOptions } from './binary-rows.ts'
import { type Average, averageOf } from './class-rate.ts'
import { type ConfusionState, confused, noConfusion, type Tally, tallies } from './confusion.ts'
import { f1Of } from './f1.ts'
import type { Measure } from './metric.ts'
import { precisionOf } from './precision.ts'
import { recallOf } from './recall.ts'

/** What a report takes. */
export interface ClassificationReportOptions extends ThresholdOptions {
  /** The words for each class; their numbers by default. */
  readonly labels?: readonly string[]
  /** Digits after the point; 2 by default. */
  readonly digits?: number
}

/** One line of a report. */
export interface ReportLine {
  readonly label: string
  readonly precision: number
  readonly recall: number
  readonly f1: number
  /** How many samples are of the class: the sum of their weights. */
  readonly support: number
}

/** How well each class is predicted, as a table and as data. */
export interface ClassificationReport {
  /** The table: a line for each class, the accuracy, and the averages. */
  readonly text: string
  readonly classes: readonly ReportLine[]
  readonly accuracy: number
  /** Means over the classes that occur, in targets or predictions. */
  readonly macro: ReportLine
  /** Means weighted by support. */
  readonly weighted: ReportLine
}

/**
 * Precision, recall and F1 of each class and their averages, as the table of scikit-learn and as data. What has no
 * prediction or no sample is 0. A class that does not occur is shown, but left out of the averages.
 *
 * @param options.labels the words for each class; their numbers by default
 * @param options.digits after the point; 2 by default
 * @param options.threshold for predictions of one number, above which they mean class 1; 0.5 by default, 0 for logits
 * @returns a measure over predictions and targets as of `confusionMatrix`
 * @throws RangeError when digits are no integer from 0 to 20, shapes do not fit, a label is out of range, or there is another
 * number of labels than of classes
 * @example
 * const prediction = t.tensor([[1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0]])
 * const report = measure(classificationReport({ labels: ['ash', 'elm', 'oak'] }), prediction, t.tensor([0, 1, 2, 2, 2]))
 * report.classes[2] // => { label: 'oak', precision: 1, recall: 2 / 3, f1: 0.8, support: 3 }
 * report.text.split('\n')[4] // => '         oak       1.00      0.67      0.80         3'
 */
export function classificationReport(
  options: ClassificationReportOptions = {},
): Measure<ConfusionState, ClassificationReport> {
  const { labels, digits = 2 } = knownOptions('classificationReport', options, 'labels digits threshold')
  const threshold = checkThreshold('classificationReport', options.threshold ?? 0.5)
  if (!(Number.isInteger(digits) && digits >= 0 && digits <= 20)) {
    failRange('classificationReport', `digits must be an integer from 0 to 20, got ${digits}`)
  }
  return {
    name: 'classificationReport',
    init: noConfusion,
    update: (state, prediction, target, weights) => {
      const next = confused('classificationReport', state, prediction, target, weights, threshold)
      if (labels !== undefined && labels.length !== next.classes) {
        failRange(
          'classificationReport',
          `there are ${labels.length} labels, but ${next.classes} classes`,
          'name each class',
        )
      }
      return next
    },
    result: (state) => {
      const all = tallies(state)
      const support = all.reduce((sum, tally) => sum + tally.support, 0)
      const average = (label: string, kind: Average): ReportLine => ({
        label,
        precision: averageOf(all, kind, precisionOf),
        recall: averageOf(all, kind, recallOf),
        f1: averageOf(all, kind, f1Of),
        support,
      })
      const data = {
        classes: all.map((tally, k) => lineOf(labels?.[k] ?? `${k}`, tally)),
        accuracy: averageOf(all, 'micro', recallOf),
        macro: average('macro avg', 'macro'),
        weighted: average('weighted avg', 'weighted'),
      }
      return { text: table(data, digits), ...data }
    },
  }
}

function lineOf(label: string, tally: Tally): ReportLine {
  return {
    label,
    precision: precisionOf(tally),
    recall: recallOf(tally),
    f1: f1Of(tally),
    support: tally.support,
  }
}

function table(
  { classes, accuracy, macro, weighted }: Omit<ClassificationReport, 'text'>,
  digits: number,
): string {
  const lines = [...classes, macro, weighted]
  const width = Math.max(digits, ...lines.map(({ label }) => label.length))
  const row = (label: string, cells: readonly string[]): string =>
    `${label.padStart(width)} ${cells.map((cell) => ` ${cell.padStart(9)}`).join('')}`
  const show = ({ label, precision, recall, f1, support }: ReportLine): string =>
    row(label, [precision.toFixed(digits), recall.toFixed(digits), f1.toFixed(digits), `${support}`])
  return [
    row('', ['precision', 'recall', 'f1-score', 'support']),
    '',
    ...classes.map(show),
    '',
    row('accuracy', ['', '', accuracy.toFixed(digits), `${weighted.support}`]),
    show(macro),
    show(weighted),
    '',
  ].join('\n')
}
