import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of rectified linear units: y = max(x, 0), element by element. No parameters, any shape.
 *
 * The gradient at 0 is 0; NaN stays NaN. Weights before it are best drawn by `heNormal` or `heUniform`.
 *
 * @example
 * relu().apply(null, null, t.tensor([[-1, 2]]), { training: true, path: '' }).y.toArray() // => [[0, 2]]
 *
 * Nair & Hinton: Rectified linear units improve restricted Boltzmann machines (ICML 2010)
 */
export function relu(): SizePreserving<null, null> {
  return activation('relu', t.relu, { type: 'relu' })
}
