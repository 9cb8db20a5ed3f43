import { accuracy, binaryAccuracy, sparseAccuracy, topKAccuracy } from '../../src/index.ts'
import { classes, four, two } from './draws.ts'
import {
  labels,
  largest,
  type MetricRow,
  numbers,
  probabilities,
  range,
  type Sample,
  share,
  weighing,
} from './metric-row.ts'
import { ofClasses, ofThreshold, right } from './pairs.ts'

const accuracyOf = (samples: readonly Sample[]): number => right(samples.map(ofClasses))
export const accuracies: readonly MetricRow[] = [
  { name: 'accuracy of labels', measure: accuracy(), ...four, reference: accuracyOf },
  {
    name: 'accuracy of rows',
    measure: accuracy(),
    prediction: numbers(3),
    target: probabilities(3),
    reference: accuracyOf,
  },
  {
    name: 'accuracy of sequences',
    measure: accuracy(),
    prediction: numbers(2, 3),
    target: labels(3, 2),
    reference: (samples) =>
      weighing(samples, ({ prediction, target }) =>
        share(range(2).map((i) => largest(prediction.slice(3 * i, 3 * i + 3)) === target[i])),
      ),
  },
  { name: 'sparseAccuracy', measure: sparseAccuracy(), ...four, reference: accuracyOf },
  ...[1, 2, 4].map(
    (k): MetricRow => ({
      name: `topKAccuracy of ${k}`,
      measure: topKAccuracy({ k }),
      ...four,
      reference: (samples) =>
        weighing(samples, ({ prediction, target }) => {
          // Array.sort is stable: of equal ones the first come first.
          const ranking = range(classes).sort((a, b) => prediction[b]! - prediction[a]!)
          return ranking.slice(0, k).includes(target[0]!) ? 1 : 0
        }),
    }),
  ),
  {
    name: 'binaryAccuracy',
    measure: binaryAccuracy(),
    ...two,
    reference: (samples) => right(samples.map(ofThreshold(0.5))),
  },
  {
    name: 'binaryAccuracy of a column of logits',
    measure: binaryAccuracy({ threshold: 0 }),
    prediction: numbers(1),
    target: labels(2),
    reference: (samples) => right(samples.map(ofThreshold(0))),
  },
  {
    name: 'binaryAccuracy of several labels',
    measure: binaryAccuracy(),
    prediction: numbers(3),
    target: labels(2, 3),
    reference: (samples) =>
      weighing(samples, ({ prediction, target }) =>
        share(prediction.map((score, i) => score > 0.5 === (target[i] === 1))),
      ),
  },
]
