import * as t from '@tapeflow/autodiff'
import { withoutKernel } from '@tapeflow/autodiff/testing'
import { expect } from 'vitest'
import { assertCompiledEqualsEager } from '../src/index.ts'

type Random = (key: t.Key, shape: t.Shape) => t.Tensor

/** Random tensors, which have no inputs: the operation's name, and its calls. */
export const randoms: Readonly<Record<string, readonly Random[]>> = {
  uniform: [t.uniform, (key, shape) => t.uniform(key, shape, -3, 5)],
  normal: [t.normal, (key, shape) => t.normal(key, shape, 2, 0.5)],
  truncatedNormal: [t.truncatedNormal, (key, shape) => t.truncatedNormal(key, shape, -1, 3)],
  bernoulli: [0, 0.3, 0.5, 1].map((p) => (key, shape) => t.bernoulli(key, shape, p)),
  permutation: [(key, shape) => t.permutation(key, t.sizeOf(shape))],
}

const keys = [t.key(0), t.key(1), t.key(2 ** 40 + 3), t.foldIn(t.key(5), 7)]
const counts = [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 67, 1000]

/** What is asserted of them: the kernel draws four blocks at once, the reference one. */
export const randomColumns: Readonly<Record<string, (calls: readonly Random[]) => void>> = {
  'kernel gives the bits of the reference, at every tail': (calls) => {
    for (const call of calls) {
      for (const key of keys) {
        for (const count of counts) {
          t.scope(() => {
            const drawn = call(key, [count])
            const [name] = Object.entries(randoms).find(([, list]) => list === calls)!
            const plain = withoutKernel(name, () => call(key, [count]).toFloat32Array())
            expect(drawn.toFloat32Array()).toEqual(plain)
          })
        }
      }
    }
  },
  'compiled gives the same bits': (calls) => {
    for (const call of calls) {
      t.scope(() =>
        assertCompiledEqualsEager(({ key }: { key: t.Key }) => call(key, [13]), { key: t.key(3) }),
      )
    }
  },
}
