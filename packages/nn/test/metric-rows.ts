import * as t from '@tapeflow/autodiff'
import {
  accuracy,
  auc,
  binaryAccuracy,
  type ClassificationReport,
  classificationReport,
  confusionMatrix,
  f1,
  type Measure,
  meanAbsoluteError,
  meanIoU,
  meanSquaredError,
  perplexity,
  precision,
  precisionRecallCurve,
  r2,
  recall,
  rocCurve,
  rootMeanSquaredError,
  sparseAccuracy,
  topKAccuracy,
} from '../src/index.ts'

/** A row of a batch, flat, and how much it counts. */
export interface Sample {
  readonly prediction: readonly number[]
  readonly target: readonly number[]
  readonly weight: number
}

/** A measure, what it is tried on, and what it should say, from its definition alone. */
export interface MetricRow {
  readonly name: string
  readonly measure: Measure
  readonly prediction: (key: t.Key, rows: number) => t.Tensor
  readonly target: (key: t.Key, rows: number) => t.Tensor
  readonly reference: (samples: readonly Sample[]) => unknown
}

type Draw = MetricRow['prediction']

// Quarters: some are equal, and all sums of them are exact.
const numbers =
  (...sizes: number[]): Draw =>
  (key, rows) =>
    t.div(t.round(t.mul(t.normal(key, [rows, ...sizes]), 4)), 4)
const labels =
  (classes: number, ...sizes: number[]): Draw =>
  (key, rows) =>
    t.floor(t.uniform(key, [rows, ...sizes], 0, classes))
const probabilities =
  (...sizes: number[]): Draw =>
  (key, rows) =>
    t.softmax(numbers(...sizes)(key, rows))

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
const weighing = (samples: readonly Sample[], f: (sample: Sample) => number): number =>
  sum(samples.map((sample) => sample.weight * f(sample))) / sum(samples.map(({ weight }) => weight))
const largest = (values: readonly number[]): number => values.indexOf(Math.max(...values))
const share = (hits: readonly boolean[]): number => hits.filter(Boolean).length / hits.length

/** The class that a sample is of, and the one that it is taken for. */
type Pair = { readonly truth: number; readonly guess: number; readonly weight: number }
const ofClasses = ({ prediction, target, weight }: Sample): Pair => ({
  truth: target.length === 1 ? target[0]! : largest(target),
  guess: largest(prediction),
  weight,
})
const ofThreshold =
  (threshold: number) =>
  ({ prediction, target, weight }: Sample): Pair => ({
    truth: target[0]!,
    guess: prediction[0]! > threshold ? 1 : 0,
    weight,
  })

const count = (pairs: readonly Pair[], holds: (pair: Pair) => boolean): number =>
  sum(pairs.filter(holds).map(({ weight }) => weight))
const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value)

const rates = {
  precision: (pairs: readonly Pair[], k: number): number =>
    orZero(count(pairs, (p) => p.guess === k && p.truth === k) / count(pairs, (p) => p.guess === k)),
  recall: (pairs: readonly Pair[], k: number): number =>
    orZero(count(pairs, (p) => p.guess === k && p.truth === k) / count(pairs, (p) => p.truth === k)),
  f1: (pairs: readonly Pair[], k: number): number => {
    const [p, r] = [rates.precision(pairs, k), rates.recall(pairs, k)]
    return orZero((2 * p * r) / (p + r))
  },
  iou: (pairs: readonly Pair[], k: number): number =>
    orZero(
      count(pairs, (p) => p.guess === k && p.truth === k) /
        count(pairs, (p) => p.guess === k || p.truth === k),
    ),
}
type Rate = (pairs: readonly Pair[], k: number) => number

const range = (n: number): number[] => Array.from({ length: n }, (_, k) => k)
const macro = (pairs: readonly Pair[], classes: number, rate: Rate): number => {
  const occurring = range(classes).filter((k) => count(pairs, (p) => p.guess === k || p.truth === k) > 0)
  return sum(occurring.map((k) => rate(pairs, k))) / occurring.length
}
const weighted = (pairs: readonly Pair[], classes: number, rate: Rate): number =>
  sum(range(classes).map((k) => count(pairs, (p) => p.truth === k) * rate(pairs, k))) /
  count(pairs, () => true)
const right = (pairs: readonly Pair[]): number =>
  count(pairs, (p) => p.guess === p.truth) / count(pairs, () => true)

const classes = 4
const three: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: numbers(classes),
  target: labels(classes),
}
// The last class never occurs.
const rare: Pick<MetricRow, 'prediction' | 'target'> = {
  prediction: (key, rows) => t.concat([numbers(3)(key, rows), t.full([rows, 1], -9)], { axis: 1 }),
  target: labels(3),
}
const two: Pick<MetricRow, 'prediction' | 'target'> = { prediction: numbers(), target: labels(2) }
const twoColumns: Pick<MetricRow, 'prediction' | 'target'> = { prediction: numbers(2), target: labels(2) }

