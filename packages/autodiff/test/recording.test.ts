import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'

describe('evalShape', () => {
  const layer = (p: { w: t.Tensor; b: t.Tensor }, x: t.Tensor): t.Tensor =>
    t.tanh(t.add(t.matmul(x, p.w), p.b))

  it('gives the shapes of any tree, and computes nothing', () => {
    const before = t.memory()
    const f = (p: { w: t.Tensor; b: t.Tensor }, x: t.Tensor) => ({
      y: layer(p, x),
      rows: [t.sum(x, { axis: 1 })],
      block: t.slice(t.transpose(p.w), [0, 1], [5, 9]),
      flat: t.reshape(x, [-1]),
    })
    expect(t.evalShape(f, { w: [1 << 12, 1 << 14], b: [1 << 14] }, [1 << 10, 1 << 12])).toEqual({
      y: [1 << 10, 1 << 14],
      rows: [[1 << 10]],
      block: [5, 8],
      flat: [1 << 22],
    })
    expect(t.memory()).toEqual(before)
  })

  it('goes through gradients of gradients', () => {
    const loss = (p: { w: t.Tensor; b: t.Tensor }, x: t.Tensor) => t.mean(t.square(layer(p, x)))
    const penalty = (p: { w: t.Tensor; b: t.Tensor }, x: t.Tensor) => t.sum(t.square(t.grad(loss)(p, x).w))
    expect(t.evalShape(t.grad(penalty), { w: [3, 2], b: [2] }, [5, 3])).toEqual({ w: [3, 2], b: [2] })
    const pulled = t.evalShape((x: t.Tensor, g: t.Tensor) => t.vjp(t.exp, x, g), [2, 3], [2, 3])
    expect(pulled).toEqual({ value: [2, 3], gradients: [2, 3] })
  })

  it('takes values of the function around as constants, traced or not', () => {
    const w = t.ones([3, 2])
    expect(t.evalShape((x: t.Tensor) => t.matmul(x, w), [5, 3])).toEqual([5, 2])
    const around = t.grad((v: t.Tensor) => {
      expect(t.evalShape((x: t.Tensor) => t.mul(t.matmul(x, v), 2), [5, 3])).toEqual([5, 2])
      return t.sum(t.square(v))
    })
    expect(around(w).toArray()).toEqual([
      [2, 2],
      [2, 2],
      [2, 2],
    ])
  })

  it('takes scalars, empty shapes, arrays of shapes and null', () => {
    expect(t.evalShape((x: t.Tensor) => t.add(x, 1), [])).toEqual([])
    expect(t.evalShape((x: t.Tensor) => t.sum(x, { axis: 0 }), [0, 4])).toEqual([4])
    const f = ([a, b]: readonly [t.Tensor, t.Tensor], none: null) => ({ sum: t.add(a, b), none })
    expect(t.evalShape(f, [[2, 1], [3]] as const, null)).toEqual({ sum: [2, 3], none: null })
  })

  it('does not look at indices, which it does not have', () => {
    const loss = (logits: t.Tensor, labels: t.Tensor) => t.sum(t.mul(logits, t.oneHot(labels, 10)))
    expect(t.evalShape(t.grad(loss), [32, 10], [32])).toEqual([32, 10])
    expect(t.evalShape((x: t.Tensor, at: t.Tensor) => t.gather(x, at), [7, 4], [2, 3])).toEqual([2, 3, 4])
    expect(
      t.evalShape((x: t.Tensor) => t.grad((y: t.Tensor) => t.sum(t.max(y, { axis: 1 })))(x), [4, 5]),
    ).toEqual([4, 5])
  })

  it('refuses shapes that do not fit, in the words of the operation, and leaves nothing', () => {
    const before = t.memory().tensors
    expect(() => t.evalShape((x: t.Tensor, y: t.Tensor) => t.matmul(x, y), [2, 3], [2, 3])).toThrow(
      "matmul: inner sizes differ, got [2,3] and [2,3]; transpose one operand or check the layer's input size",
    )
    expect(() => t.evalShape((x: t.Tensor) => x, [2, -1])).toThrow(
      'evalShape: sizes must be integers from 0 on, got [2,-1]',
    )
    expect(() => t.evalShape((x: t.Tensor) => x, 3 as unknown as number[])).toThrow(
      'evalShape: a shape is needed for each tensor, got a number; pass [rows, columns]',
    )
    expect(t.memory().tensors).toBe(before)
  })
})

describe('a value that is being recorded', () => {
  const recorded =
    (f: (x: t.Tensor) => unknown, shape: number[] = []) =>
    () =>
      t.evalShape((x: t.Tensor) => {
        f(t.add(x, 1))
        return x
      }, shape)

  it.each([
    ['item', (x: t.Tensor) => x.item()],
    ['toFloat32Array', (x: t.Tensor) => x.toArray()],
    ['toFloat32Array', (x: t.Tensor) => x.toFloat32Array()],
    ['toFloat32Array', (x: t.Tensor) => String(x)],
    ['item', (x: t.Tensor) => Number(x)],
    ['toFloat32Array', (x: t.Tensor) => t.toSnapshot({ x })],
  ])('cannot be read: %s', (operation, read) => {
    const words = `${operation}: a value of shape [] cannot be read while its function is recorded: there is only its shape; return it, and read the result`
    expect(recorded(read)).toThrow(words)
    try {
      recorded(read)()
    } catch (error) {
      expect(error).toBeInstanceOf(t.RecordingError)
      expect((error as t.RecordingError).operation).toBe(operation)
    }
  })

  it.each([
    ['a view', (x: t.Tensor) => t.reshape(x, [2, 3])],
    ['a slice of rows', (x: t.Tensor) => t.slice(x, 1, 4)],
    ['a slice of columns', (x: t.Tensor) => t.slice(t.reshape(x, [2, 3]), [0, 1])],
    ['a gradient', (x: t.Tensor) => t.grad((y: t.Tensor) => t.sum(t.square(y)))(x)],
  ])('cannot be read through %s either', (_, through) => {
    expect(recorded((x) => through(x).toArray(), [6])).toThrow(
      'cannot be read while its function is recorded',
    )
  })

  it('cannot be read where it is large either', () => {
    expect(recorded((x) => `${x}`, [100])).toThrow('toString: a value of shape [100] cannot be read')
  })

  it('is disposed afterwards', () => {
    let leaked: t.Tensor | undefined
    t.scope(() => {
      t.evalShape(
        (x: t.Tensor) => {
          leaked = x
          return x
        },
        [2],
      )
      expect(() => t.add(leaked!, 1)).toThrow('add: a tensor of shape [2] was used after it was disposed')
      return null
    })
  })

  it('may be disposed, and be in a scope of its own', () => {
    const before = t.memory()
    const f = (x: t.Tensor) => {
      const y = t.scope(() => t.mul(t.exp(x), 2))
      t.exp(y).dispose()
      return t.fold(y, [1, 2], (carry) => t.mul(carry, carry))
    }
    expect(t.evalShape(f, [3])).toEqual([3])
    expect(t.memory()).toMatchObject({ tensors: before.tensors, bytes: before.bytes })
  })
})
