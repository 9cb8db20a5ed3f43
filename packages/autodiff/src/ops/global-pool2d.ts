import { tensorOperand } from '../apply.ts'
import type { Tensor } from '../tensor.ts'
import { checkImages } from '../windows.ts'
import { max } from './max.ts'
import { mean } from './mean.ts'

/**
 * The largest pixel of each image, channel by channel; NaN where there is one. The gradient goes to the first of several.
 *
 * @param x `[batch, height, width, channels]`
 * @returns `[batch, channels]`
 * @throws RangeError when there are not four axes, or no pixels
 * @example
 * t.globalMaxPool2d(t.tensor([[[[1, 5], [2, 4]]]])).toArray() // => [[2, 5]]
 */
export function globalMaxPool2d(x: Tensor): Tensor {
  checkImages('globalMaxPool2d', 'images', tensorOperand('globalMaxPool2d', x).shape)
  return max(x, { axis: [1, 2] })
}

/**
 * The mean pixel of each image, channel by channel; NaN where there are none.
 *
 * @param x `[batch, height, width, channels]`
 * @returns `[batch, channels]`
 * @throws RangeError when there are not four axes
 * @example
 * t.globalAvgPool2d(t.tensor([[[[1, 5], [2, 4]]]])).toArray() // => [[1.5, 4.5]]
 */
export function globalAvgPool2d(x: Tensor): Tensor {
  checkImages('globalAvgPool2d', 'images', tensorOperand('globalAvgPool2d', x).shape)
  return mean(x, { axis: [1, 2] })
}
