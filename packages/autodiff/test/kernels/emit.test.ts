import { describe, expect, test } from 'vitest'
import * as d from '../../src/kernels/doubles.ts'
import { compileLoop, type Expression, emitLoop } from '../../src/kernels/emit.ts'
import * as e from '../../src/kernels/expression.ts'
import type { Numerics } from '../../src/numerics.ts'

const memories = [false, true].map((shared) => {
  const memory = new WebAssembly.Memory({ initial: 192, maximum: 65536, shared })
  return { shared, memory, floats: new Float32Array(memory.buffer), words: new Uint32Array(memory.buffer) }
})
const { memory, floats, words } = memories[0]!

// Byte addresses, a megabyte or more apart, and none a multiple of 16.
const A = 0x100004
const B = 0x200008
const C = 0x30000c
const out = 0x600004
const guard = -12345.5

const put = (address: number, values: ArrayLike<number>): void => floats.set(values, address / 4)
const take = (address: number, count: number): number[] => [
  ...floats.subarray(address / 4, address / 4 + count),
]
const compile = (f: Expression, pattern: string) => compileLoop(f, pattern, memory, false)

const specials = [
  0,
  1,
  0.1,
  0.5,
  1.5,
  2,
  2.5,
  3,
  1e-3,
  88,
  1e10,
  8388607.5,
  16777217,
  2 ** 31,
  2 ** -126,
  1e-40,
  2 ** -149,
  3.4028234663852886e38,
  Infinity,
].flatMap((x) => [Math.fround(x), Math.fround(-x)])
const values = [...specials, NaN]

describe('an operation on two inputs rounds once, as JavaScript does', () => {
  const one = (truth: boolean): number => (truth ? 1 : 0)
  const table: [string, Expression, (a: number, b: number) => number][] = [
    ['add', (a, b) => e.add(a, b), (a, b) => a + b],
    ['sub', (a, b) => e.sub(a, b), (a, b) => a - b],
    ['mul', (a, b) => e.mul(a, b), (a, b) => a * b],
    ['div', (a, b) => e.div(a, b), (a, b) => a / b],
    ['minimum', (a, b) => e.minimum(a, b), Math.min],
    ['maximum', (a, b) => e.maximum(a, b), Math.max],
    ['pmin', (a, b) => e.pmin(a, b), (a, b) => (b < a ? b : a)],
    ['pmax', (a, b) => e.pmax(a, b), (a, b) => (a < b ? b : a)],
    ['greater', (a, b) => e.toNumber(e.greater(a, b)), (a, b) => one(a > b)],
    ['greaterEqual', (a, b) => e.toNumber(e.greaterEqual(a, b)), (a, b) => one(a >= b)],
    ['less', (a, b) => e.toNumber(e.less(a, b)), (a, b) => one(a < b)],
    ['lessEqual', (a, b) => e.toNumber(e.lessEqual(a, b)), (a, b) => one(a <= b)],
    ['equal', (a, b) => e.toNumber(e.equal(a, b)), (a, b) => one(a === b)],
    ['notEqual', (a, b) => e.toNumber(e.notEqual(a, b)), (a, b) => one(a !== b)],
    ['select', (a, b) => e.select(e.less(a, b), a, b), (a, b) => (a < b ? a : b)],
    [
      'and of masks',
      (a, b) => e.toNumber(e.and(e.less(a, e.constant(1)), e.less(b, e.constant(2)))),
      (a, b) => one(a < 1 && b < 2),
    ],
    [
      'or of masks',
      (a, b) => e.toNumber(e.or(e.less(a, e.constant(1)), e.less(b, e.constant(2)))),
      (a, b) => one(a < 1 || b < 2),
    ],
    [
      'xor and not of masks',
      (a, b) => e.toNumber(e.not(e.xor(e.less(a, e.constant(1)), e.less(b, e.constant(2))))),
      (a, b) => one(a < 1 === b < 2),
    ],
  ]
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const))
  test.each(table)('%s', (_, expression, reference) => {
    put(
      A,
      pairs.map(([a]) => a),
    )
    put(
      B,
      pairs.map(([, b]) => b),
    )
    compile(expression, 'vv')(out, 1, pairs.length, A, 0, B, 0)
    expect(take(out, pairs.length)).toEqual(pairs.map(([a, b]) => Math.fround(reference(a, b))))
  })
})

