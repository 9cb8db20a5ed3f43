import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { untyped } from './compile-law.ts'

const ones = (...shape: number[]) => t.ones(shape)

/** Lines without what makes columns of them. */
const words = (lines: readonly string[]): string[] => lines.map((line) => line.trim().replace(/ +/g, ' '))

/** The operations of lines of a plan: `%7  matmul %2 %0  [32,16]` is a matmul. */
const operationsOf = (lines: readonly string[]): string[] => lines.map((line) => line.trim().split(/ +/)[1]!)

describe('plan prints', () => {
  it('what was recorded and what became of it: names, operands, shapes, bytes and places', () => {
    const step = t.compile(
      (w: t.Tensor, x: t.Tensor, rate: number) => {
        t.exp(w)
        const square = t.mul(x, x)
        return [t.sub(w, t.mul(t.mul(x, x), rate)), t.sum(square)]
      },
      { donate: [0], fuse: false },
    )
    t.scope(() => {
      const before = t.memory()
      const plan = step.plan(ones(100), ones(100), 3)
      expect(words(String(plan).split('\n'))).toEqual([
        // Five blocks of 448 bytes and one of 64.
        'recorded: 6 entries, 2,304 bytes with every value kept',
        'operation operands shape bytes',
        '%3 exp argument 0 [100] 400',
        '%4 mul argument 1, argument 1 [100] 400',
        '%5 mul argument 1, argument 1 [100] 400',
        '%6 mul %4, argument 2 [100] 400',
        '%7 sub argument 0, %6 [100] 400',
        '%8 sum %4 [] 4',
        // The rate, the square, and the square times the rate; the sum is handed out.
        'planned: 4 kernels, 1,024 bytes, 64 of them for results',
        'operation operands shape bytes written',
        '%4 mul argument 1, argument 1 [100] 400 at 64',
        '%6 mul %4, argument 2 [100] 400 at 512',
        '%7 sub argument 0, %6 [100] 400 over argument 0',
        '%8 sum %4 [] 4 result 1',
      ])
      expect(plan).toMatchObject({ recordedBytes: 2304, plannedBytes: 1024 })
      // The arguments: nothing was computed.
      expect(t.memory().tensors - before.tensors).toBe(2)
    })
    step.dispose()
  })

  it('views, constants, draws, and the path of an argument', () => {
    const f = t.compile((p: { w: t.Tensor }, k: t.Key) =>
      t.add(t.mul(t.reshape(p.w, [4]), 1.5), t.uniform(t.foldIn(k, 3), [4])),
    )
    expect(words(f.plan({ w: ones(2, 2) }, t.key(1)).recorded)).toEqual([
      '%1 reshape 0.w [4] view',
      '%2 mul %1, 1.5 [4] 16',
      '%3 uniform [4] 16',
      '%4 add %2, %3 [4] 16',
    ])
    f.dispose()
  })
})

describe('a plan leaves out', () => {
  it('lines that nobody needs, but no check', () => {
    const f = t.compile((x: t.Tensor, labels: t.Tensor) => {
      t.matmul(x, t.tanh(x))
      t.gather(x, labels)
      return t.neg(x)
    })
    const { recorded, planned } = f.plan(ones(2, 2), ones(3))
    expect(operationsOf(recorded)).toEqual(['tanh', 'matmul', 'checkIndices', 'gather', 'neg'])
    expect(operationsOf(planned).sort()).toEqual(['checkIndices', 'neg'])
    f.dispose()
  })

  it.each([
    ['the same operation', (x: t.Tensor) => t.add(t.exp(x), t.exp(x)), 2],
    ['the same with the same constant', (x: t.Tensor) => t.add(t.mul(x, 0.5), t.mul(x, 0.5)), 2],
    [
      'constants that hold the same',
      (x: t.Tensor) => t.add(t.mul(x, t.tensor([1, 2])), t.mul(x, t.tensor([1, 2]))),
      2,
    ],
    ['a long chain twice', (x: t.Tensor) => t.mul(t.exp(t.neg(t.tanh(x))), t.exp(t.neg(t.tanh(x)))), 4],
    ['the same view', (x: t.Tensor) => t.add(t.exp(t.reshape(x, [1, 2])), t.exp(t.reshape(x, [1, 2]))), 2],
    ['the same draw', (x: t.Tensor, k: t.Key) => t.mul(t.add(x, t.uniform(k, [2])), t.uniform(k, [2])), 3],
    ['the same row', (x: t.Tensor) => t.mul(t.slice(x, [0], [1]), t.slice(x, [0], [1])), 1],
  ] as const)('lines that come twice: %s', (_, f, lines) => {
    const compiled = untyped(f, { fuse: false })
    expect(compiled.plan(ones(2), t.key(0)).planned).toHaveLength(lines)
    compiled.dispose()
  })

  it.each([
    ['other operands', (x: t.Tensor) => t.add(t.sub(x, 1), t.sub(1, x)), 3],
    ['the other zero', (x: t.Tensor) => t.add(t.mul(x, 0), t.mul(x, -0)), 3],
    [
      'other options',
      (x: t.Tensor) => t.add(t.sum(x, { axis: 0 }), t.sum(x, { axis: 0, keepDims: true })),
      3,
    ],
    [
      'other keys',
      (x: t.Tensor, k: t.Key) =>
        t.add(t.uniform(t.foldIn(k, 1), x.shape), t.uniform(t.foldIn(k, 2), x.shape)),
      3,
    ],
    [
      'another distribution',
      (x: t.Tensor, k: t.Key) => t.add(t.uniform(k, x.shape), t.normal(k, x.shape)),
      3,
    ],
    ['another range', (x: t.Tensor, k: t.Key) => t.add(t.uniform(k, x.shape), t.uniform(k, x.shape, -1)), 3],
    ['other rows', (x: t.Tensor) => t.mul(t.slice(x, 0, 1), t.slice(x, 1, 2)), 1],
    ['another shape', (x: t.Tensor) => t.add(t.exp(t.reshape(x, [1, 2])), t.exp(x)), 3],
  ] as const)('no lines that differ: %s', (_, f, lines) => {
    const compiled = untyped(f, { fuse: false })
    expect(compiled.plan(ones(2), t.key(0)).planned).toHaveLength(lines)
    compiled.dispose()
  })
})

