import { showShape, Tensor, visitLeaves } from '@tapeflow/autodiff'

/**
 * The shapes of a tree's tensors by path, as text.
 *
 * @example
 * shapesByPath({ layers: [{ weight: t.zeros([2, 3]) }, null] }) // => { 'layers.0.weight': '[2,3]' }
 */
export function shapesByPath(tree: unknown): Record<string, string> {
  const shapes: Record<string, string> = {}
  visitLeaves(tree, (leaf, path) => {
    if (leaf instanceof Tensor) shapes[path] = showShape(leaf.shape)
  })
  return shapes
}
