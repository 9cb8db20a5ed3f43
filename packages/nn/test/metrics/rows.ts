import type { MetricRow } from './metric-row.ts'
import { accuracies } from './rows-accuracies.ts'
import { classRates } from './rows-class-rates.ts'
import { curves } from './rows-curves.ts'
import { matrices } from './rows-matrices.ts'
import { regressions } from './rows-regressions.ts'

/** Every measure. A new one is a row. */
export const rows: readonly MetricRow[] = [
  ...accuracies,
  ...classRates,
  ...matrices,
  ...curves,
  ...regressions,
]
