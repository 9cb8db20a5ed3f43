import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { allocate, heapFloats, poisonFreed, release, type Storage } from '../src/memory.ts'
import { counted, leftBy, nothing, refusal } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

describe('what a program holds', () => {
  it('is its constants, from the first call until it is disposed of', () => {
    const captured = t.full([100], 2)
    const compiled = t.compile((x: t.Tensor) => t.add(t.mul(x, captured), t.full([50, 1], 1)))
    const x = t.ones([100])
    const call = (): void => t.scope(() => void compiled(x))
    const left = leftBy(() => {
      // That which is captured is held, but was there before.
      expect(leftBy(call)).toEqual({ tensors: 0, bytes: 256 })
      for (let i = 0; i < 5; i++) expect(leftBy(call)).toEqual(nothing)
      captured.dispose()
      t.scope(() =>
        expect(
          compiled(x)
            .toFloat32Array()
            .every((y) => y === 3),
        ).toBe(true),
      )
      compiled.dispose()
      compiled.dispose()
    })
    // What was captured was given back by its owner before, and then by the program.
    expect(left).toEqual({ tensors: -1, bytes: -448 })
    x.dispose()
  })

  it('is nothing while it runs but one block and its results', () => {
    const compiled = t.compile((x: t.Tensor) => {
      let y = x
      for (let i = 0; i < 30; i++) y = t.matmul(t.tanh(y), y)
      return y
    })
    const x = t.full([64, 64], 0.01)
    const args = [x] as const
    const { plannedBytes } = compiled.plan(...args)
    compiled(...args).dispose()
    t.resetPeakBytes()
    const at = t.memory()
    compiled(...args).dispose()
    const { peakBytes } = t.memory()
    expect(peakBytes - at.bytes).toBeGreaterThan(0)
    expect(peakBytes - at.bytes).toBeLessThanOrEqual(1.125 * plannedBytes)
    x.dispose()
    compiled.dispose()
  })

  it('is all that it writes to: below the heap, where kernels keep tables, nothing changes', () => {
    const programs: readonly ((x: t.Tensor, n: number) => unknown)[] = [
      (x) => t.sum(t.reshape(x, [8, 10, 8, 10]), { axis: [0, 2] }),
      (x) => t.matmul(x, x, { transposeB: true }),
      (x, n) => [x, t.mul(x, n), t.reshape(x, [6400])],
      (x, n) => [t.slice(t.tanh(t.mul(x, n)), 0, 0), t.add(n, 1)],
      (x) => t.grad((y: t.Tensor) => t.sum(t.softmax(t.matmul(y, y))))(x),
    ]
    const x = { shape: [80, 80], values: new Float32Array(6400).fill(0.01) }
    const tables = heapFloats().slice(0, 16384)
    for (const f of programs) {
      const compiled = t.compile(f)
      for (let call = 0; call < 2; call++) t.scope(() => void compiled(x, 2))
      compiled.dispose()
      expect(heapFloats().slice(0, 16384)).toEqual(tables)
    }
  })

  it('does not grow over many calls, of several shapes in turn, with errors in between', () => {
    const loss = (w: t.Tensor, x: t.Tensor, labels: t.Tensor) =>
      t.neg(t.mean(t.mul(t.logSoftmax(t.matmul(x, w)), t.oneHot(labels, 2))))
    const step = t.compile(
      (w: t.Tensor, x: t.Tensor, labels: t.Tensor, rate: number, key: t.Key) => {
        const noisy = t.add(x, t.mul(t.normal(key, x.shape), 0.01))
        const { value, gradients } = t.valueAndGrad(loss)(w, noisy, labels)
        return { w: t.sub(w, t.mul(gradients, rate)), value }
      },
      { donate: [0] },
    )
    const turn = (w: t.Tensor, i: number): t.Tensor =>
      t.scope(() => {
        const rows = i % 10 === 9 ? 3 : 8
        const x = t.uniform(t.key(i), [rows, 5])
        const bad = t.full([rows], 2)
        expect(refusal(() => step(w, x, bad, 0.1, t.key(i)))).toMatch(
          /^RangeError: oneHot: index 2 at place 0 /,
        )
        return step(w, x, t.bernoulli(t.key(i), [rows]), 0.1 / (i + 1), t.key(i)).w
      })
    let w = t.zeros([5, 2])
    for (let i = 0; i < 20; i++) w = turn(w, i)
    const before = t.memory()
    for (let i = 20; i < 300; i++) w = turn(w, i)
    const after = t.memory()
    expect(after).toEqual({ ...before, peakBytes: after.peakBytes })
    expect(after.heapBytes).toBe(before.heapBytes)
    w.dispose()
    step.dispose()
  })
})

describe('a heap that is full', () => {
  const size = 1 << 18
  const bytes = size * 4

  /** Leaves room for `count` blocks of `bytes`, and no more, while `body` runs. */
  function withRoomFor(count: number, body: () => void): void {
    const taken: Storage[] = []
    const room = Array.from({ length: count }, () => allocate(bytes))
    // Poisoning what is given back would touch all of it.
    poisonFreed(false)
    try {
      for (let block = 2 ** 29; block >= bytes; block /= 2) {
        try {
          for (;;) taken.push(allocate(block))
        } catch (error) {
          if (!(error instanceof RangeError)) throw error
        }
      }
      for (const storage of room) release(storage)
      body()
    } finally {
      for (const storage of taken) release(storage)
      poisonFreed(true)
    }
  }

  // Working memory, a result of its own, and a copy of what is donated and read: three blocks.
  const f = (a: t.Tensor, b: t.Tensor) => {
    const inner = t.tanh(t.exp(b))
    return { a: t.add(a, inner), b: t.mul(inner, b) }
  }

  it.each([false, true])(
    'refuses the call, whatever there is no room for, and touches nothing: reuse %s',
    (reuse) => {
      const { f: counting, runs } = counted(f)
      const compiled = t.compile(counting, { donate: [0], reuse, fuse: false })
      const given = () => t.tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i)))
      const left = leftBy(() => {
        t.scope(() => {
          const [x, other] = [given(), given()]
          const hash = (y: t.Tensor): unknown => {
            const values = y.toFloat32Array()
            return [values[0], values[1], values[size - 1], values.reduce((sum, one) => sum + one, 0)]
          }
          const expected = hash(x)
          for (const [args, blocks] of [
            [[x, other], 2],
            [[x, x], 3],
          ] as const) {
            for (let room = 0; room < blocks; room++) {
              withRoomFor(room, () => {
                const inside = leftBy(() => {
                  expect(refusal(() => compiled(...args))).toMatch(
                    /^RangeError: memory: cannot grow the heap for a tensor of shape \[262144\] \(1048576 bytes\): /,
                  )
                })
                // Room for results that are used again is kept once it is there.
                if (!reuse) expect(inside).toEqual(nothing)
              })
              expect(hash(x)).toEqual(expected)
              expect(hash(other)).toEqual(expected)
            }
          }
          let result: ReturnType<typeof f> | undefined
          withRoomFor(3, () => {
            result = compiled(x, x)
          })
          expect(refusal(() => x.toArray())).toContain('was donated')
          const [found, wanted] = [result!, f(other, other)]
          expect([hash(found.a), hash(found.b)]).toEqual([hash(wanted.a), hash(wanted.b)])
        })
        compiled.dispose()
      })
      expect(left).toEqual(nothing)
      expect(runs()).toBe(1)
    },
  )
})
