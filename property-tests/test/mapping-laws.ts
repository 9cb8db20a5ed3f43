import * as t from '@tapeflow/autodiff'
import { expect } from 'vitest'
import { assertVmapAgreesWithLoop } from '../src/index.ts'
import type { Row } from './matrix.ts'

const inScope = (check: () => void) => (): void => {
  t.scope(check)
}

const numbers = (tree: unknown): number[][] => t.leaves(tree).map((x) => Array.from(x.toFloat32Array()))

const scaled = (x: t.Tensor): t.Tensor => t.batchNorm(x).y

/** Laws of the transforms that go over examples, or rows of a matrix, and have none of them at some places. */
export const mappingLaws: readonly Row[] = [
  {
    name: 'vmap',
    laws: {
      'repeats what is the same for all examples': inScope(() => {
        const same = t.vmap((x: t.Tensor) => ({ x, one: t.tensor([1, 2]) }))(t.ones([3, 1]))
        expect(numbers(same)).toEqual([
          [1, 2, 1, 2, 1, 2],
          [1, 1, 1],
        ])
        expect(t.leaves(same).map((x) => x.shape)).toEqual([
          [3, 2],
          [3, 1],
        ])
      }),
      'of a rule whose gradient is the same for all examples gives each its own': inScope(() => {
        const f = t.customVjp(
          ({ x, w }: { x: t.Tensor; w: t.Tensor }) => t.mul(x, w),
          () => ({ x: t.tensor([5, 6]), w: t.tensor([7, 8]) }),
        )
        const total = (at: { x: t.Tensor; w: t.Tensor }): t.Tensor =>
          t.sum(t.vmap(f, { inAxes: [{ x: 0, w: null }] })(at))
        const gradients = t.grad(total)({ x: t.ones([3, 2]), w: t.ones([2]) })
        expect(numbers(gradients)).toEqual([
          [21, 24],
          [5, 6, 5, 6, 5, 6],
        ])
      }),
      'counts axes from the end': inScope(() => {
        const cut = t.vmap((x: t.Tensor) => t.slice(x, 0, 2), { inAxes: [-1], outAxes: -1 })
        expect(
          cut(
            t.tensor([
              [1, 2],
              [3, 4],
              [5, 6],
            ]),
          ).toArray(),
        ).toEqual([
          [1, 2],
          [3, 4],
        ])
      }),
      'gives each example a key of its own, from each key': inScope(() => {
        const f = (x: t.Tensor, a: t.Key, b: t.Key): t.Tensor =>
          t.add(x, t.sub(t.uniform(a, [2]), t.mul(t.uniform(b, [2]), 3)))
        const [x, a, b] = [t.ones([3, 2]), t.key(1), t.key(2)] as const
        const loop = [0, 1, 2].map((i) => f(t.ones([2]), t.foldIn(a, i), t.foldIn(b, i)))
        expect(numbers(t.vmap(f)(x, a, b))).toEqual([numbers(loop).flat()])
      }),
      'multiplies vectors of examples by a matrix that they share, on either side': inScope(() => {
        const [w, v] = [t.normal(t.key(1), [4, 4]), t.normal(t.key(2), [3, 4])]
        for (const transposeA of [false, true]) {
          for (const transposeB of [false, true]) {
            const left = (x: t.Tensor): t.Tensor => t.matmul(w, x, { transposeA })
            const right = (x: t.Tensor): t.Tensor => t.matmul(x, w, { transposeB })
            for (const f of [left, right]) assertVmapAgreesWithLoop(f, v)
          }
        }
      }),
      'of the gradients of an operation with several results is the loop': inScope(() => {
        const f = (x: t.Tensor): t.Tensor => t.grad((at: t.Tensor) => t.sum(t.exp(scaled(at))))(x)
        assertVmapAgreesWithLoop(f, t.normal(t.key(1), [3, 4, 5]))
      }),
    },
  },
  {
    name: 'jacobian',
    laws: {
      'by what a result does not depend on is zeros': inScope(() => {
        const f = ({ a }: { a: t.Tensor; b: t.Tensor }): t.Tensor => t.mul(a, 2)
        const found = t.jacobian(f)({ a: t.ones([2]), b: t.ones([3]) })
        expect([found.a.shape, found.b.shape]).toEqual([
          [2, 2],
          [2, 3],
        ])
        expect(numbers(found)).toEqual([
          [2, 0, 0, 2],
          [0, 0, 0, 0, 0, 0],
        ])
      }),
      'is the same for all results where it is one row': inScope(() => {
        const row = t.customVjp(
          (x: t.Tensor) => t.neg(x),
          () => t.tensor([3, 4]),
        )
        expect(numbers(t.jacobian((x: t.Tensor) => row(x))(t.ones([2])))).toEqual([[3, 4, 3, 4]])
      }),
    },
  },
]
