import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import * as t from '../src/index.ts'
import { poisonFreed } from '../src/memory.ts'
import { bitsOf, leftBy, nothing } from './compile-law.ts'

beforeAll(() => poisonFreed(true))
afterAll(() => poisonFreed(false))

// What is returned, times what may be used up, times whether results are written over, times who else has the memory of the
// arguments: whatever a plan does with memory, the bits are those of the function itself.

interface Pair {
  readonly a: t.Tensor
  readonly b: t.Tensor
}
type Row = (p: Pair, x: t.Tensor) => unknown

const captured = t.tensor([0.5])
const flat = (x: t.Tensor) => t.reshape(x, [x.size])
const tail = (x: t.Tensor) => t.slice(flat(x), Math.min(1, x.size))
const asRow = (x: t.Tensor) => t.reshape(x, [1, x.size])
const loss = (p: Pair, x: t.Tensor) => t.sum(t.square(t.sub(t.mul(p.a, x), t.tanh(p.b))))

const rows: Readonly<Record<string, Row>> = {
  'the arguments': (p, x) => [p, x],
  'the arguments, exchanged': ({ a, b }) => ({ a: b, b: a }),
  'one argument twice': ({ a }, x) => ({ a, b: a, x: [x, x] }),
  'new values': ({ a, b }, x) => ({ a: t.sub(a, t.mul(x, 0.1)), b: t.add(b, a) }),
  'new values, exchanged': ({ a, b }, x) => ({ a: t.sub(b, x), b: t.mul(a, x) }),
  'new values that need both old ones': ({ a, b }, x) => ({
    a: t.sum(t.mul(t.reshape(a, [a.size, 1]), asRow(b)), { axis: 1 }),
    b: t.mul(t.add(a, b), x),
  }),
  'an argument beside what is made of it': ({ a, b }, x) => ({ a, b: t.add(a, 1), x: t.mul(x, b) }),
  'one new value twice': ({ a }) => {
    const y = t.exp(a)
    return { a: y, b: y, list: [y, flat(y)] }
  },
  'equal values from equal lines': ({ a }, x) => ({ a: t.mul(a, x), b: t.mul(a, x), c: t.mul(x, a) }),
  'views of new values': ({ a, b }, x) => ({ a: flat(t.mul(a, x)), b: tail(t.neg(b)), whole: t.neg(b) }),
  'views of arguments': ({ a, b }, x) => ({ a: flat(a), b: tail(b), x: [asRow(x), x] }),
  'views beside new values': ({ a, b }, x) => ({ a: tail(a), b: t.add(a, b), x: t.add(x, 1) }),
  constants: ({ a }) => ({
    a: t.tensor([1, 2, 3]),
    b: captured,
    c: tail(captured),
    d: t.add(a, captured),
    e: t.zeros([0]),
  }),
  nothing: () => undefined,
  'nothing but static values': () => ['text', true, null, undefined, Number.NaN, -0, t.key(3)],
  'numbers beside': (p, x) => ({ sum: t.sum(p.a), mean: t.sum(t.mul(x, x)), n: x.size }),
  'a long chain': ({ a, b }, x) => {
    let y = a
    for (let i = 0; i < 6; i++) y = t.tanh(t.add(t.mul(y, 1.5), i % 2 === 0 ? b : x))
    return { a: y, b: t.softmax(asRow(y)) }
  },
  'gradients and what they lead to': (p, x) => {
    const { value, gradients } = t.valueAndGrad(loss)(p, x)
    return [t.zipTensors([p, gradients], (w, g) => t.sub(w, t.mul(g, 0.1))), value]
  },
}

const shapes = [[], [1], [3], [5, 3], [17], [0], [0, 3]]
const modes: readonly t.CompileOptions[] = [false, true].flatMap((reuse) =>
  [[], [0], [1], [0, 1]].map((donate) => ({ donate, reuse })),
)

/** Three tensors of a shape, and all who else has their memory. */
type Making = (shape: t.Shape) => readonly [a: t.Tensor, b: t.Tensor, x: t.Tensor]

const values = (shape: t.Shape, from: number): Float32Array =>
  new Float32Array(t.sizeOf(shape)).map((_, i) => Math.fround(Math.sin(from + 0.7 * i)))
