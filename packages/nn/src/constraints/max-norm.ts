import * as t from '@tapeflow/autodiff'
import { type Constraint, lengths, type NormAxes } from './incoming.ts'

/**
 * A constraint on lengths: the weights that come into a unit are scaled down to a length of `limit` where they are longer, and
 * stay as they are where they are not. w · min(1, limit / |w|).
 *
 * @param limit above 0
 * @param options.axis along which the weights of one unit lie; all but the last by default, all of a vector
 * @throws RangeError for another limit
 * @example
 * maxNorm(1)(t.tensor([[3, 0.5], [4, 0]])).toArray() // => [[Math.fround(0.6), 0.5], [Math.fround(0.8), 0]]
 *
 * Srebro & Shraibman: Rank, trace-norm and max-norm (2005); Srivastava et al.: Dropout (JMLR 2014)
 */
export function maxNorm(limit: number, options: NormAxes = {}): Constraint {
  t.knownOptions('maxNorm', options, 'axis')
  if (!(limit > 0 && limit < Number.POSITIVE_INFINITY))
    t.failRange('maxNorm', `the limit must be finite and above 0, got ${String(limit)}`)
  return (weights) => t.scope(() => t.mul(weights, t.minimum(t.div(limit, lengths(weights, options)), 1)))
}
