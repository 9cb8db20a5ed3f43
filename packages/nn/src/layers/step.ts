import * as t from '@tapeflow/autodiff'
import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer of unit steps: y = 1 where x >= 0, at 0 too, else 0, element by element. No parameters, any shape.
 *
 * Its derivative is 0 everywhere, at 0 too: nothing before it learns by gradients, whatever its weights are drawn by.
 *
 * @example
 * step().apply(null, null, t.tensor([[-2, 0, 3]]), { training: true, path: '' }).y.toArray() // => [[0, 1, 1]]
 *
 * Rosenblatt: The perceptron: a probabilistic model for information storage and organization in the brain (Psychological Review 1958)
 */
export function step(): SizePreserving<null, null> {
  return activation('step', t.step, { type: 'step' })
}