const makings: Readonly<Record<string, Making>> = {
  apart: (shape) => [0, 1, 2].map((from) => t.tensor(values(shape, from), shape)) as never,
  'the same tensor': (shape) => {
    const x = t.tensor(values(shape, 4), shape)
    return [x, x, x]
  },
  'aliases of one tensor': (shape) => {
    const x = t.tensor(values(shape, 5), shape)
    return [x, t.reshape(x, shape), t.reshape(t.reshape(x, [x.size]), shape)]
  },
  'overlapping slices of one tensor': (shape) => {
    const size = t.sizeOf(shape)
    const base = t.tensor(values([size + 2], 6))
    return [2, 0, 1].map((from) => t.reshape(t.slice(base, from, from + size), shape)) as never
  },
}

/** Arguments of their own with the numbers of others. */
const copies = (tensors: readonly t.Tensor[]): t.Tensor[] =>
  tensors.map((x) => t.tensor(x.toFloat32Array(), x.shape))

function expectBits(f: Row, shape: t.Shape, options: t.CompileOptions, making: Making, label: string): void {
  const compiled = t.compile(f, options)
  for (let call = 0; call < 3; call++) {
    t.scope(() => {
      const given = making(shape)
      const [a, b, x] = copies(given)
      const expected = bitsOf(f({ a: a!, b: b! }, x!))
      const result = compiled({ a: given[0], b: given[1] }, given[2])
      expect(bitsOf(result), `${label}, call ${call}`).toEqual(expected)
      // Arguments that share nothing with donated ones are as they were.
      if (!options.donate?.includes(1) && making === makings['apart']) {
        expect(bitsOf(given[2]), `${label}, x after call ${call}`).toEqual(bitsOf(x))
      }
    })
  }
  compiled.dispose()
}

describe.each(Object.entries(rows))('%s', (_, f) => {
  it.each(Object.entries(makings))('from arguments: %s', (_making, making) => {
    for (const shape of shapes) {
      for (const options of modes) {
        const label = `${t.showShape(shape)}, ${JSON.stringify(options)}`
        const left = leftBy(() => expectBits(f, shape, options, making, label))
        expect(left, label).toEqual(nothing)
      }
    }
  })
})

describe('data in the place of tensors', () => {
  const dataOf = (x: t.Tensor) => ({ shape: x.shape, values: x.toFloat32Array() })
  it.each(Object.entries(rows))('%s', (_, f) => {
    for (const shape of shapes) {
      for (const options of modes) {
        const label = `${t.showShape(shape)}, ${JSON.stringify(options)}`
        const left = leftBy(() => {
          const compiled = t.compile(f, options)
          for (const from of [1, 2, 3]) {
            t.scope(() => {
              const [a, b, x] = [0, 5, 9].map((more) => t.tensor(values(shape, from + more), shape))
              const expected = bitsOf(f({ a: a!, b: b! }, x!))
              const fed = [dataOf(a!), dataOf(x!)] as const
              expect(bitsOf(compiled({ a: fed[0], b: b! }, fed[1])), label).toEqual(expected)
              // What is fed is copied in, and never written to.
              expect(fed).toEqual([dataOf(a!), dataOf(x!)])
            })
          }
          compiled.dispose()
        })
        expect(left, label).toEqual(nothing)
      }
    }
  })
})

