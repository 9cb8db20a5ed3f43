import { mean, sub } from '@tapeflow/autodiff'
import { directing } from '../rule.ts'
import type { Transform } from '../transform.ts'

/**
 * Gradient centralization: subtracts, for each output, the mean of its incoming weights' updates. Of a tensor of at least two axes
 * that is the mean over all but the last: weights are [in, out], filters [height, width, in, out]. Others, biases and scales of
 * norms, pass through as they are.
 *
 * With `masked` tables that are looked up in, as embeddings, are left out. PyTorch's weights have outputs first: there it is the
 * mean over all axes but the first.
 *
 * @returns a link of a `chain`, with nothing to set
 * @example
 * const link = centralize()
 * const updates = { bias: t.tensor([1, 3]), weight: t.tensor([[1, 10], [3, 30]]) }
 * const made = link.update(updates, {}, updates, link.hyper(0)).updates
 * made.weight.toArray() // => [[-1, -10], [1, 10]]
 * made.bias.toArray() // => [1, 3]
 *
 * Yong, Huang, Hua & Zhang 2020, Gradient centralization: a new optimization technique for deep neural networks.
 */
export function centralize(): Transform<never> {
  return directing<never, never>({
    name: 'centralize',
    slots: [],
    values: {},
    ranges: {},
    leaf: () => (_, u) => {
      if (u.rank < 2) return [u]
      const incoming = Array.from({ length: u.rank - 1 }, (_, axis) => axis)
      return [sub(u, mean(u, { axis: incoming, keepDims: true }))]
    },
  })
}
