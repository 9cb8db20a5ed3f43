import { f1, precision, recall } from '../../src/index.ts'
import { classes, occurrences, two, twoColumns } from './draws.ts'
import { type MetricRow, range, type Sample } from './metric-row.ts'
import { macro, ofClasses, ofThreshold, type Pair, rates, right, weighted } from './pairs.ts'

const functions = { precision, recall, f1 }
export const classRates: readonly MetricRow[] = (['precision', 'recall', 'f1'] as const).flatMap(
  (name): readonly MetricRow[] => {
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
      ...occurrences.flatMap((drawn, i): readonly MetricRow[] => [
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
  },
)
