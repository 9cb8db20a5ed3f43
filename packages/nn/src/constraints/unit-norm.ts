import * as t from '@tapeflow/autodiff'
import { type Constraint, lengths, type NormAxes } from './incoming.ts'

/**
 * A constraint on lengths: the weights that come into a unit are scaled to a length of 1. w / |w|; zeros stay zeros.
 *
 * @param options.axis along which the weights of one unit lie; all but the last by default, all of a vector
 * @example
 * unitNorm()(t.tensor([[3, 0], [4, 0]])).toArray() // => [[Math.fround(0.6), 0], [Math.fround(0.8), 0]]
 */
export function unitNorm(options: NormAxes = {}): Constraint {
  t.knownOptions('unitNorm', options, 'axis')
  return (weights) =>
    t.scope(() => {
      const length = lengths(weights, options)
      return t.div(weights, t.where(t.equal(length, 0), 1, length))
    })
}
