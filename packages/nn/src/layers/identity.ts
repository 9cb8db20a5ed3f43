import type { SizePreserving } from '../layer.ts'
import { activation } from './activation.ts'

/**
 * A layer that gives what it gets: y = x, the same tensor. No parameters, any shape; its derivative is 1.
 *
 * Linear layers with nothing else between them are one linear layer. It fills a place where an activation is asked for, and
 * the branch of `parallel` that passes x on. Weights before it are best drawn by `glorotUniform`, the default.
 *
 * @example
 * const x = t.tensor([[-2, 3]])
 * identity().apply(null, null, x, { training: true, path: '' }).y === x // => true
 */
export function identity(): SizePreserving<null, null> {
  return activation('identity', (x) => x, { type: 'identity' })
}
