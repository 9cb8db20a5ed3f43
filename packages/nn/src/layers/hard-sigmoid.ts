import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of sigmoids of three lines: y = min(max(x + 3, 0), 6) / 6, element by element. No parameters, any shape.
 *
 * As PyTorch and Keras 3 have it; Keras up to 2 had min(max(x/5 + 1/2, 0), 1). The gradient at the kinks, -3 and 3, is 0.
 *
 * @example
 * hardSigmoid().apply(null, null, t.tensor([[-4, 0, 4]]), { training: true, path: '' }).y.toArray() // => [[0, 0.5, 1]]
 *
 * Howard, Sandler, Chu and others: Searching for MobileNetV3 (ICCV 2019)
 */
export function hardSigmoid(): SizePreserving<null, null> {
  return activation('hardSigmoid', t.hardSigmoid)
}
