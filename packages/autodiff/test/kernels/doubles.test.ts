import { describe, expect, test } from 'vitest'
import type { Doubles } from '../../src/kernels/doubles.ts'
import * as d from '../../src/kernels/doubles.ts'
import { compileLoop, type Expression, emitLoop } from '../../src/kernels/emit.ts'
import * as e from '../../src/kernels/expression.ts'

const memory = new WebAssembly.Memory({ initial: 256, maximum: 65536 })
const floats = new Float32Array(memory.buffer)
const words = new Uint32Array(memory.buffer)
const A = 0x100004
const B = 0x300008
const out = 0x60000c

const compile = (f: Expression, pattern: string) => compileLoop(f, pattern, memory, false)
const run = (f: (x: e.Value) => e.Value, values: readonly number[]): number[] => {
  floats.set(values, A / 4)
  compile((x) => f(x), 'v')(out, 1, values.length, A, 0)
  return [...floats.subarray(out / 4, out / 4 + values.length)]
}
const runBoth = (
  f: (a: e.Value, b: e.Value) => e.Value,
  pairs: readonly (readonly [number, number])[],
): number[] => {
  floats.set(
    pairs.map(([a]) => a),
    A / 4,
  )
  floats.set(
    pairs.map(([, b]) => b),
    B / 4,
  )
  compile((a, b) => f(a, b), 'vv')(out, 1, pairs.length, A, 0, B, 0)
  return [...floats.subarray(out / 4, out / 4 + pairs.length)]
}

const values = [0, 0.1, 0.5, 1, 1.5, 2.5, 3, 88, 1e10, 2 ** -126, 2 ** -149, 3.4028234663852886e38, Infinity]
  .flatMap((x) => [Math.fround(x), Math.fround(-x)])
  .concat(NaN)
const pairs = values.flatMap((a) => values.map((b) => [a, b] as const))

describe('an operation on float64 rounds as JavaScript does', () => {
  const half = (x: Doubles): Doubles => d.mul(x, d.constant(0.1))
  const table: [string, (a: Doubles, b: Doubles) => Doubles, (a: number, b: number) => number][] = [
    ['add', (a, b) => d.add(half(a), b), (a, b) => a * 0.1 + b],
    ['sub', (a, b) => d.sub(half(a), b), (a, b) => a * 0.1 - b],
    ['mul', (a, b) => d.mul(half(a), d.mul(b, half(b))), (a, b) => a * 0.1 * (b * (b * 0.1))],
    ['div', (a, b) => d.div(half(a), b), (a, b) => (a * 0.1) / b],
    ['neg and abs', (a, b) => d.add(d.neg(a), d.abs(b)), (a, b) => -a + Math.abs(b)],
    ['sqrt', (a, b) => d.sqrt(d.mul(a, b)), (a, b) => Math.sqrt(a * b)],
    ['pmin', d.pmin, (a, b) => (b < a ? b : a)],
    ['pmax', d.pmax, (a, b) => (a < b ? b : a)],
    [
      'select where greater',
      (a, b) => d.select(d.greater(a, b), a, half(b)),
      (a, b) => (a > b ? a : b * 0.1),
    ],
    [
      'select where at most',
      (a, b) => d.select(d.lessEqual(a, b), a, half(b)),
      (a, b) => (a <= b ? a : b * 0.1),
    ],
    [
      'select where negative',
      (a, b) => d.select(d.isNegative(a), b, a),
      (a, b) => (a < 0 || Object.is(a, -0) ? b : a),
    ],
    [
      'the sign of another',
      (a, b) => d.fromBits(e.xor(d.bits(a), d.signOf(b))),
      (a, b) => (b < 0 || Object.is(b, -0) ? -a : a),
    ],
    ['polynomial', (a, b) => d.add(d.polynomial(a, [1, 2, 3]), b), (a, b) => 1 + 2 * a + 3 * (a * a) + b],
  ]
  test.each(table)('%s', (_, f, reference) => {
    const got = runBoth((a, b) => d.inDoubles(f, a, b), pairs)
    expect(got).toEqual(pairs.map(([a, b]) => Math.fround(reference(a, b))))
  })
  test('nearest takes the even one of two', () => {
    const got = run((x) => d.inDoubles(d.nearest, x), [0.5, 1.5, -0.5, -2.5, 1e30, 0.49])
    expect(got).toEqual([0, 2, -0, -2, Math.fround(1e30), 0])
  })
  test('bits moved up and down, added and taken away', () => {
    const f = (x: Doubles): Doubles => {
      const exponent = d.shiftRight(d.bits(x), 52)
      const doubled = d.shiftLeft(d.addBits(exponent, d.bits(d.constant(2 ** -1074))), 52)
      return d.fromBits(d.subBits(doubled, d.bits(d.constant(0))))
    }
    // The power of two above.
    expect(run((x) => d.inDoubles(f, x), [1, 1.5, 3, 100, 2 ** -149])).toEqual([2, 2, 4, 128, 2 ** -148])
  })
  test('every lane keeps its place', () => {
    for (let n = 1; n <= 9; n++) {
      const x = Array.from({ length: n }, (_, i) => i + 1)
      expect(run((v) => d.inDoubles((y) => d.mul(y, y), v), x)).toEqual(x.map((v) => v * v))
    }
  })
})

