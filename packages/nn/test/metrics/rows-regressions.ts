import { meanAbsoluteError, meanSquaredError, perplexity, r2, rootMeanSquaredError } from '../../src/index.ts'
import { four } from './draws.ts'
import {
  labels,
  type MetricRow,
  numbers,
  probabilities,
  range,
  type Sample,
  sum,
  weighing,
} from './metric-row.ts'

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
export const regressions: readonly MetricRow[] = [
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
    ...four,
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
