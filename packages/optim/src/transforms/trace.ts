import { add, knownOptions, mul } from '@tapeflow/autodiff'
import { fraction } from '../range.ts'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/** What `trace` takes. */
export interface TraceOptions {
  /** β: how much of the trace is kept, from 0 to below 1. */
  readonly decay: number
  /** Whether updates look one step ahead, as Nesterov's do; false by default. */
  readonly nesterov?: boolean
}

/**
 * A trace of past updates, which becomes the update: PyTorch's momentum buffer.
 *
 *     V = β V + u
 *     u = V              with nesterov: u = β V + u
 *
 * V starts at 0 and is a sum, not an average: under updates that stay it grows up to u / (1 - β); `ema` is the average. Before
 * `descend` it is `momentum` with `rate: 'outside'`, and with `nesterov` that one's.
 *
 * @returns a link of a `chain` with the slot `trace`
 * @throws RangeError where the decay is out of range; TypeError where it is no number
 * @example
 * const optimizer = chain(trace({ decay: 0.5 }), descend({ learningRate: 0.5 }))
 * const one = optimizer.update([t.tensor(2)], optimizer.init([t.tensor(10)]), [t.tensor(10)], optimizer.hyper(0))
 * one.params[0].item() // => 9
 * const two = optimizer.update([t.tensor(2)], one.slots, one.params, optimizer.hyper(1))
 * two.params[0].item() // => 7.5
 *
 * Sutskever, Martens, Dahl & Hinton 2013, On the importance of initialization and momentum in deep learning.
 */
export function trace(options: TraceOptions): Transform<'trace'> {
  const { decay, nesterov = false } = knownOptions('trace', options, 'decay nesterov')
  return directing<'trace', 'decay'>({
    name: 'trace',
    slots: ['trace'],
    values: { decay },
    ranges: { decay: fraction },
    leaf: (number) => {
      const beta = number('decay')
      return (_, u, before) => {
        const now = add(mul(before!, beta), u)
        return [nesterov ? add(mul(now, beta), u) : now, now]
      }
    },
  })
}