describe('selectRarely', () => {
  const rarely: Expression = (x, y) => {
    const inner = e.add(e.mul(x, x), y!)
    return e.add(e.selectRarely(e.greater(x, e.constant(2)), e.mul(inner, inner), e.sub(inner, x)), inner)
  }
  const plainly: Expression = (x, y) => {
    const inner = e.add(e.mul(x, x), y!)
    return e.add(e.select(e.greater(x, e.constant(2)), e.mul(inner, inner), e.sub(inner, x)), inner)
  }
  test.each(['vv', 'vs', 'sv', 'ss'])(
    '%s: gives what select gives, wherever lanes take the first',
    (pattern) => {
      for (let n = 1; n <= 13; n++) {
        for (let large = 0; large <= n; large++) {
          floats.set(
            Array.from({ length: n }, (_, i) => (i === large ? 5.5 : i / 7)),
            A / 4,
          )
          floats.set(
            Array.from({ length: n }, (_, i) => i / 3),
            B / 4,
          )
          const found = [rarely, plainly].map((f) => {
            compile(f, pattern)(out, 1, n, A, 0, B, 0)
            return [...words.subarray(out / 4, out / 4 + n)]
          })
          expect(found[0]).toEqual(found[1])
        }
      }
    },
  )
  test('may be nested, and used twice', () => {
    const nested =
      (choose: typeof e.select): Expression =>
      (x) => {
        const low = choose(e.less(x, e.constant(-1)), e.exp(x), x)
        const both = choose(e.less(x, e.constant(0)), e.mul(low, e.exp(x)), e.add(x, e.constant(1)))
        return e.add(both, e.mul(low, e.exp(x)))
      }
    const x = [-3, -0.5, 0, 1, 2, 3, 4, 5, -2]
    const found = [e.select, e.selectRarely].map((choose) =>
      run(nested(choose) as (x: e.Value) => e.Value, x),
    )
    expect(found[0]).toEqual(found[1])
  })
  test('is a branch: what is seldom needed costs nothing where it is not', () => {
    const far = emitLoop((x) => e.sin(x), 'v')
    expect(WebAssembly.validate(far)).toBe(true)
    const time = (value: number): number => {
      const n = 4096
      floats.fill(value, A / 4, A / 4 + n)
      const loop = compile((x) => e.sin(x), 'v')
      for (let k = 0; k < 100; k++) loop(out, 1, n, A, 0)
      const times = Array.from({ length: 15 }, () => {
        const start = performance.now()
        for (let k = 0; k < 100; k++) loop(out, 1, n, A, 0)
        return performance.now() - start
      })
      return Math.min(...times)
    }
    expect(time(1)).toBeLessThan(time(1e30) * 0.8)
  })
})

// Distance from the exact value in units of the last place it has as a float32.
const exact = new Float64Array(1)
const exactWords = new Uint32Array(exact.buffer)
const unitOf = Float64Array.from({ length: 2048 }, (_, k) => 2 ** (Math.max(k - 1023, -126) - 23))
function ulps(got: number, want: number): number {
  if (Object.is(got, Math.fround(want)) && !(Number.isFinite(got) && Number.isFinite(want))) return 0
  if (!Number.isFinite(got) || (got === 0 && !Object.is(Math.sign(got), Math.sign(Math.fround(want)))))
    return Infinity
  exact[0] = want
  return Math.abs(got - want) / unitOf[(exactWords[1]! >>> 20) & 2047]!
}

