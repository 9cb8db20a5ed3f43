import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { checkGradient, withoutKernel } from '../src/testing.ts'

const x = t.tensor([
  [1, 2, 3],
  [4, 5, 6],
])

describe('views', () => {
  const views: Readonly<Record<string, () => t.Tensor>> = {
    squeeze: () => t.squeeze(t.slice(x, 1), { axis: 0 }),
    expandDims: () => t.expandDims(x, [0, -1]),
    flatten: () => t.flatten(x),
    'split along axis 0': () => t.split(x, 2)[1]!,
    'roll by nothing': () => t.roll(x, 3, { axis: 1 }),
    'flip of axes of size 1': () => t.flip(t.expandDims(x, 0), { axis: 0 }),
    'pad by nothing at the edges': () => t.pad(x, 0, { mode: 'edge' }),
    'permute in order': () => t.permute(x, [0, 1]),
  }
  for (const [name, view] of Object.entries(views)) {
    it(`${name} takes no memory`, () => {
      t.scope(() => {
        const { bytes } = t.memory()
        const y = view()
        expect(t.memory().bytes).toBe(bytes)
        expect(y.storage).toBe(x.storage)
      })
    })
  }
})

describe('pad', () => {
  it('puts anything around, which does not reach the gradient of the inside', () => {
    for (const value of [Number.NEGATIVE_INFINITY, Number.NaN, -0]) {
      const around = (y: t.Tensor): t.Tensor => t.pad(y, [[1, 0]], { value })
      expect(around(t.tensor([7])).toArray()).toEqual([value, 7])
      expect(
        t
          .grad((y: t.Tensor) => t.sum(around(y)))(t.tensor([7]))
          .toArray(),
      ).toEqual([1])
    }
  })

  it('has a gradient for a value that is a tensor: the sum of what it was put around', () => {
    t.scope(() => {
      const padded = (y: t.Tensor, value: t.Tensor): t.Tensor => t.pad(y, [1, 2], { value })
      expect(padded(t.tensor([7]), t.tensor(5)).toArray()).toEqual([5, 7, 5, 5])
      const check = checkGradient(
        ([y, value]: readonly [t.Tensor, t.Tensor]) => t.sum(t.square(padded(y, value))),
        [x, t.tensor(2)] as const,
      )
      expect(check.ok).toBe(true)
      // A value that is NaN stays outside.
      const nan = t.grad((y: t.Tensor) => t.sum(padded(y, t.tensor(Number.NaN))))(t.tensor([7]))
      expect(nan.toArray()).toEqual([1])
    })
  })

  it('adds up the cotangents of what was copied', () => {
    const total = (mode: 'edge' | 'reflect') => (y: t.Tensor) => t.sum(t.pad(y, [2, 1], { mode }))
    expect(
      t
        .grad(total('edge'))(t.tensor([1, 2, 3]))
        .toArray(),
    ).toEqual([3, 1, 2])
    expect(
      t
        .grad(total('reflect'))(t.tensor([1, 2, 3]))
        .toArray(),
    ).toEqual([1, 3, 2])
  })
})

describe('takeAlongAxis', () => {
  it('follows argMax, and gives the cotangents to what was taken, with and without kernels', () => {
    const taken = (y: t.Tensor): t.Tensor =>
      t.takeAlongAxis(y, t.expandDims(t.argMax(y, { axis: 1 }), 1), { axis: 1 })
    const twice = (y: t.Tensor): t.Tensor =>
      t.sum(t.mul(taken(y), t.concat([taken(y), taken(y)], { axis: 1 })))
    t.scope(() => {
      expect(taken(x).toArray()).toEqual([[3], [6]])
      const expected = [
        [0, 0, 12],
        [0, 0, 24],
      ]
      expect(t.grad(twice)(x).toArray()).toEqual(expected)
      withoutKernel('addAlongAxis', () => expect(t.grad(twice)(x).toArray()).toEqual(expected))
    })
  })
})

