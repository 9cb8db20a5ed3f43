import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { visitTensors } from '../src/tree.ts'
import { bitsOf, leftBy, nothing, refusal } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

interface State {
  readonly w: t.Tensor
  readonly v: t.Tensor
}

const start = (from = 0): State => ({ w: t.tensor([from + 1, from + 2]), v: t.tensor([from, 0.5]) })
const batch = (rows: number, from = 0) =>
  t.tensor(
    Float32Array.from({ length: rows * 2 }, (_, i) => Math.sin(from + i)),
    [rows, 2],
  )

/** A step of training: the state goes on, the loss and the gradient are looked at. */
function step(state: State, x: t.Tensor, rate: number) {
  const { value, gradients } = t.valueAndGrad((w: t.Tensor) => t.mean(t.square(t.tanh(t.mul(x, w)))))(state.w)
  const v = t.sub(t.mul(state.v, 0.9), t.mul(gradients, rate))
  return { state: { w: t.add(state.w, v), v }, loss: value, gradients, rate, rows: x.shape[0]! }
}

/** The steps by the function itself. */
function eager(batches: readonly (readonly [rows: number, from: number])[], from = 0): unknown[] {
  return t.scope(() => {
    let state = start(from)
    return batches.map(([rows, at]) => {
      const result = step(state, batch(rows, at), 0.1)
      state = result.state
      return bitsOf(result)
    })
  })
}

const options: t.CompileOptions = { donate: [0], reuse: true }
const tensorsOf = (tree: unknown): t.Tensor[] => {
  const found: t.Tensor[] = []
  visitTensors(tree, (x) => found.push(x))
  return found
}