describe('over the whole float32 line the result is within 0.51 ulp of the float64 one', () => {
  const table: [string, (x: e.Value) => e.Value, (x: number) => number][] = [
    ['log2', e.log2, Math.log2],
    ['cbrt', e.cbrt, Math.cbrt],
    ['sin', e.sin, Math.sin],
    ['cos', e.cos, Math.cos],
    ['tan', e.tan, Math.tan],
    ['asin', e.asin, Math.asin],
    ['acos', e.acos, Math.acos],
    ['atan', e.atan, Math.atan],
    ['sinh', e.sinh, Math.sinh],
    ['cosh', e.cosh, Math.cosh],
    ['asinh', e.asinh, Math.asinh],
    ['acosh', e.acosh, Math.acosh],
    ['atanh', e.atanh, Math.atanh],
  ]
  // 524,288 patterns and a few; the last bits of the pattern come in all combinations.
  const block = 1 << 18
  const stride = 8191
  test.each(table)('%s', (_, expression, reference) => {
    const loop = compile((x) => expression(x), 'v')
    let worst = 0
    let at = 0
    for (let first = 0; first < 2 ** 32; first += block * stride) {
      for (let i = 0; i < block; i++) words[A / 4 + i] = first + i * stride
      loop(out, 1, block, A, 0)
      for (let i = 0; i < block; i++) {
        const distance = ulps(floats[out / 4 + i]!, reference(floats[A / 4 + i]!))
        if (distance <= worst) continue
        worst = distance
        at = floats[A / 4 + i]!
      }
    }
    expect(worst, `at ${at}`).toBeLessThan(0.51)
  })
  test.each(table)('%s, at special values and where formulas meet', (_, expression, reference) => {
    const meeting = [
      2 ** 20,
      2 ** -13,
      0.5,
      1,
      Math.SQRT1_2,
      Math.SQRT2,
      Math.SQRT2 - 1,
      Math.SQRT2 + 1,
      88.72,
      89.41,
      89.42,
      200,
      300,
    ]
    const beside = meeting.flatMap((x) => [-2, -1, 0, 1, 2].map((by) => x * (1 + by * 2 ** -23)))
    const all = [...values, ...beside.flatMap((x) => [x, -x])].map(Math.fround)
    for (const [i, got] of run(expression, all).entries()) {
      expect(ulps(got, reference(all[i]!)), `at ${all[i]}, got ${got}`).toBeLessThan(0.51)
    }
  })
  // Of all float32 these come nearest to multiples of pi / 2, found by continued fractions: digits that cancel there are
  // digits of pi that a reduction must have.
  const hard = [
    16367173 * 2 ** 72,
    10741887 * 2 ** 11,
    10057457 * 2 ** 62,
    11617958 * 2 ** 17,
    9012376 * 2 ** 53,
    14173733 * 2 ** 88,
    12438944 * 2 ** 103,
    3.4028234663852886e38,
  ]
  test.each([
    ['sin', e.sin, Math.sin],
    ['cos', e.cos, Math.cos],
    ['tan', e.tan, Math.tan],
  ] as const)('%s, next to multiples of pi / 2', (_, expression, reference) => {
    const near = Array.from({ length: 4000 }, (_, n) => (n + 1) * 167 * (Math.PI / 2))
    const all = [...hard, ...near].flatMap((x) => [Math.fround(x), Math.fround(-x)])
    for (const [i, got] of run(expression, all).entries()) {
      expect(ulps(got, reference(all[i]!)), `at ${all[i]}, got ${got}`).toBeLessThan(0.51)
    }
  })
})

describe('of two numbers the result is within 0.51 ulp of the float64 one', () => {
  // IEEE 754 where JavaScript differs.
  const power = (a: number, b: number): number =>
    a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b
  const whole = [2, 3, -2, -3, 16777215, 16777216, -16777215, 8388607.5]
  const all = [...values, ...whole, 0.3, -7, 1e-20, 1e20]
  const special = all.flatMap((a) => all.map((b) => [Math.fround(a), Math.fround(b)] as const))
  // Bases of every size, with exponents that leave the power in range.
  const scattered = Array.from({ length: 40_000 }, (_, i) => {
    words[0] = (i * 53687) & 0x7fffffff
    const a = floats[0]!
    return [a, Math.fround((((i * 7919) % 300) - 150) / Math.log2(a))] as const
  })
  const nearOne = Array.from({ length: 4000 }, (_, i) => {
    const a = Math.fround(1 + (i - 2000) * 2 ** -(10 + (i % 14)))
    return [a, Math.fround((((i * 7919) % 300) - 150) / Math.log2(a))] as const
  })
  test.each([
    ['pow', e.pow, power],
    ['atan2', e.atan2, Math.atan2],
    ['hypot', e.hypot, Math.hypot],
  ] as const)('%s', (_, expression, reference) => {
    const given = [...special, ...scattered, ...nearOne]
    const found = runBoth(expression, given)
    let worst = 0
    let at = ''
    for (const [i, got] of found.entries()) {
      const [a, b] = given[i]!
      const distance = ulps(got, reference(a, b))
      if (distance <= worst) continue
      worst = distance
      at = `(${a}, ${b}), got ${got}, not ${reference(a, b)}`
    }
    expect(worst, `at ${at}`).toBeLessThan(0.51)
  })
})

test('bits depend neither on the place nor on the neighbours', () => {
  for (const f of [e.sin, e.cos, e.tan, e.asin, e.acos, e.atan, e.sinh, e.asinh, e.log2, e.cbrt]) {
    const alone = run(f, [0.7310586])[0]
    for (const other of [1e30, NaN, Infinity, -3, 0]) {
      for (let place = 0; place < 7; place++) {
        const x = Array.from({ length: 7 }, (_, i) => (i === place ? 0.7310586 : other))
        expect(run(f, x)[place]).toBe(alone)
      }
    }
  }
})
