import { type ClassificationReport, classificationReport, confusionMatrix, meanIoU } from '../../src/index.ts'
import { classes, four, occurrences } from './draws.ts'
import { labels, type MetricRow, numbers, range } from './metric-row.ts'
import { count, macro, ofClasses, ofThreshold, rates, right, weighted } from './pairs.ts'

const numbersOf = ({
  classes: lines,
  accuracy,
  macro: mean,
  weighted: weightedMean,
}: ClassificationReport): unknown =>
  [...lines, mean, weightedMean].map(({ precision, recall, f1, support }) => [
    precision,
    recall,
    f1,
    support,
    accuracy,
  ])
const report = classificationReport()
export const matrices: readonly MetricRow[] = [
  {
    name: 'confusionMatrix',
    measure: confusionMatrix(),
    ...four,
    reference: (samples) =>
      range(classes).map((truth) =>
        range(classes).map((guess) =>
          count(samples.map(ofClasses), (p) => p.truth === truth && p.guess === guess),
        ),
      ),
  },
  ...occurrences.map(
    (drawn, i): MetricRow => ({
      name: `classificationReport ${i}`,
      measure: {
        ...report,
        result: (state: ReturnType<typeof report.init>) => numbersOf(report.result(state)),
      },
      ...drawn,
      reference: (samples) => {
        const pairs = samples.map(ofClasses)
        const all = [rates.precision, rates.recall, rates.f1]
        const total = count(pairs, () => true)
        return [
          ...range(classes).map((k) => [
            ...all.map((rate) => rate(pairs, k)),
            count(pairs, (p) => p.truth === k),
          ]),
          [...all.map((rate) => macro(pairs, classes, rate)), total],
          [...all.map((rate) => weighted(pairs, classes, rate)), total],
        ].map((line) => [...line, right(pairs)])
      },
    }),
  ),
  ...occurrences.map(
    (drawn, i): MetricRow => ({
      name: `meanIoU ${i}`,
      measure: meanIoU(),
      ...drawn,
      reference: (samples) => macro(samples.map(ofClasses), classes, rates.iou),
    }),
  ),
  {
    name: 'meanIoU of one number',
    measure: meanIoU({ threshold: 0.25 }),
    prediction: numbers(1),
    target: labels(2, 1),
    reference: (samples) => macro(samples.map(ofThreshold(0.25)), 2, rates.iou),
  },
]
