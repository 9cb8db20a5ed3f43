import { apply, tensorOperand } from '../apply.ts'
import { failRange, shown } from '../fail.ts'
import { checkIndices } from '../indices.ts'
import { wasm } from '../kernels/wasm.ts'
import { heapFloats } from '../memory.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { type Tensor, tensor } from '../tensor.ts'

interface Depth {
  readonly depth: number
}

export const oneHotOperation: Operation<Depth, [Tensor]> = /*@__PURE__*/ defineOperation<Depth, [Tensor]>({
  name: 'oneHot',
  doc: 'a row for each index: 1 at that place, 0 elsewhere',
  shape: ([x], { depth }) => [...x!.shape, depth],
  reference: ([x], { depth }) => {
    const result = new Float64Array(x!.values.length * depth)
    for (const [i, index] of Array.from(x!.values).entries()) result[i * depth + index] = 1
    return result
  },
  kernel: (output, [x], { depth }) => {
    wasm().fill(output.offset, output.size, 0)
    const floats = heapFloats()
    for (let i = 0; i < x.size; i++) floats[output.offset / 4 + i * depth + floats[x.offset / 4 + i]!] = 1
  },
  batch: 'axes',
  vjp: [null],
})

/**
 * A row for each index: 1 at that place, 0 elsewhere. It has no gradient.
 *
 * @param indices integers from 0 to depth - 1, any shape
 * @param depth the length of a row
 * @returns the shape of `indices` with an axis of size `depth` at the end
 * @throws RangeError when an index is no integer in range: names it and its place
 * @example
 * t.oneHot(t.tensor([2, 0]), 3).toArray() // => [[0, 0, 1], [1, 0, 0]]
 */
export function oneHot(indices: Tensor, depth: number): Tensor {
  const from = tensorOperand('oneHot', indices)
  if (!Number.isInteger(depth) || depth < 1)
    failRange('oneHot', `depth must be an integer from 1 on, got ${shown(depth)}`)
  checkIndices('oneHot', from, depth)
  return apply(oneHotOperation, [from], { depth })
}

export const info: readonly OperationInfo[] = [
  {
    operation: oneHotOperation,
    sample: (draw) => {
      const depth = draw.integer(6, 20)
      return { shapes: [draw.shape(0, 2)], call: (x) => oneHot(x!, depth) }
    },
    domains: [{ low: 0, high: 5, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => oneHot(tensor([0, 3]), 3),
        kind: 'RangeError',
        message: 'oneHot: index 3 at place 1 is not an integer from 0 to 2; count classes from 0',
      },
      {
        call: () => oneHot(tensor([0.5]), 3),
        kind: 'RangeError',
        message: 'oneHot: index 0.5 at place 0 is not an integer from 0 to 2; count classes from 0',
      },
    ],
  },
]
