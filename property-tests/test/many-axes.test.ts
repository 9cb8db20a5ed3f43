import * as t from '@tapeflow/autodiff'
import { describe, it } from 'vitest'
import { assertAdjointIsConsistent, assertKernelMatchesReference } from '../src/index.ts'

// Samples of the matrix rarely have four axes that all matter. Here every pattern of stretched axes is met, and five axes
// that do not merge, which is what strided copies walk one by one.

/** The shape with the axes of a bit mask stretched: size 1. */
const stretched = (shape: t.Shape, mask: number): t.Shape =>
  shape.map((size, axis) => ((mask >> axis) % 2 === 1 ? 1 : size))

const values = (shape: t.Shape, seed: number): t.Tensor => t.normal(t.key(seed), shape)

describe('broadcasting', () => {
  it('of two operands: every pattern of stretched and missing axes', () => {
    const shape = [2, 3, 2, 5]
    for (let pattern = 0; pattern < 16; pattern++) {
      for (let other = 0; other < 16; other++) {
        t.scope(() => {
          const whole = values(stretched(shape, pattern), 1)
          const part = values(stretched(shape, other).slice(other % 3), 2)
          const difference = (x: readonly t.Tensor[]): t.Tensor => t.sub(x[0]!, x[1]!)
          assertKernelMatchesReference(difference, [whole, part], { ulps: 0 })
          assertKernelMatchesReference(difference, [part, whole], { ulps: 0 })
          assertAdjointIsConsistent(difference, [whole, part])
        })
      }
    }
  })

  it('of three operands: every pattern of stretched axes', () => {
    const shape = [3, 2, 5]
    for (let pattern = 0; pattern < 512; pattern++) {
      t.scope(() => {
        const condition = t.greater(values(stretched(shape, pattern % 8), 1), 0)
        const a = values(stretched(shape, (pattern >> 3) % 8), 2)
        const b = values(stretched(shape, pattern >> 6), 3)
        const chosen = (x: readonly t.Tensor[]): t.Tensor => t.where(condition, x[0]!, x[1]!)
        assertKernelMatchesReference(chosen, [a, b], { ulps: 0 })
        if (pattern % 7 === 0) assertAdjointIsConsistent(chosen, [a, b])
      })
    }
  })
})

describe('five axes', () => {
  const shape = [2, 3, 2, 4, 3]
  const table: Readonly<Record<string, (x: t.Tensor) => t.Tensor>> = {
    transpose: (x) => t.transpose(x, [4, 2, 0, 3, 1]),
    'transpose, the last axis in place': (x) => t.transpose(x, [2, 0, 3, 1, 4]),
    broadcastTo: (x) =>
      t.broadcastTo(
        t.reshape(t.slice(x, [0, 0, 0, 0, 0], [2, 1, 2, 1, 3]), [2, 1, 2, 1, 3]),
        [2, 3, 2, 4, 3],
      ),
    slice: (x) => t.slice(x, [0, 1, 0, 1, 1], [2, 3, 1, 3, 3]),
    pad: (x) =>
      t.pad(x, [
        [1, 0],
        [0, 1],
        [1, 1],
        [2, 0],
        [0, 3],
      ]),
    'pad by reflection': (x) => t.pad(x, 1, { mode: 'reflect' }),
    flip: (x) => t.flip(x, { axis: [0, 2, 3] }),
    'roll of all elements': (x) => t.roll(x, 7),
    'roll of two axes': (x) => t.roll(x, [1, -1], { axis: [3, 1] }),
    tile: (x) => t.tile(x, [2, 1, 2, 3, 1]),
    repeat: (x) => t.repeat(x, 3, { axis: 3 }),
    'repeat by counts': (x) => t.repeat(x, [1, 0, 2], { axis: 1 }),
    'takeAlongAxis, indices stretched': (x) =>
      t.takeAlongAxis(x, t.reshape(t.tensor([1, 0, 1, 2]), [1, 4, 1, 1, 1]), { axis: 1 }),
    concat: (x) => t.concat([x, t.slice(x, [0, 0, 0, 1])], { axis: 3 }),
    'sum of axes apart': (x) => t.sum(x, { axis: [0, 2, 4] }),
    'mean of axes apart, kept': (x) => t.mean(x, { axis: [1, 3], keepDims: true }),
    'max of axes apart': (x) => t.max(x, { axis: [0, 2, 4] }),
    argMax: (x) => t.argMax(x, { axis: 2 }),
    'gather along an axis inside': (x) =>
      t.gather(
        x,
        t.tensor([
          [2, 0],
          [0, 1],
        ]),
        { axis: 3 },
      ),
    'min of axes apart': (x) => t.min(x, { axis: [0, 2, 4] }),
    argMin: (x) => t.argMin(x, { axis: 1 }),
    'prod of axes apart': (x) => t.prod(x, { axis: [1, 3] }),
    'variance of axes apart, kept': (x) => t.variance(x, { axis: [0, 2, 4], keepDims: true }),
    'std of axes in the middle': (x) => t.std(x, { axis: [1, 2], correction: 1 }),
    'norm of axes apart': (x) => t.norm(x, { axis: [0, 3] }),
    'cumSum in the middle': (x) => t.cumSum(x, { axis: 2, reverse: true }),
    'cumProd in front': (x) => t.cumProd(x, { axis: 0, exclusive: true }),
    'linearRecurrence in the middle': (x) => t.linearRecurrence(x, t.tanh(x), { axis: 3 }),
    'softmax in the middle': (x) => t.softmax(x, { axis: 1 }),
    'logSoftmax in front': (x) => t.logSoftmax(x, { axis: 0 }),
    'logSumExp of axes apart, kept': (x) => t.logSumExp(x, { axis: [1, 3, 4], keepDims: true }),
    'logSumExp in front': (x) => t.logSumExp(x, { axis: 0 }),
    'where any is above 1': (x) => t.any(t.greater(x, 1), { axis: [1, 4] }),
    'where all are below 1': (x) => t.all(t.less(x, 1), { axis: [1, 4] }),
    gather: (x) => t.gather(x, t.tensor([[1, 0, 1]])),
    'matmul, leading axes stretched': (x) =>
      t.matmul(x, t.slice(x, [0, 0, 0], [2, 1, 2]), { transposeB: true }),
    'matmul, each operand stretched': (x) =>
      t.matmul(t.slice(x, [0, 0, 0], [1, 3, 1]), t.slice(x, [0, 0, 0], [2, 1, 2]), { transposeA: true }),
    'diag of batches': (x) => t.diag(x, { offset: -1 }),
    'sort of a middle axis': (x) => t.sort(x, { axis: 1 }),
  }
  for (const [name, f] of Object.entries(table)) {
    it(`${name}: kernel, reference and gradient agree`, () => {
      t.scope(() => {
        const x = values(shape, 1)
        assertKernelMatchesReference(f, x, { ulps: 4, scale: (_x, _y, magnitudes) => magnitudes })
        assertAdjointIsConsistent(f, x)
      })
    })
  }
})
