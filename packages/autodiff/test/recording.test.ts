import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { checkIndicesOperation, type IndexCheck } from '../src/indices.ts'
import { type Entry, slotOn } from '../src/tape.ts'

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
    const words = `${operation}: the result of add, of shape [], cannot be read while its function is recorded: there is only its shape; return it, and read the result`
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

  it('is an argument, in the words of the error, where it was not computed', () => {
    expect(() => t.evalShape((x: t.Tensor) => t.mul(x, x.item()), [1])).toThrow(
      'item: an argument, of shape [1], cannot be read while its function is recorded',
    )
  })

  it('cannot be read where it is large either', () => {
    expect(recorded((x) => `${x}`, [100])).toThrow(
      'toString: the result of add, of shape [100], cannot be read',
    )
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
      expect(() => t.add(leaked!, 1)).toThrow(
        'add: a value of shape [2] is used after the recording of its function: it was only a shape; return it, and use the result',
      )
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

describe('a check of indices that are being recorded', () => {
  const at = { index: 'index', place: 'place' }
  const words = { index: 'label', place: 'row' }

  /** The lines of the program that `f` adds, when it is recorded with a table `[5, 2]` and indices `[4]`. */
  function linesOf(f: (x: t.Tensor, indices: t.Tensor) => unknown): readonly Entry[] {
    const found: Entry[] = []
    t.evalShape(
      (x: t.Tensor, indices: t.Tensor) => {
        f(x, indices)
        found.push(...x.tape!.entries.filter((entry) => entry !== null))
        return x
      },
      [5, 2],
      [4],
    )
    return found
  }
  const isCheck = ({ operation }: Entry): boolean => operation === checkIndicesOperation
  const checksOf = (lines: readonly Entry[]): readonly unknown[] =>
    lines.filter(isCheck).map(({ attributes, output }) => [attributes, output.shape])

  it.each([
    ['oneHot', (_: t.Tensor, i: t.Tensor) => t.oneHot(i, 3), { operation: 'oneHot', limit: 3, words: at }],
    ['gather', (x: t.Tensor, i: t.Tensor) => t.gather(x, i), { operation: 'gather', limit: 5, words: at }],
    [
      'scatterAdd',
      (x: t.Tensor, i: t.Tensor) => t.scatterAdd(t.slice(x, 0, 4), i, 7),
      { operation: 'scatterAdd', limit: 7, words: at },
    ],
    [
      'checkIndices',
      (_: t.Tensor, i: t.Tensor) => t.checkIndices('hinge', i, 3, words),
      { operation: 'hinge', limit: 3, words },
    ],
  ])('is a line of the program, before those that rely on it: %s', (name, f, attributes) => {
    const lines = linesOf(f)
    expect(checksOf(lines)).toEqual([[attributes, [0]]])
    const reader = lines.findIndex(({ operation }) => operation.name === name)
    expect(lines.findIndex(isCheck)).toBeLessThanOrEqual(reader)
  })

  it.each([
    ['an argument', (x: t.Tensor, i: t.Tensor) => t.grad((y: t.Tensor) => t.sum(t.gather(y, i)))(x)],
    [
      'differentiated',
      (x: t.Tensor, i: t.Tensor) =>
        t.grad((p: { x: t.Tensor; i: t.Tensor }) => t.sum(t.gather(p.x, p.i)))({ x, i }),
    ],
    ['computed', (x: t.Tensor) => t.grad((y: t.Tensor) => t.sum(t.gather(y, t.argMax(y, { axis: 0 }))))(x)],
  ])('is one under a gradient too, where indices are %s', (_, f) => {
    const lines = linesOf(f)
    const wanted = { limit: 5, words: at }
    expect(checksOf(lines)).toEqual([
      [{ operation: 'gather', ...wanted }, [0]],
      [{ operation: 'scatterAdd', ...wanted }, [0]],
    ])
    // What is checked is a value of the program, not a constant in it.
    for (const { inputs, output } of lines.filter(isCheck))
      expect(slotOn(inputs[0]!, output.tape!)).toBeGreaterThanOrEqual(0)
  })

  it('is made at once, and no line, where the indices are known', () => {
    const known = t.tensor([4, 0])
    expect(checksOf(linesOf((x) => t.gather(x, known)))).toEqual([])
    expect(() => linesOf((x) => t.gather(x, t.tensor([4, 5])))).toThrow(
      'gather: index 5 at place 1 is not an integer from 0 to 4; count classes from 0',
    )
    t.grad((x: t.Tensor) => {
      const y = t.gather(x, t.argMax(x, { axis: 0 }))
      expect(x.tape!.entries.map((entry) => entry?.operation.name)).toEqual([undefined, 'argMax', 'gather'])
      return t.sum(y)
    })(t.ones([5, 2]))
  })

  it.each([
    [[0, 2, 1], null],
    [[], null],
    [[0, 3], 'label 3 at row 1'],
    [[-1, 3], 'label -1 at row 0'],
    [[0.5], 'label 0.5 at row 0'],
    [[Number.NaN], 'label NaN at row 0'],
    [[Number.POSITIVE_INFINITY], 'label Infinity at row 0'],
  ] as const)('throws when the line is run on %s, and eagerly', (numbers, problem) => {
    const attributes: IndexCheck = { operation: 'hinge', limit: 3, words }
    const [output, indices] = [t.zeros([0]), t.tensor([...numbers])]
    const text = `hinge: ${problem} is not an integer from 0 to 2; count classes from 0`
    const values = { shape: [numbers.length], values: numbers }
    for (const run of [
      () => checkIndicesOperation.kernel!(output, [indices], attributes, 0),
      () => checkIndicesOperation.reference([values], attributes, [0]),
      () => t.checkIndices('hinge', indices, 3, words),
    ]) {
      if (problem === null) expect(run).not.toThrow()
      else expect(run).toThrow(Object.assign(new RangeError(text), { operation: 'hinge' }))
    }
  })

  it('is run by a program though nothing reads what comes out, before what relies on it', () => {
    const compiled = t.compile((x: t.Tensor, indices: t.Tensor) => {
      t.checkIndices('hinge', indices, 3, words)
      return t.grad((y: t.Tensor) => t.sum(t.gather(y, indices)))(x)
    })
    const run = (values: number[]): t.NestedNumbers => compiled(t.ones([5]), t.tensor(values)).toArray()
    expect(run([0, 2])).toEqual([1, 0, 1, 0, 0])
    const text = 'hinge: label 4 at row 1 is not an integer from 0 to 2; count classes from 0'
    expect(() => run([0, 4])).toThrow(Object.assign(new RangeError(text), { operation: 'hinge' }))
    expect(run([2, 2])).toEqual([0, 0, 2, 0, 0])
    compiled.dispose()
  })

  it('refuses what is no tensor, or disposed', () => {
    expect(() => t.checkIndices('hinge', 3 as never, 3)).toThrow(
      'hinge: a tensor is needed, got a number; wrap numbers and arrays in t.tensor',
    )
    const gone = t.tensor([1])
    gone.dispose()
    expect(() => t.checkIndices('hinge', gone, 3)).toThrow(
      'hinge: a tensor of shape [1] was used after it was disposed',
    )
  })
})
