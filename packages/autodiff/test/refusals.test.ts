import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

/** Calls a function with what its types forbid. */
const loose = (f: unknown) => f as (...given: unknown[]) => unknown

const x = t.tensor([
  [1, 2],
  [3, 4],
])

/** An array with a hole at place 1. */
function holed(value: unknown): unknown[] {
  const array: unknown[] = [value]
  array[2] = value
  return array
}

const refused: readonly [call: () => unknown, message: string][] = [
  // A misspelt or misplaced option was ignored: sum(x, 0) summed everything.
  [() => loose(t.sum)(x, { axes: 0 }), "sum: unknown option 'axes'; use axis, keepDims"],
  [() => loose(t.mean)(x, { keepdims: true }), "mean: unknown option 'keepdims'; use axis, keepDims"],
  [() => loose(t.max)(x, 0), 'max: options must be an object, got 0; write { axis: … }'],
  [() => loose(t.argMax)(x, null), 'argMax: options must be an object, got null; write { axis: … }'],
  [
    () => loose(t.matmul)(x, x, { transpose_b: true }),
    "matmul: unknown option 'transpose_b'; use transposeA, transposeB",
  ],
  [
    () => loose(t.matmul)(x, x, true),
    'matmul: options must be an object, got a boolean; write { transposeA: … }',
  ],
  [() => loose(t.concat)([x, x], 1), 'concat: options must be an object, got 1; write { axis: … }'],
  [
    () => loose(t.sum)(x, { keepDims: 'no' }),
    'sum: keepDims must be true or false, got a string; leave it out for false',
  ],
  // Array.from made no axes of an object: nothing was summed.
  [
    () => loose(t.sum)(x, { axis: {} }),
    'sum: axis must be an integer or an array of integers, got an object',
  ],
  [() => loose(t.sum)(x, { axis: null }), 'sum: axis must be an integer or an array of integers, got null'],
  // These met errors of the language, not of the house.
  [
    () => loose(t.reshape)(x),
    'reshape: shape must be an array of integers, got undefined; pass [rows, columns]',
  ],
  [
    () => loose(t.broadcastTo)(x, null),
    'broadcastTo: shape must be an array of integers, got null; pass [rows, columns]',
  ],
  [() => loose(t.transpose)(x, 0), 'transpose: axes must be an array, got a number'],
  [() => loose(t.slice)(x, null), 'slice: begin and end must be integers or arrays of them, got null'],
  [
    () => loose(t.pad)(x, [null, null]),
    'pad: rank 2 needs a pair of integers from 0 on for each axis, got [null,null]',
  ],
  [
    () => loose(t.concat)(holed(x)),
    'concat: a tensor is needed, got undefined; wrap numbers and arrays in t.tensor',
  ],
  [
    () => t.sumTo(x, [3]),
    'sumTo: [3] does not broadcast to [2,2]; sizes must be equal or 1, matched from the last axis',
  ],
  // Creation named another function, or came out as NaN.
  [() => t.zeros([-1]), 'zeros: sizes must be integers from 0 on, got [-1]'],
  [
    () => loose(t.onesLike)(1),
    'onesLike: a tensor is needed, got a number; wrap numbers and arrays in t.tensor',
  ],
  [() => loose(t.linspace)('0', 1, 3), 'linspace: start and stop must be finite, got a string and 1'],
  [
    () => loose(t.normal)(t.key(1), [2], { mean: 1 }),
    'normal: mean must be a number, got an object; pass it by position',
  ],
  [() => t.normal(t.key(1), [2], Number.NaN), 'normal: mean must be finite, got NaN'],
  [() => loose(t.normal)(1, [2]), 'normal: expected a key, got a number; make one with key(seed)'],
  [
    () => loose(t.tensor)(new BigInt64Array(0)),
    'tensor: data must be numbers, got a BigInt64Array; convert to Float32Array first',
  ],
  // The gradient of a number was that number.
  [
    () => loose(t.grad((y: t.Tensor) => t.mul(y, y)))(3),
    'grad: inputs must be tensors, got the number 3; wrap it in t.tensor to differentiate by it',
  ],
  [() => loose(t.grad)(x), 'grad: a function is needed, got a Tensor; pass x => … instead of its result'],
  [() => loose(t.scope)(3), 'scope: a function is needed, got a number; pass x => … instead of its result'],
  // Trees lost what one of them lacked, and what is no tree.
  [
    () => t.zipTensors([{ a: x }, { a: x, b: x }], (a) => a.rank),
    "zipTensors: only tree 1 has a tensor at 'b'; pass trees of one structure",
  ],
  [
    () => t.fromSnapshot({ a: new Map() }),
    "tree: leaves must be tensors, keys, numbers or null, got a Map at 'a'; trees are plain objects and arrays",
  ],
  [
    () => t.mapTree(holed(1), (leaf) => leaf),
    "tree: leaves must be tensors, keys, numbers or null, got undefined at '1'; trees are plain objects and arrays",
  ],
]

describe('bad input', () => {
  for (const [call, message] of refused) {
    it(`is refused in words, and takes no memory: ${message}`, () => {
      const { tensors, bytes } = t.memory()
      let thrown: unknown
      try {
        call()
      } catch (error) {
        thrown = error
      }
      expect(thrown).toMatchObject({ message, operation: message.split(':')[0] })
      expect(t.memory()).toMatchObject({ tensors, bytes })
    })
  }
})

describe('empty axes', () => {
  it('have gradients of their shape through a largest of nothing', () => {
    // Cause: the rule of max asked for the place of a largest element in rows of none.
    const f = (y: t.Tensor): t.Tensor => t.sum(t.max(y, { axis: 1 }))
    expect(t.grad(f)(t.zeros([0, 0])).shape).toEqual([0, 0])
    expect(t.grad((y: t.Tensor) => t.sum(t.grad(f)(y)))(t.zeros([0, 0])).shape).toEqual([0, 0])
  })
})

it('refuses integers that float32 cannot hold, and arrays that contain themselves', () => {
  expect(() => t.arange(2 ** 24 - 1, 2 ** 24 + 2)).toThrow(
    'arange: integers are exact to 2^24, got 16777215 to 16777217; use smaller numbers',
  )
  expect(t.arange(2 ** 24 - 1, 2 ** 24 + 1).toArray()).toEqual([2 ** 24 - 1, 2 ** 24])
  const loop: unknown[] = []
  loop.push(loop)
  expect(() => t.tensor(loop as number[])).toThrow(
    'tensor: arrays are nested more than 32 deep; does one contain itself?',
  )
})