describe('an operation on one input rounds once, as JavaScript does', () => {
  const view = new Int32Array(1)
  const asFloat = new Float32Array(view.buffer)
  const onBits = (f: (bits: number) => number) => (x: number) => {
    asFloat[0] = x
    view[0] = f(view[0]!)
    return asFloat[0]!
  }
  const saturated = (x: number): number =>
    Number.isNaN(x) ? 0 : Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x)))
  const table: [string, (x: e.Value) => e.Value, (x: number) => number][] = [
    ['neg', e.neg, (x) => -x],
    ['abs', e.abs, Math.abs],
    ['sqrt', e.sqrt, Math.sqrt],
    ['floor', e.floor, Math.floor],
    ['ceil', e.ceil, Math.ceil],
    ['trunc', e.trunc, Math.trunc],
    ['nearest', e.nearest, (x) => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x))],
    ['constant', (x) => e.mul(x, e.constant(0.1)), (x) => x * Math.fround(0.1)],
    ['truncate', (x) => e.fromInteger(e.truncate(x)), (x) => saturated(x) + 0],
    [
      'bits moved, added, taken away and combined',
      (x) => {
        const bits = e.xor(e.bits(x), e.integer(0x00ff00ff))
        const moved = e.addBits(e.shiftLeft(bits, 5), e.shiftRight(bits, 3))
        return e.fromInteger(e.not(e.subBits(e.and(moved, e.integer(-7)), e.or(bits, e.integer(1 << 20)))))
      },
      (x) => {
        let number = 0
        onBits((bits) => {
          const flipped = bits ^ 0x00ff00ff
          number = ~(((((flipped << 5) + (flipped >> 3)) & -7) - (flipped | (1 << 20))) | 0)
          return 0
        })(x)
        return number
      },
    ],
    ['bits made and read', (x) => e.fromBits(e.and(e.bits(x), e.integer(-65536))), onBits((b) => b & -65536)],
  ]
  test.each(table)('%s', (_, expression, reference) => {
    put(A, specials)
    compile((x) => expression(x), 'v')(out, 1, specials.length, A, 0)
    expect(take(out, specials.length)).toEqual(specials.map((x) => Math.fround(reference(x))))
  })
  test('NaN stays NaN', () => {
    put(A, new Array(5).fill(NaN))
    for (const f of [
      e.neg,
      e.abs,
      e.sqrt,
      e.floor,
      e.ceil,
      e.trunc,
      e.nearest,
      e.exp,
      e.log,
      e.tanh,
      e.sigmoid,
    ]) {
      compile((x) => f(x), 'v')(out, 1, 5, A, 0)
      expect(take(out, 5)).toEqual(new Array(5).fill(NaN))
    }
  })
})

// Distance from the exact value in units of the last place it has as a float32.
const exact = new Float64Array(1)
const exactWords = new Uint32Array(exact.buffer)
const unitOf = Float64Array.from({ length: 2048 }, (_, k) => 2 ** (Math.max(k - 1023, -126) - 23))
function ulps(got: number, want: number): number {
  if (Object.is(got, Math.fround(want))) return 0
  if (!Number.isFinite(got) || got === want) return Infinity
  exact[0] = want
  return Math.abs(got - want) / unitOf[(exactWords[1]! >>> 20) & 2047]!
}

