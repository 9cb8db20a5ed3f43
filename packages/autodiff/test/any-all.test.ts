import * as t from '@tapeflow/autodiff'
import { describe, expect, it } from 'vitest'

// Neither has a record of its own: the law matrix does not know them.
for (const [name, f] of [
  ['any', t.any],
  ['all', t.all],
] as const) {
  describe(name, () => {
    it('gives the shape of a reduction, over any axes', () => {
      const x = t.ones([2, 3, 5])
      expect(f(x).shape).toEqual([])
      expect(f(x, { axis: [0, 2] }).shape).toEqual([3])
      expect(f(x, { axis: -1, keepDims: true }).shape).toEqual([2, 3, 1])
      expect(f(x, { axis: [] }).toArray()).toEqual(x.toArray())
    })

    it('finds the one that differs, wherever it is, and is the same compiled', () => {
      const compiled = t.compile((x: t.Tensor) => f(x, { axis: 1 }))
      for (let place = 0; place < 70; place++) {
        t.scope(() => {
          const values = new Float32Array(140).fill(name === 'any' ? 0 : -3)
          values[70 + place] = name === 'any' ? NaN : -0
          const x = t.tensor(values, [2, 70])
          expect(f(x, { axis: 1 }).toArray()).toEqual(name === 'any' ? [0, 1] : [1, 0])
          expect(compiled(x).toArray()).toEqual(f(x, { axis: 1 }).toArray())
        })
      }
    })

    it('has a gradient of 0', () => {
      const gradient = t.grad((x: t.Tensor) => t.add(t.sum(f(x, { axis: 0 })), t.sum(x)))
      expect(gradient(t.tensor([0, 2])).toArray()).toEqual([1, 1])
    })

    it('refuses what is no axis, in its own name, before it takes memory', () => {
      const before = t.memory().bytes
      expect(() => f(2 as unknown as t.Tensor)).toThrow(
        `${name}: a tensor is needed, got a number; wrap numbers and arrays in t.tensor`,
      )
      t.scope(() => {
        expect(() => f(t.tensor([1]), { axis: 1 })).toThrow(
          `${name}: axis 1 is out of range for rank 1; use -1 to 0`,
        )
        expect(() => f(t.tensor([[1]]), { axis: [0, 0] })).toThrow(
          `${name}: axis 0 is named twice; name each axis once`,
        )
        expect(() => f(t.tensor([1]), { axes: 0 } as object)).toThrow(
          `${name}: unknown option 'axes'; use axis, keepDims`,
        )
      })
      expect(t.memory().bytes).toBe(before)
    })
  })
}
