import type { Operand } from './apply.ts'
import type { Domain, Draw, ErrorInput, Sample } from './operation.ts'
import type { ReduceOptions } from './reduction.ts'
import type { Shape } from './shape.ts'
import { type Tensor, tensor } from './tensor.ts'

/** Anywhere that is ordinary: no overflow, no cancellation to speak of. */
export const ordinary: Domain = { low: -3, high: 3 }

/** Samples a function of one tensor of any shape. */
export function unarySample(call: (x: Tensor) => Tensor): (draw: Draw) => Sample {
  return (draw) => ({ shapes: [draw.shape(0, 3)], call })
}

/** Samples a function of two tensors whose shapes broadcast. */
export function binarySample(call: (a: Tensor, b: Tensor) => Tensor): (draw: Draw) => Sample {
  return (draw) => ({ shapes: broadcastable(draw, 2), call })
}

/**
 * Samples a reduction over some axes of a tensor.
 *
 * @param least the smallest size of an axis: 1 where there must be something to reduce
 */
export function reduceSample(
  call: (x: Tensor, options: ReduceOptions) => Tensor,
  least = 0,
): (draw: Draw) => Sample {
  return (draw) => {
    const shape = draw.shape(0, 4).map((size) => Math.max(least, size))
    const axis = shape.map((_, i) => i).filter(() => draw.integer(0, 1) === 1)
    const keepDims = draw.integer(0, 1) === 1
    return { shapes: [shape], call: (x) => call(x!, { axis, keepDims }) }
  }
}

/**
 * Draws shapes that broadcast to one: axes are stretched or left out at random.
 *
 * @example
 * const smallest = { integer: (low) => low, pick: ([first]) => first, shape: () => [2, 3] }
 * broadcastable(smallest, 2) // => [[2, 3], [2, 3]]
 */
export function broadcastable(draw: Draw, count: number): Shape[] {
  const full = draw.shape(0, 4)
  return Array.from({ length: count }, () => {
    const missing = draw.integer(0, 3) === 3 ? draw.integer(0, full.length) : 0
    return full.slice(missing).map((size) => (draw.integer(0, 3) === 3 ? 1 : size))
  })
}

/** The errors that every operation of one operand has. */
export function unaryErrors(name: string, call: (x: Operand) => unknown): ErrorInput[] {
  return [
    {
      call: () => call('1' as unknown as Operand),
      kind: 'TypeError',
      message: `${name}: operands must be tensors or numbers, got a string; wrap arrays in t.tensor`,
    },
  ]
}

/** The errors that every broadcasting operation of two operands has. */
export function binaryErrors(name: string, call: (a: Operand, b: Operand) => unknown): ErrorInput[] {
  return [
    ...unaryErrors(name, (x) => call(x, 1)),
    {
      call: () => call(1, [2] as unknown as Operand),
      kind: 'TypeError',
      message: `${name}: operands must be tensors or numbers, got an array; wrap arrays in t.tensor`,
    },
    {
      call: () => call(tensor([1, 2, 3]), tensor([1, 2])),
      kind: 'RangeError',
      message: `${name}: shapes do not broadcast, got [3] and [2]; sizes must be equal or 1, matched from the last axis`,
    },
  ]
}