describe('over the whole float32 line the result is near the float64 one', () => {
  const logistic = (x: number): number => 1 / (1 + Math.exp(-x))
  const table: [string, (x: e.Value) => e.Value, (x: number) => number, number][] = [
    ['exp, 1.1 ulp', e.exp, Math.exp, 1.1],
    ['log, 1 ulp', e.log, Math.log, 1],
    ['tanh, 2.7 ulp', e.tanh, Math.tanh, 2.7],
    ['sigmoid, 2.5 ulp', e.sigmoid, logistic, 2.5],
  ]
  const block = 1 << 18
  // 1,048,576 patterns and a few; the last bits of the pattern come in all combinations.
  const stride = 4093
  test.each(table)('%s', (_, expression, reference, bound) => {
    const loop = compile((x) => expression(x), 'v')
    const x = A / 4
    const y = out / 4
    let worst = 0
    let at = 0
    for (let first = 0; first < 2 ** 32; first += block * stride) {
      for (let i = 0; i < block; i++) words[x + i] = first + i * stride
      loop(out, 1, block, A, 0)
      for (let i = 0; i < block; i++) {
        const distance = ulps(floats[y + i]!, reference(floats[x + i]!))
        if (distance > worst) {
          worst = distance
          at = floats[x + i]!
        }
      }
    }
    expect(worst, `at ${at}`).toBeLessThan(bound)
  })
  test.each(table)(
    '%s, at special values and around the ends of its range',
    (_, expression, reference, bound) => {
      const ends = [
        88.722839, 88.7229, 89, 1000, 87.3365, 87.34, 103.27, 103.972, 103.973, 104, 8.5, 9, 9.011, 9.02, 10,
        16.6, 17.4,
      ]
      const all = [
        ...values,
        ...[...ends, 1e-20, 1e-38, 0.3465735, 0.34657362, Math.SQRT1_2, Math.SQRT2].flatMap((x) => [x, -x]),
      ]
      put(A, all)
      compile((x) => expression(x), 'v')(out, 1, all.length, A, 0)
      const got = take(out, all.length)
      for (const [i, x] of all.entries()) {
        expect(ulps(got[i]!, reference(Math.fround(x))), `at ${x}, got ${got[i]}`).toBeLessThan(bound)
      }
    },
  )
  test('where the result is exact it is exact', () => {
    const at = (f: (x: e.Value) => e.Value, x: number): number => {
      put(A, [x])
      compile((v) => f(v), 'v')(out, 1, 1, A, 0)
      return floats[out / 4]!
    }
    expect([0, -0, 89, -104, Infinity, -Infinity].map((x) => at(e.exp, x))).toEqual([
      1,
      1,
      Infinity,
      0,
      Infinity,
      0,
    ])
    expect([1, 0, -0, -1, -Infinity, Infinity].map((x) => at(e.log, x))).toEqual([
      0,
      -Infinity,
      -Infinity,
      NaN,
      NaN,
      Infinity,
    ])
    expect([0, -0, 1e-30, 2 ** -149, -10, Infinity].map((x) => at(e.tanh, x))).toEqual([
      0,
      -0,
      Math.fround(1e-30),
      2 ** -149,
      -1,
      1,
    ])
    expect([0, -0, 20, -Infinity, Infinity].map((x) => at(e.sigmoid, x))).toEqual([0.5, 0.5, 1, 0, 1])
    expect(at(e.sigmoid, -100)).toBe(Math.fround(Math.exp(-100)))
  })
})