describe('concat and stack', () => {
  it('cope with operands that are empty', () => {
    const empty = t.zeros([0, 3])
    expect(t.concat([empty, x, empty]).toArray()).toEqual(x.toArray())
    expect(t.concat([empty, empty]).shape).toEqual([0, 3])
    expect(t.concat([t.zeros([2, 0]), x], { axis: 1 }).toArray()).toEqual(x.toArray())
    expect(t.stack([empty, empty], { axis: 1 }).shape).toEqual([0, 2, 3])
    expect(t.grad((y: t.Tensor) => t.sum(t.concat([y, x])))(empty).shape).toEqual([0, 3])
  })

  it('cope with many: 5,000 rows, and their gradients', () => {
    // Cause: where a tensor begins was summed from the first one on, again for each.
    t.scope(() => {
      const rows = Array.from({ length: 5000 }, (_, i) => t.tensor([i, 1]))
      expect(t.stack(rows).shape).toEqual([5000, 2])
      const gradients = t.grad((all: readonly t.Tensor[]) => t.sum(t.square(t.concat(all))))(rows)
      expect(gradients[4999]!.toArray()).toEqual([9998, 2])
    })
  })
})

it('NumPy defines them for empty axes and scalars', () => {
  const empty = t.zeros([2, 0])
  expect(t.flip(empty).shape).toEqual([2, 0])
  expect(t.roll(empty, 1).shape).toEqual([2, 0])
  expect(t.roll(empty, 1, { axis: 1 }).shape).toEqual([2, 0])
  expect(t.tile(empty, [2, 3]).shape).toEqual([4, 0])
  expect(t.tile(x, 0).shape).toEqual([2, 0])
  expect(t.repeat(empty, 2, { axis: 0 }).shape).toEqual([4, 0])
  expect(t.repeat(x, [0, 0], { axis: 0 }).shape).toEqual([0, 3])
  expect(t.pad(empty, 1).shape).toEqual([4, 2])
  expect(
    t.pad(
      empty,
      [
        [1, 1],
        [0, 0],
      ],
      { mode: 'edge' },
    ).shape,
  ).toEqual([4, 0])
  expect(t.split(empty, 3, { axis: 1 }).map((part) => part.shape)).toEqual([
    [2, 0],
    [2, 0],
    [2, 0],
  ])
  expect(t.split(empty, [], { axis: 1 })).toEqual([])
  expect(t.gather(empty, t.zeros([0]), { axis: 1 }).shape).toEqual([2, 0])
  expect(t.scatterAdd(empty, t.zeros([0]), 3, { axis: 1 }).toArray()).toEqual([
    [0, 0, 0],
    [0, 0, 0],
  ])
  expect(t.takeAlongAxis(empty, empty).shape).toEqual([2, 0])
  expect(t.meshgrid([])).toEqual([])
  expect(t.meshgrid([t.tensor(1), t.zeros([0])]).map((part) => part.shape)).toEqual([
    [0, 1],
    [0, 1],
  ])
  expect(t.flatten(t.tensor(7)).toArray()).toEqual([7])
  expect(t.expandDims(t.tensor(7), 0).toArray()).toEqual([7])
  expect(t.squeeze(t.tensor(7)).item()).toBe(7)
  expect(t.flip(t.tensor(7)).item()).toBe(7)
  expect(t.roll(t.tensor(7), 5).item()).toBe(7)
  expect(t.repeat(t.tensor(7), 2).toArray()).toEqual([7, 7])
  expect(t.tile(t.tensor(7), [2, 1]).toArray()).toEqual([[7], [7]])
})

it('split still makes keys of a key', () => {
  const [first, second] = t.split(t.key(1))
  expect(first).toBeInstanceOf(t.Key)
  expect(second).not.toEqual(first)
  expect(t.split(t.key(1), 3)[0]).toEqual(first)
})

