import { auc, precisionRecallCurve, rocCurve } from '../../src/index.ts'
import { two, twoColumns } from './draws.ts'
import { type MetricRow, type Sample, sum } from './metric-row.ts'

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

export const curves: readonly MetricRow[] = [two, twoColumns].flatMap((drawn, i): readonly MetricRow[] => [
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
