import { chain, clipByGlobalNorm, descend } from '@tapeflow/optim'
import type { Reference, Row } from './row.ts'

/** w = w - lr change(g), as plain descent through one link. */
const through =
  (rate: number, change: (gradients: readonly number[]) => readonly number[]): Reference =>
  (params, gradients) => {
    const changed = change(gradients)
    return params.map((w, i) => w - rate * changed[i]!)
  }

export const rows: readonly Row[] = [
  {
    name: 'clipByGlobalNorm',
    optimizer: (rate) => chain(clipByGlobalNorm(2), descend({ learningRate: rate })),
    trees: 1,
    reference: (rate) =>
      through(rate, (gradients) => {
        const factor = 2 / Math.max(2, Math.hypot(...gradients))
        return gradients.map((g) => g * factor)
      }),
  },
]