describe('composed functions refuse in their own words', () => {
  const refused: readonly [call: () => unknown, message: string][] = [
    [() => t.permute(x, [0]), 'permute: 2 axes are needed, got [0]; name each axis once'],
    [() => t.permute(x, [0, 2]), 'permute: axis 2 is out of range for rank 2; use -2 to 1'],
    [() => t.squeeze(x, { axis: 0 }), 'squeeze: axis 0 has size 2, got shape [2,3]; name axes of size 1'],
    [() => t.expandDims(x, 3), 'expandDims: axis 3 is out of range for rank 3; use -3 to 2'],
    [() => t.expandDims(x, [0, -4]), 'expandDims: axis 0 is named twice; name each axis once'],
    [() => t.flatten(x, { from: 1, to: 0 }), 'flatten: axes 1 to 0 are no run; name the first axis by from'],
    [() => t.moveAxis(x, [0, 1], 0), 'moveAxis: a place is needed for each axis, got [0,1] and 0'],
    [() => t.swapAxes(x, 0, 2), 'swapAxes: axis 2 is out of range for rank 2; use -2 to 1'],
    [() => t.stack([]), 'stack: at least one tensor is needed, got none'],
    [() => t.stack([x, t.zeros([3, 2])]), 'stack: shapes must be the same, got [2,3] and [3,2]'],
    [() => t.stack([x], { axis: 3 }), 'stack: axis 3 is out of range for rank 3; use -3 to 2'],
    [
      () => t.split(x, 2, { axis: 1 }),
      'split: axis 1 of shape [2,3] has no 2 equal parts; pass the size of each part',
    ],
    [
      () => t.split(x, [1, 3], { axis: 1 }),
      'split: sizes [1,3] do not add up to axis 1 of shape [2,3]; pass the size of each part',
    ],
    [
      () => t.split(x, [-1, 3]),
      'split: sizes [-1,3] do not add up to axis 0 of shape [2,3]; pass the size of each part',
    ],
    [() => t.tile(x, -1), 'tile: counts must be integers from 0 on, got -1'],
    [() => t.repeat(x, 0.5), 'repeat: counts must be integers from 0 on, got 0.5'],
    [
      () => t.repeat(x, [1, 2], { axis: 1 }),
      'repeat: one count is needed, or 3 of them, got 2; axis 1 of [2,3] is repeated',
    ],
    [() => t.meshgrid([x]), 'meshgrid: coordinates have one axis, got shape [2,3]; flatten them first'],
    [() => t.meshgrid([], { indexing: 'yx' as 'xy' }), "meshgrid: indexing must be 'xy' or 'ij', got 'yx'"],
    [
      () => t.pad(x, 1, { value: t.tensor([1]) }),
      'pad: value must have no axes, got shape [1]; pass a number or a scalar',
    ],
  ]
  for (const [call, message] of refused) {
    it(message, () => {
      const { tensors, bytes } = t.scope(() => {
        const before = t.memory()
        expect(call).toThrow(message)
        return before
      })
      expect(t.memory().bytes).toBeLessThanOrEqual(bytes)
      expect(t.memory().tensors).toBeLessThanOrEqual(tensors)
    })
  }

  it('a tensor that was disposed of is named by the function that was called', () => {
    const gone = t.zeros([1, 2])
    gone.dispose()
    const words = 'a tensor of shape [1,2] was used after it was disposed'
    expect(() => t.squeeze(gone)).toThrow(`squeeze: ${words}`)
    expect(() => t.flatten(gone)).toThrow(`flatten: ${words}`)
    expect(() => t.stack([x, gone])).toThrow(`stack: ${words}`)
    expect(() => t.permute(gone, [1, 0])).toThrow(`permute: ${words}`)
    expect(() => t.meshgrid([gone])).toThrow(`meshgrid: ${words}`)
    expect(() => t.pad(x, 1, { value: gone })).toThrow(`pad: ${words}`)
  })
})
