import type { Operand } from './apply.ts'
import type { Domain, Draw, ErrorInput, Sample } from './operation.ts'
import { type ReduceOptions, reducedCount } from './reduction.ts'
import type { Shape } from './shape.ts'
import type { SpreadOptions } from './squares.ts'
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

/** Samples a variance, or what is made of one. */
export function spreadSample(call: (x: Tensor, options: SpreadOptions) => Tensor): (draw: Draw) => Sample {
  return (draw) => {
    const shape = draw.shape(0, 4)
    const axis = shape.map((_, i) => i).filter(() => draw.integer(0, 1) === 1)
    const keepDims = draw.integer(0, 1) === 1
    // There must be something left to divide by.
    const correction = reducedCount(shape, axis) > 1 ? draw.pick([0, 1, 0.5]) : 0
    return { shapes: [shape], call: (x) => call(x!, { axis, keepDims, correction }) }
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

/** The errors that every reduction has. */
export function reduceErrors(
  name: string,
  call: (x: Tensor, options: ReduceOptions) => unknown,
): ErrorInput[] {
  return [
    {
      call: () => call(tensor([1]), { axis: 1 }),
      kind: 'RangeError',
      message: `${name}: axis 1 is out of range for rank 1; use -1 to 0`,
    },
    {
      call: () => call(tensor([[1]]), { axis: [0, -2] }),
      kind: 'RangeError',
      message: `${name}: axis 0 is named twice; name each axis once`,
    },
    {
      call: () => call(tensor([1]), { axis: 0.5 }),
      kind: 'TypeError',
      message: `${name}: axis must be an integer, got 0.5`,
    },
    {
      call: () => call(tensor([1]), { axis: 'x' as unknown as number }),
      kind: 'TypeError',
      message: `${name}: axis must be an integer or an array of integers, got a string`,
    },
    {
      call: () => call(tensor([1]), { keepDims: 1 as unknown as boolean }),
      kind: 'TypeError',
      message: `${name}: keepDims must be true or false, got a number; leave it out for false`,
    },
    {
      call: () => call(1 as unknown as Tensor, {}),
      kind: 'TypeError',
      message: `${name}: a tensor is needed, got a number; wrap numbers and arrays in t.tensor`,
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
