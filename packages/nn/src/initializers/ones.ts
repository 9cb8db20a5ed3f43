import * as t from '@tapeflow/autodiff'

/**
 * Ones: what scales start from.
 *
 * @param _key not used: there is nothing to draw
 * @param shape the parameter's shape
 * @example
 * ones(t.key(1), [3], 2, 3).toArray() // => [1, 1, 1]
 */
export function ones(_key: t.Key, shape: t.Shape, _fanIn?: number, _fanOut?: number): t.Tensor {
  return t.ones(shape)
}
