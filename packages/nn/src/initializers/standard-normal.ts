import { type Key, normal, type Shape, type Tensor } from '@tapeflow/autodiff'

/** Normal numbers of mean 0 and variance 1, whatever the fans. */
export function standardNormal(key: Key, shape: Shape): Tensor {
  return normal(key, shape)
}
