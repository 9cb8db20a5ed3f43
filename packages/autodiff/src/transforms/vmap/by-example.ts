import { applyAgain } from '../../compile/again.ts'
import { zeros } from '../../creation.ts'
import type { Key } from '../../key.ts'
import type { Operation } from '../../operation.ts'
import { concat } from '../../ops/concat.ts'
import { reshape } from '../../ops/reshape.ts'
import { slice } from '../../ops/slice.ts'
import type { Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'

/** Example number `i` of tensors that stand along the first axis: a view. */
export function exampleOf(x: Tensor, i: number): Tensor {
  return reshape(slice(x, i, i + 1), x.shape.slice(1))
}

/**
 * Tensors of one shape along a new first axis.
 *
 * @param shape that of each, should there be none
 */
export function stackExamples(examples: readonly Tensor[], shape: Shape): Tensor {
  if (examples.length === 0) return zeros([0, ...shape])
  return concat(examples.map((x) => reshape(x, [1, ...x.shape])))
}

/**
 * What an operation gives for each example, applied to one after the other: right for every operation.
 *
 * @param inputOf operand number `k` of example `i`
 * @param keyOf what stands for a key that was recorded, in example `i`
 */
export function byExample(
  operation: Operation,
  operands: number,
  attributes: unknown,
  size: number,
  inputOf: (k: number, i: number) => Tensor,
  keyOf: (i: number) => (key: Key) => Key,
): readonly Tensor[] {
  return Array.from({ length: size }, (_, i) => {
    const inputs = Array.from({ length: operands }, (_, k) => inputOf(k, i))
    return applyAgain(operation, inputs, attributes, keyOf(i))
  })
}
