import { failRange, type Shape, sameShape, showShape, type Tensor } from '@tapeflow/autodiff'
import { checkTensor, checkWeights } from '../targets.ts'

/**
 * How much each of `count` things counts.
 *
 * @param weights of the shape `[rows]` or `leading`; ones where they are left out
 * @param leading the axes that weights may have; the things of a batch are in the order of these axes
 */
export function weightOf(
  operation: string,
  weights: Tensor | undefined,
  leading: Shape,
  count: number,
): (i: number) => number {
  if (weights === undefined) return () => 1
  checkTensor(operation, 'weights', weights)
  if (leading.length <= 1) checkWeights(operation, weights, leading)
  else if (!sameShape(weights.shape, leading) && !sameShape(weights.shape, leading.slice(0, 1))) {
    failRange(
      operation,
      `the weights must have shape ${showShape(leading.slice(0, 1))} or ${showShape(leading)}, got ${showShape(weights.shape)}`,
      'pass one number for each row of the prediction',
    )
  }
  const values = weights.toFloat32Array()
  const each = count / values.length
  return (i) => values[Math.floor(i / each)]!
}
