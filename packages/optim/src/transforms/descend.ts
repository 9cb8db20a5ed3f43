import { knownOptions } from '@tapeflow/autodiff'
import type { Optimizer, Schedule } from '../optimizer.ts'
import { descending } from '../rule.ts'

/** What `descend` takes. */
export interface DescendOptions {
  /** The rate lr: from 0 on, or a schedule. */
  readonly learningRate: number | Schedule
}

/**
 * The end of a `chain`: W = W - lr u, with u the updates that came through it. On its own it is `sgd` without momentum.
 *
 * @throws RangeError where the rate is out of range; TypeError where it is no number
 * @example
 * const optimizer = chain(clipByGlobalNorm(1), descend({ learningRate: 0.5 }))
 * const params = { w: t.tensor([1, 2]) }
 * const gradients = { w: t.tensor([30, 40]) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.w.toArray().map((w) => w.toFixed(4)) // => ['0.7000', '1.6000']
 */
export function descend(options: DescendOptions): Optimizer<never> {
  const { learningRate } = knownOptions('descend', options, 'learningRate')
  return descending<never, never>(
    { name: 'descend', slots: [], values: {}, ranges: {}, leaf: () => (_, u) => [u] },
    learningRate,
  )
}