describe('a result', () => {
  const f = (x: t.Tensor): Readonly<Record<string, t.Tensor>> => {
    const y = t.add(x, 1)
    return { x, y, again: y, view: t.slice(y, 1), part: t.slice(x, 1), one: t.tensor([7]), closed: captured }
  }
  const expected = { x: [1, 2], y: [2, 3], again: [2, 3], view: [3], part: [2], one: [7], closed: [0.5] }
  const read = (result: Readonly<Record<string, t.Tensor>>): unknown =>
    Object.fromEntries(Object.entries(result).map(([name, one]) => [name, one.toArray()]))

  it('outlives its program, its arguments, later calls and the scope of the first', () => {
    const left = leftBy(() => {
      const compiled = t.compile(f)
      const [first, second] = t.scope(() => [compiled(t.tensor([1, 2])), compiled(t.tensor([1, 2]))])
      for (let i = 0; i < 3; i++) t.scope(() => void compiled(t.tensor([i, 5])))
      compiled.dispose()
      t.scope(() => void compiled(t.tensor([8, 9])))
      compiled.dispose()
      expect(read(first)).toEqual(expected)
      expect(read(second)).toEqual(expected)
      for (const one of t.leaves([first, second])) one.dispose()
    })
    expect(left).toEqual(nothing)
  })

  it('is given back once, in any order, whatever shares its memory', () => {
    const names = Object.keys(expected)
    for (let turn = 0; turn < names.length; turn++) {
      const left = leftBy(() => {
        const compiled = t.compile(f)
        const x = t.tensor([1, 2])
        const result = { ...compiled(x) }
        const order = [...names.slice(turn), ...names.slice(0, turn)]
        for (const name of order) {
          result[name]!.dispose()
          result[name]!.dispose()
          // Blocks that were given back too early would be handed out here.
          t.full([2], 9).dispose()
          expect(() => result[name]!.toArray()).toThrow(t.DisposedError)
          delete result[name]
          const rest = Object.entries(expected).filter(([other]) => other in result)
          expect(read(result)).toEqual(Object.fromEntries(rest))
        }
        expect(x.toArray()).toEqual([1, 2])
        x.dispose()
        compiled.dispose()
      })
      expect(left).toEqual(nothing)
    }
  })

  it('belongs to the scope around the call, and to no scope inside of it', () => {
    const compiled = t.compile((x: t.Tensor) => t.scope(() => ({ y: t.scope(() => t.mul(t.exp(x), 2)), x })))
    const x = t.tensor([0])
    const around = leftBy(() => {
      t.scope(() => void compiled(x))
      const kept = t.scope(() => {
        const inner = t.scope(() => compiled(x))
        return inner.y
      })
      expect(kept.toArray()).toEqual([2])
      kept.dispose()
    })
    // The constant of the program.
    expect(around).toEqual({ tensors: 0, bytes: 64 })
    const kept = ((): t.Tensor => {
      using s = t.scope()
      return s.keep(compiled(x).y)
    })()
    expect(kept.toArray()).toEqual([2])
    const sum = t.fold({ y: t.tensor([1]) }, [1, 2, 3], ({ y }) => ({ y: compiled(y).y }))
    expect(bitsOf(sum)).toEqual(
      bitsOf(t.fold({ y: t.tensor([1]) }, [1, 2, 3], ({ y }) => ({ y: t.mul(t.exp(y), 2) }))),
    )
    compiled.dispose()
  })
})

describe('a loop', () => {
  const loops: Readonly<Record<string, (p: Pair, x: t.Tensor) => Pair>> = {
    'of new values': ({ a, b }, x) => ({ a: t.sub(a, t.mul(b, 0.1)), b: t.add(b, x) }),
    'that exchanges': ({ a, b }) => ({ a: b, b: a }),
    'that exchanges new values': ({ a, b }, x) => ({ a: t.add(b, x), b: t.tanh(a) }),
    'that ties its values': ({ a, b }) => {
      const y = t.add(a, b)
      return { a: y, b: y }
    },
    'that moves one value on': ({ a }, x) => ({ a: t.add(a, x), b: a }),
    'that keeps one value': ({ a, b }) => ({ a, b: t.add(a, b) }),
    'of products, which are never made in place': ({ a, b }) => ({
      a: t.transpose(t.matmul(t.reshape(a, [2, 2]), t.reshape(b, [2, 2]))),
      b: t.transpose(t.matmul(t.reshape(b, [2, 2]), t.reshape(a, [2, 2]))),
    }),
    'of a constant': ({ a }) => ({
      a: t.tensor([
        [1, 2],
        [3, 4],
      ]),
      b: t.neg(a),
    }),
    'through the gradient': (p, x) => t.zipTensors([p, t.grad(loss)(p, x)], (w, g) => t.sub(w, g)),
  }
  it.each(Object.entries(loops))('%s: what comes out goes in again', (_, f) => {
    const run = (step: typeof f, options: t.CompileOptions, making: Making): unknown[] => {
      const seen: unknown[] = []
      let [a, b, x] = making([2, 2])
      for (let turn = 0; turn < 6; turn++) {
        // What is donated is handed in for the last time.
        const next = step({ a, b }, options.donate?.includes(1) ? t.add(x, 0) : x)
        a = next.a
        b = next.b
        seen.push(bitsOf(next))
      }
      return seen
    }
    for (const making of Object.values(makings)) {
      const expected = t.scope(() => run(f, { donate: [0, 1] }, (shape) => copies(making(shape)) as never))
      for (const options of modes) {
        if (making !== makings['apart'] && options.donate?.includes(0)) continue
        const left = leftBy(() => {
          const compiled = t.compile(f, options)
          expect(
            t.scope(() => run(compiled, options, making)),
            JSON.stringify(options),
          ).toEqual(expected)
          compiled.dispose()
        })
        expect(left, JSON.stringify(options)).toEqual(nothing)
      }
    }
  })
})