const functions = { precision, recall, f1 }
const classRates = (['precision', 'recall', 'f1'] as const).flatMap((name): readonly MetricRow[] => {
  const [make, rate] = [functions[name], rates[name]]
  const pairs = (samples: readonly Sample[]): readonly Pair[] => samples.map(ofClasses)
  return [
    {
      name: `${name} above 0.25`,
      measure: make({ threshold: 0.25 }),
      ...two,
      reference: (samples) => rate(samples.map(ofThreshold(0.25)), 1),
    },
    { name: `${name} of two columns`, measure: make(), ...twoColumns, reference: (s) => rate(pairs(s), 1) },
    ...[three, rare].flatMap((drawn, i): readonly MetricRow[] => [
      {
        name: `${name} macro ${i}`,
        measure: make({ average: 'macro' }),
        ...drawn,
        reference: (s) => macro(pairs(s), classes, rate),
      },
      {
        name: `${name} weighted ${i}`,
        measure: make({ average: 'weighted' }),
        ...drawn,
        reference: (s) => weighted(pairs(s), classes, rate),
      },
      {
        name: `${name} micro ${i}`,
        measure: make({ average: 'micro' }),
        ...drawn,
        reference: (s) => right(pairs(s)),
      },
      {
        name: `${name} of each ${i}`,
        measure: make({ average: 'none' }),
        ...drawn,
        reference: (s) => range(classes).map((k) => rate(pairs(s), k)),
      },
    ]),
    {
      name: `${name} macro of one number`,
      measure: make({ average: 'macro', threshold: 0 }),
      ...two,
      reference: (samples) => macro(samples.map(ofThreshold(0)), 2, rate),
    },
  ]
})