describe('results that are used again', () => {
  it('are the same tensors, in the memory of what was donated, at every call, and take nothing more', () => {
    const left = leftBy(() => {
      const compiled = t.compile(step, options)
      const batches = [0, 1, 2, 3, 4, 5].map((from) => [3, from] as const)
      const expected = eager(batches)
      const first = start()
      let result = compiled(first, batch(3), 0.1)
      expect(bitsOf(result)).toEqual(expected[0])
      expect([result.state.w, result.state.v]).toEqual([first.w, first.v])
      expect(result.state.w).toBe(first.w)
      const tensors = tensorsOf(result)
      const places = tensors.map((x) => x.offset)
      for (const [turn, [rows, from]] of batches.entries()) {
        if (turn === 0) continue
        const before = t.memory()
        const x = batch(rows, from)
        result = compiled(result.state, x, 0.1)
        x.dispose()
        expect(t.memory()).toEqual(before)
        expect(bitsOf(result)).toEqual(expected[turn])
        expect(tensorsOf(result).map((y, i) => y === tensors[i])).toEqual(tensors.map(() => true))
        expect(tensors.map((y) => y.offset)).toEqual(places)
      }
      compiled.dispose()
      // The state is the caller's, all else was the program's.
      expect(refusal(() => result.loss.item())).toContain('DisposedError')
      expect(bitsOf(result.state)).toEqual((expected[5] as { state: unknown }).state)
      for (const x of [...tensorsOf(result.state), batch(3)]) x.dispose()
    })
    // The first batch.
    expect(left).toEqual({ tensors: 1, bytes: 64 })
  })

  it('come in one object as long as nothing but tensors is in it', () => {
    const compiled = t.compile((x: t.Tensor) => ({ list: [t.neg(x), 'text'] }), { reuse: true })
    const x = t.tensor([1])
    const first = compiled(x)
    expect(compiled(x)).toBe(first)
    const numbered = t.compile((n: number, k: t.Key) => ({ n, k, y: t.mul(t.uniform(k, [2]), n) }), {
      reuse: true,
    })
    const results = [1, 2, 3].map((n) => numbered(n, t.key(n)))
    expect(results.map(({ n }) => n)).toEqual([1, 2, 3])
    expect(results.map(({ k }) => k)).toEqual([1, 2, 3].map((n) => t.key(n)))
    expect(results[1]!.y).toBe(results[0]!.y)
    compiled.dispose()
    numbered.dispose()
  })

  it('go over from one program to the other: a ragged batch keeps the tensors of the state', () => {
    const compiled = t.compile(step, options)
    const batches = [3, 3, 2, 3, 2, 2, 3].map((rows, from) => [rows, from] as const)
    const expected = eager(batches)
    const left = leftBy(() => {
      t.scope(() => {
        const state = start()
        for (const [turn, [rows, from]] of batches.entries()) {
          const result = compiled(state, batch(rows, from), 0.1)
          expect(result.state.w).toBe(state.w)
          expect(result.state.v).toBe(state.v)
          expect(bitsOf(result)).toEqual(expected[turn])
        }
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('begin anew with other tensors, and go back to the first', () => {
    const left = leftBy(() => {
      const compiled = t.compile(step, options)
      t.scope(() => {
        const states = [start(0), start(5)] as const
        const turns = [0, 0, 1, 0, 1, 1, 0]
        const expected = [
          eager(
            turns.filter((i) => i === 0).map((_, n) => [3, n] as const),
            0,
          ),
          eager(
            turns.filter((i) => i === 1).map((_, n) => [3, n] as const),
            5,
          ),
        ] as const
        const done = [0, 0]
        for (const i of turns) {
          const state = states[i]!
          const n = done[i]!
          done[i] = n + 1
          const result = compiled(state, batch(3, n), 0.1)
          expect(result.state.w).toBe(state.w)
          expect(bitsOf(result)).toEqual(expected[i]![n])
        }
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('may be disposed of one by one, and come back', () => {
    const compiled = t.compile((x: t.Tensor) => ({ a: t.neg(x), b: t.exp(x), view: t.slice(t.neg(x), 1) }), {
      reuse: true,
    })
    const left = leftBy(() => {
      t.scope(() => {
        const first = compiled(t.tensor([0, 0]))
        const [a, b] = [first.a, first.b]
        a.dispose()
        const second = compiled(t.tensor([1, 0]))
        expect(second.a).not.toBe(a)
        expect(second.b).toBe(b)
        expect(second.a.toArray()).toEqual([-1, -0])
        expect(second.view.toArray()).toEqual([-0])
        for (const x of tensorsOf(second)) x.dispose()
        const third = compiled(t.tensor([0, 0]))
        expect(tensorsOf(third).map((x) => x.toArray())).toEqual([[-0, -0], [1, 1], [-0]])
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('are the caller’s where they take the place of what the caller gave at that path, else the program’s', () => {
    const f = (p: { a: t.Tensor; unused: t.Tensor }, x: t.Tensor) => {
      const unused = t.sum(p.a)
      return { carry: { a: t.add(p.a, x), unused }, other: t.neg(x), total: t.sum(x) }
    }
    const left = leftBy(() => {
      const compiled = t.compile(f, options)
      const [a, unused, x] = [t.tensor([1, 2]), t.tensor([3, 4]), t.tensor([5, 6])]
      const first = compiled({ a, unused }, x)
      // Of the shape of what is not used any more, and yet not in its place: nobody could tell whose it is.
      expect(tensorsOf(first).map((y) => y === a)).toEqual([true, false, false, false])
      expect(tensorsOf(first)).not.toContain(unused)
      expect(refusal(() => unused.toArray())).toContain('was donated')
      compiled.dispose()
      expect(a.toArray()).toEqual([6, 8])
      for (const y of tensorsOf(first).slice(1)) expect(refusal(() => y.toArray())).toContain('DisposedError')
      for (const y of [a, x]) y.dispose()
    })
    expect(left).toEqual(nothing)
  })

  const unnamed: readonly (readonly [
    string,
    (w: t.Tensor, v: t.Tensor) => unknown,
    readonly (0 | 1 | null)[],
  ])[] = [
    ['one for one', (w) => ({ loss: t.sum(w), w: t.neg(w) }), [null, 0]],
    ['two for two, in order', (w, v) => [t.sum(w), t.neg(w), t.neg(v)], [null, 0, 1]],
    ['one alone', (w) => t.neg(w), [0]],
    ['three for two: nobody could tell', (w, v) => [t.exp(w), t.exp(v), t.neg(v)], [null, null, null]],
    ['one below others', (w) => ({ made: { deep: { y: t.neg(w) } } }), [null]],
  ]
  it.each(unnamed)('are written over arguments that are tensors themselves: %s', (_, f, expected) => {
    const left = leftBy(() => {
      const compiled = t.compile(f, { donate: [0, 1], reuse: true })
      t.scope(() => {
        const given = [t.tensor([1, 2]), t.tensor([3, 4])] as const
        const bits = bitsOf(f(t.add(given[0], 0), t.add(given[1], 0)))
        const result = compiled(...given)
        expect(bitsOf(result)).toEqual(bits)
        expect(tensorsOf(result).map((x) => given.indexOf(x))).toEqual(expected.map((at) => at ?? -1))
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('of tied leaves come apart at the first call, and stay in place from then on', () => {
    const left = leftBy(() => {
      const compiled = t.compile((p: State) => ({ w: t.add(p.w, 1), v: t.add(p.v, 2) }), {
        donate: [0],
        reuse: true,
      })
      t.scope(() => {
        const x = t.tensor([1, 2])
        const first = compiled({ w: x, v: x })
        expect(bitsOf(first)).toEqual(bitsOf({ w: t.tensor([2, 3]), v: t.tensor([3, 4]) }))
        expect(first.w).toBe(x)
        for (let n = 2; n < 5; n++) {
          const next = compiled(first)
          expect([next.w, next.v]).toEqual([first.w, first.v])
          expect(next.v).toBe(first.v)
          expect(bitsOf(next)).toEqual(
            bitsOf({ w: t.tensor([1 + n, 2 + n]), v: t.tensor([1 + 2 * n, 2 + 2 * n]) }),
          )
        }
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('are arguments of the next call like any other, donated or not, and of other functions', () => {
    const f = (x: t.Tensor) => t.transpose(t.matmul(t.transpose(x), x))
    const negate = t.compile(t.neg, { donate: [0] })
    for (const [donate, isAlias] of [
      [[], false],
      [[], true],
      [[0], false],
      [[0], true],
    ] as const) {
      const left = leftBy(() => {
        const compiled = t.compile(f, { donate, reuse: true })
        t.scope(() => {
          let x = t.tensor([
            [1, 2],
            [0, 0.5],
          ])
          let expected = t.add(x, 0)
          for (let turn = 0; turn < 6; turn++) {
            expected = f(expected)
            x = compiled(x)
            expect(bitsOf(x)).toEqual(bitsOf(expected))
            if (turn === 3) {
              // Another function takes what the program would write to next, the tensor itself or an alias of it.
              x = negate(isAlias ? t.reshape(x, x.shape) : x)
              expected = t.neg(expected)
            }
          }
        })
        compiled.dispose()
      })
      expect(left).toEqual(nothing)
    }
  })

  it('are left to a gradient that needs them: the next call writes elsewhere', () => {
    const left = leftBy(() => {
      const negate = t.compile((y: t.Tensor) => t.neg(y), { reuse: true })
      const gradient = (f: (y: t.Tensor) => t.Tensor) =>
        t.grad((w: t.Tensor) => {
          const first = t.mul(w, f(t.tensor([2, 3])))
          const second = t.mul(
            first,
            t.scope(() => f(t.tensor([5, 7]))),
          )
          for (let i = 0; i < 3; i++) f(t.tensor([i, 9]))
          return t.sum(second)
        })
      t.scope(() => {
        const w = t.ones([2])
        for (let turn = 0; turn < 2; turn++) expect(gradient(negate)(w).toArray()).toEqual([10, 21])
        // Nothing is differentiated any more: it is one tensor again.
        expect(negate(w)).toBe(negate(w))
      })
      negate.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('survive a call that fails: the next one is right', () => {
    const f = (p: { w: t.Tensor }, labels: t.Tensor) => ({
      norm: t.sum(p.w),
      w: t.add(p.w, t.sum(t.oneHot(labels, 2), { axis: 0 })),
    })
    const compiled = t.compile(f, options)
    const left = leftBy(() => {
      t.scope(() => {
        const p = { w: t.tensor([1, 2]) }
        const good = t.tensor([0, 1, 1])
        expect(bitsOf(compiled(p, good))).toEqual(bitsOf({ w: t.tensor([2, 4]), norm: t.tensor(3) }))
        for (let call = 0; call < 2; call++) {
          expect(refusal(() => compiled(p, t.tensor([0, 2, 1])))).toBe(
            'RangeError: oneHot: index 2 at place 1 is not an integer from 0 to 1; count classes from 0',
          )
          expect(p.w.toArray()).toEqual([2, 4])
        }
        expect(bitsOf(compiled(p, good))).toEqual(bitsOf({ w: t.tensor([3, 6]), norm: t.tensor(6) }))
        expect(compiled(p, good).w).toBe(p.w)
      })
      compiled.dispose()
    })
    expect(left).toEqual(nothing)
  })

  // Small constants were one where they held the same bits at the time of recording.
  it('never takes a captured result, which is written over later, for another tensor of the same numbers', () => {
    const next = t.compile((x: t.Tensor) => t.add(x, 1), { reuse: true })
    const result = next(t.tensor([1, 2]))
    for (const first of ['result', 'other'] as const) {
      const other = result.toArray()
      const captured = { result, other: t.tensor(other) }
      const second = first === 'result' ? 'other' : 'result'
      const f = t.compile((x: t.Tensor) => [t.mul(x, captured[first]), t.mul(x, captured[second])])
      f(t.ones([2]))
      next(t.tensor([10, 20]))
      const found = Object.fromEntries(f(t.ones([2])).map((y, i) => [i === 0 ? first : second, y.toArray()]))
      expect(found).toEqual({ result: [11, 21], other })
      f.dispose()
      next(t.tensor([1, 2]))
    }
    next.dispose()
  })
})
