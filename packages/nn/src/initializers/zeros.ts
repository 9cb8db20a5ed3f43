import * as t from '@tapeflow/autodiff'

/**
 * Zeros: what biases start from. For weights it is a mistake: units that start equal stay equal.
 *
 * @param _key not used: there is nothing to draw
 * @param shape the parameter's shape
 * @example
 * zeros(t.key(1), [3], 2, 3).toArray() // => [0, 0, 0]
 */
export function zeros(_key: t.Key, shape: t.Shape, _fanIn?: number, _fanOut?: number): t.Tensor {
  return t.zeros(shape)
}