const accuracyOf = (samples: readonly Sample[]): number => right(samples.map(ofClasses))
const accuracies: readonly MetricRow[] = [
  { name: 'accuracy of labels', measure: accuracy(), ...three, reference: accuracyOf },
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
  { name: 'sparseAccuracy', measure: sparseAccuracy(), ...three, reference: accuracyOf },
  ...[1, 2, 4].map(
    (k): MetricRow => ({
      name: `topKAccuracy of ${k}`,
      measure: topKAccuracy({ k }),
      ...three,
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

const numbersOf = ({ text: _, ...data }: ClassificationReport): unknown =>
  [...data.classes, data.macro, data.weighted].map(({ precision, recall, f1, support }) => [
    precision,
    recall,
    f1,
    support,
    data.accuracy,
  ])
const report = classificationReport()
const matrices: readonly MetricRow[] = [
  {
    name: 'confusionMatrix',
    measure: confusionMatrix(),
    ...three,
    reference: (samples) =>
      range(classes).map((truth) =>
        range(classes).map((guess) =>
          count(samples.map(ofClasses), (p) => p.truth === truth && p.guess === guess),
        ),
      ),
  },
  ...[three, rare].map(
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
  {
    name: 'meanIoU',
    measure: meanIoU(),
    ...rare,
    reference: (samples) => macro(samples.map(ofClasses), classes, rates.iou),
  },
  {
    name: 'meanIoU of one number',
    measure: meanIoU({ threshold: 0.25 }),
    prediction: numbers(1),
    target: labels(2, 1),
    reference: (samples) => macro(samples.map(ofThreshold(0.25)), 2, rates.iou),
  },
]

/** The scores and labels of samples, as one number each or as two columns. */
type Scored = { readonly score: number; readonly label: number; readonly weight: number }
const scored = ({ prediction, target, weight }: Sample): Scored => ({
  score: prediction.length === 1 ? prediction[0]! : prediction[1]! - prediction[0]!,
  label: target[0]!,
  weight,
})
const heavy = (samples: readonly Scored[], holds: (sample: Scored) => boolean): number =>
  sum(samples.filter(holds).map(({ weight }) => weight))
const thresholdsOf = (samples: readonly Scored[]): number[] =>
  [...new Set(samples.filter(({ weight }) => weight > 0).map(({ score }) => score))].sort((a, b) => b - a)
const reaching = (samples: readonly Scored[], label: number, threshold: number): number =>
  heavy(samples, (s) => s.label === label && s.score >= threshold)

/** Mann & Whitney's U over the number of pairs: every pair by itself. */
function pairsWon(all: readonly Sample[]): number {
  const samples = all.map(scored)
  const [positives, negatives] = [1, 0].map((label) => samples.filter((s) => s.label === label))
  let won = 0
  for (const p of positives!) {
    for (const n of negatives!) {
      won += p.weight * n.weight * (p.score > n.score ? 1 : p.score === n.score ? 0.5 : 0)
    }
  }
  return won / (heavy(samples, (s) => s.label === 1) * heavy(samples, (s) => s.label === 0))
}

function averagePrecision(all: readonly Sample[]): number {
  const samples = all.map(scored)
  const total = heavy(samples, (s) => s.label === 1)
  let [area, before] = [0, 0]
  for (const threshold of thresholdsOf(samples)) {
    const hits = reaching(samples, 1, threshold)
    area += (hits / total - before) * (hits / (hits + reaching(samples, 0, threshold)))
    before = hits / total
  }
  return area
}

const curves = [two, twoColumns].flatMap((drawn, i): readonly MetricRow[] => [
  { name: `auc ${i}`, measure: auc(), ...drawn, reference: pairsWon },
  {
    name: `average precision ${i}`,
    measure: auc({ curve: 'precisionRecall' }),
    ...drawn,
    reference: averagePrecision,
  },
  {
    name: `rocCurve ${i}`,
    measure: rocCurve(),
    ...drawn,
    reference: (all) => {
      const samples = all.map(scored)
      const thresholds = [Number.POSITIVE_INFINITY, ...thresholdsOf(samples)]
      const rate = (label: number): number[] =>
        thresholds.map((at) => reaching(samples, label, at) / heavy(samples, (s) => s.label === label))
      return { thresholds, falsePositiveRate: rate(0), truePositiveRate: rate(1) }
    },
  },
  {
    name: `precisionRecallCurve ${i}`,
    measure: precisionRecallCurve(),
    ...drawn,
    reference: (all) => {
      const samples = all.map(scored)
      const thresholds = thresholdsOf(samples)
      const hits = thresholds.map((at) => reaching(samples, 1, at))
      return {
        thresholds: [Number.POSITIVE_INFINITY, ...thresholds],
        precision: [1, ...hits.map((hit, k) => hit / (hit + reaching(samples, 0, thresholds[k]!)))],
        recall: [0, ...hits.map((hit) => hit / heavy(samples, (s) => s.label === 1))],
      }
    },
  },
])

const meanOf =
  (f: (error: number) => number) =>
  (samples: readonly Sample[]): number =>
    weighing(
      samples,
      ({ prediction, target }) => sum(prediction.map((p, i) => f(p - target[i]!))) / target.length,
    )
const determination = (samples: readonly Sample[]): number => {
  const outputs = samples[0]!.target.length
  return (
    sum(
      range(outputs).map((k) => {
        const mean = weighing(samples, ({ target }) => target[k]!)
        const spread = weighing(samples, ({ target }) => (target[k]! - mean) ** 2)
        return 1 - weighing(samples, ({ prediction, target }) => (prediction[k]! - target[k]!) ** 2) / spread
      }),
    ) / outputs
  )
}
const logSoftmax = (logits: readonly number[]): number[] => {
  const most = Math.max(...logits)
  const total = most + Math.log(sum(logits.map((z) => Math.exp(z - most))))
  return logits.map((z) => z - total)
}
const column: Pick<MetricRow, 'prediction' | 'target'> = { prediction: numbers(), target: numbers() }
const outputs: Pick<MetricRow, 'prediction' | 'target'> = { prediction: numbers(2, 2), target: numbers(2, 2) }
const regressions: readonly MetricRow[] = [
  ...[column, outputs].flatMap((drawn, i): readonly MetricRow[] => [
    { name: `meanAbsoluteError ${i}`, measure: meanAbsoluteError(), ...drawn, reference: meanOf(Math.abs) },
    {
      name: `meanSquaredError ${i}`,
      measure: meanSquaredError(),
      ...drawn,
      reference: meanOf((e) => e ** 2),
    },
    {
      name: `rootMeanSquaredError ${i}`,
      measure: rootMeanSquaredError(),
      ...drawn,
      reference: (samples) => Math.sqrt(meanOf((e) => e ** 2)(samples)),
    },
    { name: `r2 ${i}`, measure: r2(), ...drawn, reference: determination },
  ]),
  {
    name: 'perplexity of logits',
    measure: perplexity(),
    ...three,
    reference: (samples) =>
      Math.exp(-weighing(samples, ({ prediction, target }) => logSoftmax(prediction)[target[0]!]!)),
  },
  {
    name: 'perplexity of sequences',
    measure: perplexity(),
    prediction: numbers(2, 3),
    target: labels(3, 2),
    reference: (samples) =>
      Math.exp(
        -weighing(
          samples,
          ({ prediction, target }) =>
            sum(range(2).map((i) => logSoftmax(prediction.slice(3 * i, 3 * i + 3))[target[i]!]!)) / 2,
        ),
      ),
  },
  {
    name: 'perplexity of probabilities, rows',
    measure: perplexity({ from: 'probabilities' }),
    prediction: probabilities(3),
    target: probabilities(3),
    reference: (samples) =>
      Math.exp(
        -weighing(samples, ({ prediction, target }) =>
          sum(target.map((q, k) => q * Math.log(prediction[k]!))),
        ),
      ),
  },
]

/** Every measure. A new one is a row. */
export const rows: readonly MetricRow[] = [
  ...accuracies,
  ...classRates,
  ...matrices,
  ...curves,
  ...regressions,
]