describe.each(memories)('rows and columns, memory shared: $shared', ({ shared, memory, floats }) => {
  const affine: Expression = (a, b) => e.add(e.mul(a, e.constant(3)), b)
  const reference = (a: number, b: number): number => Math.fround(Math.fround(a * 3) + b)
  const number = (i: number): number => Math.fround(Math.sin(i) * 100)
  // A body short enough to be unrolled, and one that is not.
  const long: Expression = (a, b) => {
    const h = e.constant(0.5)
    const z = e.constant(0)
    let x = affine(a, b)
    for (let k = 0; k < 10; k++) x = e.add(e.mul(e.add(x, x), h), z)
    return x
  }

  /** Runs with guards around the output; [outer stride, inner stride] in elements give the expected reads. */
  const check = (
    f: Expression,
    pattern: string,
    outer: number,
    inner: number,
    rows: [number, number],
  ): void => {
    for (let i = 0; i < 400; i++) {
      floats[A / 4 + i] = number(i)
      floats[B / 4 + i] = number(i + 1000)
    }
    const n = outer * inner
    floats.fill(guard, out / 4 - 8, out / 4 + n + 8)
    const strides = rows.map((r) => r * 4)
    compileLoop(f, pattern, memory, shared)(out, outer, inner, A, strides[0]!, B, strides[1]!)
    const expected = new Array<number>(n + 16).fill(guard)
    const step = [...pattern].map((letter) => (letter === 'v' ? 1 : 0))
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < inner; i++) {
        const a = number(o * rows[0] + i * step[0]!)
        const b = number(o * rows[1] + i * step[1]! + 1000)
        expected[8 + o * inner + i] = reference(a, b)
      }
    }
    expect([...floats.subarray(out / 4 - 8, out / 4 + n + 8)]).toEqual(expected)
  }

  test.each(['vv', 'vs', 'sv', 'ss'])(
    '%s: every length from 0 to 37 writes its elements and no others',
    (pattern) => {
      for (const f of [affine, long]) {
        for (let inner = 0; inner <= 37; inner++) check(f, pattern, 1, inner, [0, 0])
      }
    },
  )
  test.each([
    ['contiguous rows', 'vv', 5, 7, [7, 7]],
    ['a row repeated', 'vv', 5, 7, [7, 0]],
    ['a column repeated', 'vs', 5, 7, [7, 1]],
    ['an outer product', 'sv', 6, 21, [1, 0]],
    ['two columns', 'ss', 4, 18, [1, 1]],
    ['a column and one number', 'ss', 4, 5, [1, 0]],
    ['one number', 'vs', 3, 19, [19, 0]],
    ['rows apart', 'vv', 3, 18, [25, 20]],
    ['columns of one', 'vv', 9, 1, [1, 0]],
    ['no rows', 'vv', 0, 4, [4, 4]],
    ['no columns', 'vv', 4, 0, [0, 0]],
  ] as const)('%s', (_, pattern, outer, inner, rows) => {
    check(affine, pattern, outer, inner, [...rows])
    check(long, pattern, outer, inner, [...rows])
  })
  test('the output may be the input itself', () => {
    for (const f of [affine, long]) {
      const x = Array.from({ length: 23 }, (_, i) => number(i))
      const b = number(77)
      floats.set(x, A / 4)
      floats[B / 4] = b
      compileLoop(f, 'vs', memory, shared)(A, 1, 23, A, 0, B, 0)
      expect([...floats.subarray(A / 4, A / 4 + 23)]).toEqual(x.map((v) => reference(v, b)))
    }
    const x = Array.from({ length: 23 }, (_, i) => number(i))
    floats.set(x, A / 4)
    compileLoop((p, q) => e.mul(p, q), 'vv', memory, shared)(A, 1, 23, A, 0, A, 0)
    expect([...floats.subarray(A / 4, A / 4 + 23)]).toEqual(x.map((v) => Math.fround(v * v)))
    floats.set(x, A / 4)
    compileLoop((p, q) => e.mul(p, q), 'ss', memory, shared)(A, 23, 1, A, 4, A, 4)
    expect([...floats.subarray(A / 4, A / 4 + 23)]).toEqual(x.map((v) => Math.fround(v * v)))
  })
  test('rows may end where the memory ends', () => {
    const top = memory.buffer.byteLength
    for (const n of [1, 2, 3, 5, 7, 19]) {
      floats.fill(2, floats.length - n)
      compileLoop((x) => e.mul(x, x), 'v', memory, shared)(top - 4 * n, 1, n, top - 4 * n, 0)
      expect([...floats.subarray(floats.length - n)]).toEqual(new Array(n).fill(4))
    }
  })
})

test("an element's bits do not depend on its place", () => {
  const n = 39
  for (const f of [e.exp, e.log, e.tanh, e.sigmoid]) {
    put(A, new Array(n).fill(0.7310586))
    compile((x) => f(x), 'v')(out, 1, n, A, 0)
    expect(new Set(words.subarray(out / 4, out / 4 + n)).size).toBe(1)
  }
})