describe('a plan places', () => {
  const chain = (length: number) => (x: t.Tensor) => {
    let y = x
    for (let i = 0; i < length; i++) y = t.tanh(t.mul(y, 1.5))
    return y
  }

  it('a chain in one place, however long it is', () => {
    for (const length of [2, 20, 200]) {
      const f = t.compile(chain(length), { fuse: false })
      const { planned, plannedBytes, recordedBytes } = f.plan(ones(1000))
      // 1,000 numbers take 4,032 bytes: one block for all that is in between, and the result.
      expect(plannedBytes).toBe(2 * 4032)
      expect(recordedBytes).toBe(2 * length * 4032)
      expect(planned.filter((line) => line.endsWith('in place'))).toHaveLength(2 * length - 2)
      f.dispose()
    }
  })

  it('a chain over its donated argument with no memory at all, views of it included', () => {
    const f = t.compile((x: t.Tensor) => t.reshape(chain(20)(t.reshape(chain(3)(x), [10, 100])), [1000]), {
      donate: [0],
    })
    const { planned, plannedBytes } = f.plan(ones(1000))
    expect(plannedBytes).toBe(0)
    expect(planned.every((line) => line.includes('over argument 0'))).toBe(true)
    f.dispose()
  })

  it('a parameter and its slot over themselves, whatever is read on the way', () => {
    const f = t.compile(
      (p: { w: t.Tensor; v: t.Tensor }, x: t.Tensor) => {
        const g = t.grad((w: t.Tensor) => t.mean(t.square(t.matmul(x, w))))(p.w)
        const v = t.add(t.mul(p.v, 0.9), g)
        return { w: t.sub(p.w, t.mul(v, 0.1)), v }
      },
      { donate: [0], fuse: false },
    )
    const { planned } = f.plan({ w: ones(8, 8), v: ones(8, 8) }, ones(4, 8))
    const over = (path: string) => planned.filter((line) => line.includes(`over ${path}`))
    expect(over('0.w').map((line) => line.split(/ +/)[1])).toEqual(['sub'])
    expect(over('0.v').map((line) => line.split(/ +/)[1])).toContain('add')
    expect(planned.some((line) => line.includes('result'))).toBe(false)
    f.dispose()
  })

  it('nothing of a donated argument before a check that may refuse', () => {
    const f = (x: t.Tensor, labels: t.Tensor) => {
      const y = t.exp(x)
      const rows = t.gather(y, labels)
      return { y: t.neg(y), rows }
    }
    const overBefore = (planned: readonly string[]): boolean => {
      const check = operationsOf(planned).indexOf('checkIndices')
      return planned.slice(0, check + 1).some((line) => line.includes('over argument'))
    }
    for (const reuse of [false, true]) {
      const compiled = t.compile(f, { donate: [0], reuse })
      const { planned } = compiled.plan(ones(4, 2), ones(3))
      expect(operationsOf(planned)).toContain('checkIndices')
      expect(overBefore(planned)).toBe(false)
      expect(planned.some((line) => line.includes('over argument 0'))).toBe(true)
      compiled.dispose()
    }
  })

  it('working memory of one kernel where that of another was', () => {
    // Axes that lie apart need 1,024 bytes in between.
    const f = t.compile((xs: readonly t.Tensor[]) => xs.map((x) => t.sum(x, { axis: [0, 2] })))
    const { plannedBytes } = f.plan(Array.from({ length: 8 }, () => ones(16, 16, 16)))
    expect(plannedBytes).toBe(1024 + 8 * 64)
    f.dispose()
  })

  it('the lines in the order that takes less, which may be the recorded one', () => {
    const f = t.compile((x: t.Tensor, y: t.Tensor) => {
      const total = t.sum(t.matmul(x, x))
      return t.add(t.matmul(y, y), total)
    })
    // One matrix and the total; depth first there would be two. And the result.
    expect(f.plan(ones(16, 16), ones(16, 16)).plannedBytes).toBe(1024 + 64 + 1024)
    f.dispose()
  })

  it('the lines in the order that takes less, which may be depth first', () => {
    // As recorded, all squares would be alive at once.
    const f = t.compile((xs: readonly t.Tensor[]) => {
      const squares = xs.map((x) => t.matmul(x, x))
      return squares.map((square) => t.sum(square))
    })
    const { plannedBytes } = f.plan(Array.from({ length: 8 }, () => ones(16, 16)))
    expect(plannedBytes).toBeLessThanOrEqual(3 * 1024 + 8 * 64)
    f.dispose()
  })
})
