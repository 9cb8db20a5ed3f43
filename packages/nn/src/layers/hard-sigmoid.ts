import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of sigmoids of three lines: y = min(max(x + 3, 0), 6) / 6, from 0 to 1, element by element. No parameters, any shape.
 *
 * The gradient is 1/6 between -3 and 3, and 0 elsewhere, at the kinks too. Weights before it are best drawn by `glorotUniform`,
 * the default. Keras up to version 2 had min(max(x/5 + 1/2, 0), 1).
 *
 * @example
 * hardSigmoid().apply(null, null, t.tensor([[-4, 0, 4]]), { training: true, path: '' }).y.toArray() // => [[0, 0.5, 1]]
 *
 * Howard et al.: Searching for MobileNetV3 (ICCV 2019)
 */
export function hardSigmoid(): SizePreserving<null, null> {
  return activation('hardSigmoid', t.hardSigmoid, { type: 'hardSigmoid' })
}
