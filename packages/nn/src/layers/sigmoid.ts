import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of logistic sigmoids: y = 1 / (1 + exp(-x)), between 0 and 1, element by element. No parameters, any shape.
 *
 * Its slope is at most 1/4, so a deep stack of them passes little gradient down: between layers prefer `relu` or `tanh`. Weights
 * before it are best drawn by `glorotUniform`, the default.
 *
 * @example
 * sigmoid().apply(null, null, t.tensor([[-200, 0, 200]]), { training: true, path: '' }).y.toArray() // => [[0, 0.5, 1]]
 *
 * Rumelhart, Hinton, Williams: Learning representations by back-propagating errors (Nature 1986)
 */
export function sigmoid(): SizePreserving<null, null> {
  return activation('sigmoid', t.sigmoid, { type: 'sigmoid' })
}