describe('the graph', () => {
  test('computes what is equal once, however it was written', () => {
    const shared = emitLoop((x) => {
      const y = e.exp(x)
      return e.mul(y, y)
    }, 'v')
    const repeated = emitLoop((x) => e.mul(e.exp(x), e.exp(x)), 'v')
    expect(repeated).toEqual(shared)
    expect(shared.length).toBeLessThan(emitLoop((x) => e.exp(x), 'v').length + 20)
  })
  test('keeps the sign of a constant zero', () => {
    put(A, [1, 1, 1, 1, 1])
    compile((x) => e.sub(e.div(x, e.constant(0)), e.div(x, e.constant(-0))), 'v')(out, 1, 5, A, 0)
    expect(take(out, 5)).toEqual(new Array(5).fill(Infinity))
  })
  test('computes once per row what depends on the row alone', () => {
    put(A, [1, 2, 3, 4, 5, 6])
    put(B, [4, 9])
    put(C, [10, 20])
    const f: Expression = (x, variance, mean) =>
      e.mul(e.sub(x, mean), e.div(e.constant(1), e.sqrt(e.add(variance, e.constant(0)))))
    compile(f, 'vss')(out, 2, 3, A, 12, B, 4, C, 4)
    const third = Math.fround(1 / 3)
    expect(take(out, 6)).toEqual([-4.5, -4, -3.5, ...[-16, -15, -14].map((v) => Math.fround(v * third))])
  })
  test('may use no input, one input twice, or leave one out', () => {
    compile(() => e.constant(2.5), '')(out, 2, 3)
    expect(take(out, 6)).toEqual(new Array(6).fill(2.5))
    put(A, [1, 2, 3, 4, 5])
    compile((x) => x, 'v')(out, 1, 5, A, 0)
    expect(take(out, 5)).toEqual([1, 2, 3, 4, 5])
    compile((_, y) => e.fromBits(e.bits(y)), 'vs')(out, 1, 5, B, 0, A + 4, 0)
    expect(take(out, 5)).toEqual([2, 2, 2, 2, 2])
  })
  test('takes more inputs and variables than fit into one byte', () => {
    const count = 70
    const values = Array.from({ length: count }, (_, k) => k + 1)
    put(A, values)
    const f: Expression = (...xs) => xs.map((x) => e.mul(x, x)).reduce((sum, x) => e.add(sum, e.add(x, x)))
    const loop = compile(f, 'sv'.repeat(count / 2))
    loop(out, 1, 1, ...values.flatMap((_, k) => [A + 4 * k, 0]))
    expect(floats[out / 4]).toBe(values.reduce((sum, x) => sum + 2 * x * x, -1))
  })
  test('tells masks from numbers by type', () => {
    const x = e.input(0)
    // @ts-expect-error a mask is no number
    expect(e.add(e.less(x, x), x).inputs[0]!.kind).toBe('mask')
    // @ts-expect-error a number is no mask
    expect(e.select(x, x, x).inputs[2]!.kind).toBe('number')
    // @ts-expect-error bits and masks do not mix
    expect(e.and(e.bits(x), e.less(x, x)).kind).toBe('bits')
  })
})

describe('a product and a sum', () => {
  const numerics: Numerics = {
    name: 'relaxed',
    kernels: { matmul: () => {}, convolve: () => {}, filterGradient: () => {} },
    contracts: true,
  }
  const inDoubles =
    (f: (a: d.Doubles, b: d.Doubles, c: d.Doubles) => d.Doubles): Expression =>
    (a, b, c) =>
      d.inDoubles((x, y, z) => f(x!, y!, z!), a!, b!, c!)
  const rows: readonly (readonly [name: string, one: Expression, two: Expression, opcode: number])[] = [
    ['numbers', (a, b, c) => e.mulAdd(a!, b!, c!), (a, b, c) => e.add(e.mul(a!, b!), c!), 0x85],
    ['doubles', inDoubles(d.mulAdd), inDoubles((a, b, c) => d.add(d.mul(a, b), c)), 0x87],
  ]
  /** How often f32x4.relaxed_madd, 0xfd 0x105, or f64x2.relaxed_madd, 0xfd 0x107, is in a module. */
  const count = (bytes: Uint8Array, opcode: number): number =>
    bytes.reduce(
      (sum, byte, i) => sum + (byte === 0xfd && bytes[i + 1] === opcode && bytes[i + 2] === 0x02 ? 1 : 0),
      0,
    )
  test.each(rows)(
    'of %s are two instructions, and one where a numeric mode contracts',
    (_, one, two, opcode) => {
      expect(emitLoop(one, 'vvv')).toEqual(emitLoop(two, 'vvv'))
      expect(count(emitLoop(one, 'vvv'), opcode)).toBe(0)
      expect(count(emitLoop(one, 'vvv', false, numerics), opcode)).toBeGreaterThan(0)
      expect(emitLoop(one, 'vvv', false, { ...numerics, contracts: false })).toEqual(emitLoop(two, 'vvv'))
    },
  )
  test.each(rows)('of %s stay two where they are written as two', (_name, _one, two) => {
    expect(emitLoop(two, 'vvv', false, numerics)).toEqual(emitLoop(two, 'vvv'))
  })
})

describe('emitLoop refuses', () => {
  const refusal = (message: string) =>
    expect.objectContaining({ name: 'RangeError', operation: 'emitLoop', message })
  test('a pattern with another letter', () => {
    const message =
      "emitLoop: a letter of the pattern is neither v nor s, got 'x'; write one of them per input"
    expect(() => emitLoop((x) => x, 'x')).toThrow(refusal(message))
  })
  test('a pattern with too few letters', () => {
    const message = "emitLoop: the pattern is too short, got 'v' for 2 inputs; write one letter per input"
    expect(() => emitLoop((a, b) => e.add(a, b), 'v')).toThrow(refusal(message))
  })
})
