import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer that gives what it gets: y = x, the very tensor. No parameters, any shape. It stands where an activation is expected and none
 * is wanted: layers with nothing else between them are one linear layer.
 *
 * @example
 * const x = t.tensor([[1, 2]])
 * identity().apply(null, null, x, { training: true, path: '' }).y === x // => true
 */
export function identity(): SizePreserving<null, null> {
  return activation('identity', (x) => x)
}
