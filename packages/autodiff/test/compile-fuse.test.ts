import { describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { untyped } from './compile-law.ts'

const ones = (...shape: number[]) => t.ones(shape)

/** The operations of a plan's lines, without further results. */
const operationsOf = (lines: readonly string[]): string[] =>
  lines.map((line) => line.trim().split(/ {2,}/)[1]!).filter((name) => name !== '″')

const sigmoidish = (x: t.Tensor): t.Tensor => t.div(1, t.add(1, t.exp(t.neg(x))))

describe('elementwise lines become one', () => {
  it.each([
    ['a chain', sigmoidish, [[5]], ['neg·exp·add·div']],
    [
      'a chain with a number, a row and a column',
      (x: t.Tensor, r: t.Tensor, c: t.Tensor) => t.relu(t.mul(t.add(x, r), c)),
      [[3, 5], [5], [3, 1]],
      ['add·mul·relu'],
    ],
    ['two ways that meet', (x: t.Tensor) => t.mul(t.exp(x), t.tanh(x)), [[4, 3]], ['exp·tanh·mul']],
    [
      'what two results are made of',
      (x: t.Tensor) => [t.exp(t.neg(x)), t.square(t.neg(x))],
      [[7]],
      ['neg·exp·square'],
    ],
    ['what is also handed out on the way', (x: t.Tensor) => [t.exp(x), t.neg(t.exp(x))], [[7]], ['exp·neg']],
    [
      'around a product, before and after',
      (x: t.Tensor) => t.neg(t.exp(t.matmul(t.tanh(t.neg(x)), x))),
      [[3, 3]],
      ['neg·tanh', 'matmul', 'exp·neg'],
    ],
    // The first chain must be there for the product, which the second one waits for.
    [
      'never what waits for itself',
      (x: t.Tensor) => {
        const y = t.exp(x)
        return t.add(y, t.matmul(y, y))
      },
      [[3, 3]],
      ['exp', 'matmul', 'add'],
    ],
    [
      'early lines where they are read late',
      (x: t.Tensor, g: t.Tensor) => t.add(t.mul(x, 0.9), t.mul(t.matmul(g, g), 0.1)),
      [
        [3, 3],
        [3, 3],
      ],
      ['matmul', 'mul·mul·add'],
    ],
    [
      'heavy operations side by side, and cheap ones around',
      (x: t.Tensor) => t.neg(t.add(t.exp(x), t.tanh(t.square(x)))),
      [[6]],
      ['exp·square·…·neg(5)'],
    ],
    [
      'no heavy operation after another',
      (x: t.Tensor) => t.tanh(t.mul(t.exp(x), 2)),
      [[6]],
      ['exp·mul', 'tanh'],
    ],
    ['no other shapes', (x: t.Tensor, r: t.Tensor) => t.add(x, t.exp(r)), [[3, 5], [5]], ['exp', 'add']],
    ['no views', (x: t.Tensor) => t.neg(t.reshape(t.exp(x), [6])), [[2, 3]], ['exp', 'neg']],
    [
      'more axes than a loop walks',
      (x: t.Tensor, a: t.Tensor, b: t.Tensor) => t.mul(t.add(x, a), b),
      [
        [2, 3, 4, 5],
        [2, 1, 4, 1],
        [3, 1, 5],
      ],
      ['add·mul'],
    ],
    ['nothing of nothing', (x: t.Tensor) => t.neg(t.exp(x)), [[0, 3]], ['exp', 'neg']],
  ] as const)('%s', (_, f, shapes, expected) => {
    t.scope(() => {
      const compiled = untyped(f as (...args: never[]) => t.Tree)
      const inputs = shapes.map((shape, i) => t.uniform(t.foldIn(t.key(3), i), shape as t.Shape, -2, 2))
      expect(operationsOf(compiled.plan(...inputs).planned)).toEqual(expected)
      const eager = t.leaves((f as (...args: unknown[]) => t.Tree)(...inputs)).map((x) => x.toArray())
      const fused = t.leaves(compiled(...inputs) as t.Tree).map((x) => x.toArray())
      expect(fused).toEqual(eager)
      compiled.dispose()
    })
  })

  it.each([
    ['the sum of all', (x: t.Tensor) => t.sum(t.square(x)), 'square·sum'],
    ['the sum of all, which nearly cancel', (x: t.Tensor) => t.sum(t.mul(x, 1.1)), 'mul·sum'],
    ['the mean of all', (x: t.Tensor) => t.mean(t.square(t.sub(x, 1))), 'sub·square·mean'],
    ['the largest of each row', (x: t.Tensor) => t.max(t.neg(x), { axis: 1 }), 'neg·max'],
    ['the sum of each row, kept', (x: t.Tensor) => t.sum(t.exp(x), { axis: -1, keepDims: true }), 'exp·sum'],
    [
      'two sums of one chain',
      (x: t.Tensor) => [t.sum(t.exp(x), { axis: 1 }), t.mean(t.tanh(t.exp(x)))],
      'exp',
    ],
    ['what is stored too', (x: t.Tensor) => [t.exp(x), t.sum(t.neg(t.exp(x)), { axis: 1 })], 'exp·neg·sum'],
    ['no sum of columns', (x: t.Tensor) => t.sum(t.exp(x), { axis: 0 }), 'exp'],
  ] as const)('a reduction goes on with the loop: %s', (_, f, name) => {
    // From one chunk of rows to many, cut anywhere: a chunk is 4,096 numbers, a block of a sum 256.
    for (const shape of [
      [1, 1],
      [3, 5],
      [1, 5000],
      [257, 1],
      [64, 64],
      [4097, 1],
      [100, 300],
      [17, 1000],
      [3, 257, 12],
    ]) {
      t.scope(() => {
        const compiled = untyped(f as (...args: never[]) => t.Tree)
        const x = t.uniform(t.key(7), shape, -2, 2)
        expect(operationsOf(compiled.plan(x).planned)[0]).toMatch(name)
        const eager = t.leaves(f(x) as t.Tree).map((y) => y.toFloat32Array())
        expect(t.leaves(compiled(x) as t.Tree).map((y) => y.toFloat32Array())).toEqual(eager)
        expect(t.leaves(compiled(x) as t.Tree).map((y) => y.toFloat32Array())).toEqual(eager)
        compiled.dispose()
      })
    }
  })

  it('whose results are never written over what later rows still read', () => {
    // A row of as many numbers as there are rows, which the program has made, and nobody reads again.
    const f = (x: t.Tensor, r: t.Tensor) => t.sum(t.mul(x, t.cumSum(r)), { axis: 1 })
    const compiled = t.compile(f)
    t.scope(() => {
      const [x, r] = [t.uniform(t.key(5), [300, 300], -1, 1), t.uniform(t.key(6), [300], -1, 1)]
      expect(operationsOf(compiled.plan(x, r).planned)).toEqual(['cumSum', 'mul·sum'])
      const [eager, fused] = [f(x, r).toFloat32Array(), compiled(x, r).toFloat32Array()]
      expect(fused.findIndex((y, i) => !Object.is(y, eager[i]))).toBe(-1)
    })
    compiled.dispose()
  })

  it('but what may fail fails first where it does in the function', () => {
    // The loop of what is checked could go on with the sum, and with that wait for what is drawn.
    const f = (x: t.Tensor, high: number) => {
      const y = t.neg(t.cumSum(x))
      t.checkIndices('choose', y, 3)
      return t.add(y, t.uniform(t.key(1), [4], 0, high))
    }
    const compiled = t.compile(f)
    t.scope(() => {
      const x = t.ones([4])
      const words = 'choose: index -1 at place 0'
      expect(() => f(x, Number.NaN)).toThrow(words)
      expect(() => compiled(x, Number.NaN)).toThrow(words)
      // What has no elements lies nowhere.
      const check = compiled.plan(x, 1).planned.find((line) => line.includes('checkIndices'))
      expect(check).not.toContain('in place')
    })
    compiled.dispose()
  })

  it('unless that is switched off', () => {
    const compiled = t.compile(sigmoidish, { fuse: false })
    expect(operationsOf(compiled.plan(ones(5)).planned)).toEqual(['neg', 'exp', 'add', 'div'])
    compiled.dispose()
  })

  it('a long chain in pieces, each over the one before', () => {
    const chain = (x: t.Tensor): t.Tensor => {
      let y = x
      for (let i = 0; i < 200; i++) y = t.mul(t.add(y, 0.01), 1.001)
      return y
    }
    const compiled = t.compile(chain)
    t.scope(() => {
      const { planned, plannedBytes } = compiled.plan(ones(1000))
      expect(planned.length).toBeGreaterThan(1)
      expect(planned.length).toBeLessThan(20)
      expect(plannedBytes).toBe(2 * 4032)
      expect(compiled(ones(1000)).toArray()).toEqual(chain(ones(1000)).toArray())
    })
    compiled.dispose()
  })

  it('the update of a leaf by Adam as one pass over donated memory', () => {
    const step = t.compile(
      (p: { w: t.Tensor; m: t.Tensor; v: t.Tensor }, g: t.Tensor, rate: number) => {
        const m = t.add(t.mul(p.m, 0.9), t.mul(g, 0.1))
        const v = t.add(t.mul(p.v, 0.999), t.mul(t.square(g), 0.001))
        return { w: t.sub(p.w, t.div(t.mul(m, rate), t.add(t.sqrt(v), 1e-8))), m, v }
      },
      { donate: [0] },
    )
    const p = () => ({ w: ones(33), m: ones(33), v: ones(33) })
    t.scope(() => {
      const plan = step.plan(p(), ones(33), 0.1)
      expect(operationsOf(plan.planned)).toHaveLength(1)
      for (const path of ['w', 'm', 'v']) expect(String(plan)).toContain(`over 0.${path}`)
      // The rate.
      expect(plan.plannedBytes).toBe(64)
    })
    step.dispose()
  })

  it('a result over its donated argument, though another result of the loop would fit there', () => {
    const step = t.compile(
      (w: t.Tensor, x: t.Tensor) => {
        const { value, gradients } = t.valueAndGrad((v: t.Tensor) => t.mean(t.square(t.sub(v, x))))(w)
        return { w: t.sub(w, gradients), loss: value }
      },
      { donate: [0], reuse: true },
    )
    t.scope(() => {
      const w = ones(5)
      expect(step(w, ones(5)).w).toBe(w)
    })
    step.dispose()
  })

  it('a result over an argument that only another result is computed from', () => {
    const f = (a: t.Tensor, b: t.Tensor, c: t.Tensor) => [t.add(a, c), t.mul(b, c)] as const
    const compiled = t.compile(f, { donate: [1] })
    t.scope(() => {
      const given = () => [t.linspace(1, 2, 19), t.linspace(3, 5, 19), t.linspace(0, 1, 19)] as const
      expect(String(compiled.plan(...given()))).toMatch(/%3.*over argument 1/)
      const expected = f(...given()).map((x) => x.toArray())
      expect(compiled(...given()).map((x) => x.toArray())).toEqual(expected)
    })
    compiled.dispose()
  })

  it('results that are written over what others are still computed from', () => {
    // Either result fits into the memory of either argument, element by element.
    const swap = (a: t.Tensor, b: t.Tensor): [t.Tensor, t.Tensor] => [t.sub(b, a), t.mul(b, a)]
    const compiled = t.compile(swap, { donate: [0, 1] })
    for (const size of [1, 3, 4, 5, 16, 19, 64, 67]) {
      t.scope(() => {
        const given = () => [t.linspace(1, 2, size), t.linspace(3, 5, size)] as const
        const expected = swap(...given()).map((x) => x.toArray())
        expect(compiled.plan(...given()).plannedBytes).toBe(0)
        expect(compiled(...given()).map((x) => x.toArray())).toEqual(expected)
      })
    }
    compiled.dispose()
  })
})

describe('a product and the loop after it take turns, some rows each', () => {
  // From 1 MiB on: 262,144 bytes of rows at a time.
  const rows = 20_011
  const matrix = (...shape: number[]) => t.normal(t.key(shape.length + shape[0]!), shape)
  const images = (): t.Tensor => matrix(9, 40, 40, 4)
  const filter = (): t.Tensor => matrix(3, 3, 4, 8)
  it.each([
    [
      'bias and activation',
      () => [matrix(rows, 8), matrix(8, 16), matrix(16)],
      (x, w, b) => t.tanh(t.add(t.matmul(x!, w!), b!)),
    ],
    [
      'transposed weights',
      () => [matrix(rows, 8), matrix(16, 8), matrix(16)],
      (x, w, b) => t.relu(t.add(t.matmul(x!, w!, { transposeB: true }), b!)),
    ],
    [
      'the product itself, too',
      () => [matrix(rows, 8), matrix(8, 16)],
      (x, w) => {
        const y = t.matmul(x!, w!)
        return [y, t.relu(y)]
      },
    ],
    [
      'what it was made of, again',
      () => [matrix(rows, 16), matrix(16, 16)],
      (x, w) => t.add(t.relu(t.matmul(x!, w!)), x!),
    ],
    [
      'two results',
      () => [matrix(rows, 16), matrix(16, 16), matrix(rows, 16)],
      (x, w, z) => {
        const y = t.matmul(t.exp(x!), w!)
        return [t.mul(y, z!), t.add(y, z!)]
      },
    ],
    [
      'results that lie where its operand was',
      () => [matrix(rows, 16), matrix(16, 16), matrix(rows, 16)],
      (x, w, z) => {
        const y = t.matmul(t.exp(x!), w!)
        return t.add(t.matmul(t.mul(y, z!), w!), t.matmul(t.add(y, z!), w!))
      },
    ],
    [
      'its gradient',
      () => [matrix(rows, 8), matrix(8, 16)],
      (x, w) => t.grad((v: t.Tensor) => t.sum(t.square(t.relu(t.matmul(x!, v)))))(w!),
    ],
    [
      'its last row too, which every row reads',
      () => [matrix(rows, 16), matrix(16, 64)],
      (x, w) => {
        const y = t.matmul(x!, w!)
        return t.add(y, t.slice(y, rows - 1))
      },
    ],
    ['images', () => [images(), filter(), matrix(8)], (x, w, b) => t.relu(t.add(t.conv2d(x!, w!), b!))],
    [
      'another product after',
      () => [matrix(rows, 8), matrix(8, 16), matrix(16, 3)],
      (x, w, v) => t.matmul(t.relu(t.matmul(x!, w!)), v!),
    ],
  ] as const satisfies readonly (readonly [string, () => t.Tensor[], (...xs: t.Tensor[]) => t.Tree])[])(
    '%s',
    (_, inputs, f) => {
      for (const donate of [[], [0]]) {
        t.scope(() => {
          const compiled = untyped(f as (...args: never[]) => t.Tree, { donate })
          const expected = t
            .leaves((f as (...xs: t.Tensor[]) => t.Tree)(...inputs()))
            .map((x) => x.toFloat32Array())
          poisonFreed(true)
          try {
            for (let call = 0; call < 2; call++) {
              const found = t.leaves(compiled(...inputs()) as t.Tree).map((x) => x.toFloat32Array())
              // Not the arrays themselves: what differs would be printed in full.
              const places = found.map((x, i) => x.findIndex((y, j) => !Object.is(y, expected[i]![j])))
              expect(places).toEqual(found.map(() => -1))
            }
          } finally {
            poisonFreed(false)
          }
          compiled.dispose()
        })
      }
    },
  )
})
