import { apply } from '../../apply.ts'
import type { Operation } from '../../operation.ts'
import { reshape } from '../../ops/reshape.ts'
import type { Tensor } from '../../tensor.ts'
import { isPlain } from '../../tree.ts'
import type { BatchingRule } from './map-examples.ts'

/** The rule of an operation: its own, or what follows from its being elementwise, or a reduction. */
export function ruleOf(operation: Operation): BatchingRule | null {
  const { batch, expression, reduces } = operation
  if (batch !== undefined) return (...given) => operation.batch!(...given)
  if (expression !== undefined) return elementwise(operation)
  if (reduces !== undefined) return reduction(operation)
  return null
}

// Shapes are matched from the last axis, so that of the examples must stand in front of all others.
function elementwise(operation: Operation): BatchingRule {
  return (inputs, attributes, isBatched, size) => {
    // What is broadcast to a shape is broadcast to that for each example.
    if (isPlain(attributes) && Array.isArray(attributes['shape'])) {
      const shape: readonly number[] = [size, ...attributes['shape']]
      return apply(operation, [withRank(inputs[0]!, shape.length)], { ...attributes, shape })
    }
    const rank = rankOf(inputs, isBatched)
    const aligned = inputs.map((x, i) => (isBatched[i] ? withRank(x, rank) : x))
    return apply(operation, aligned, attributes)
  }
}

function rankOf(inputs: readonly Tensor[], isBatched: readonly boolean[]): number {
  return Math.max(...inputs.map((x, i) => (isBatched[i] ? x.rank : x.rank + 1)))
}

/** Examples of a higher rank: axes of size 1 stand behind the first axis. */
export function withRank(x: Tensor, rank: number): Tensor {
  const [size, ...shape] = x.shape
  return reshape(x, [size!, ...new Array<number>(rank - x.rank).fill(1), ...shape])
}

function reduction(operation: Operation): BatchingRule {
  return (inputs, attributes) => {
    if (!isPlain(attributes)) return null
    return apply(operation, inputs, {
      ...attributes,
      axes: operation.reduces!(attributes).map((axis) => axis + 1),
    })
  }
}
