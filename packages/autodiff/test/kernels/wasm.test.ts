import { describe, expect, test } from 'vitest'
import { kernelsOn, type WasmKernels, wasm } from '../../src/kernels/wasm.ts'
import { isShared, wasmMemory } from '../../src/memory.ts'

const epsilon = 2 ** -23
const sizes = [0, 1, 3, 5, 17, 33, 64, 100]

/** A NaN that no arithmetic makes: what lies around operands, to see reads and writes beyond them. */
const guard = 0x7fa5a5a5

/** A memory in which every operand lies between guards: at least 64 bytes, and its padding. */
class Arena {
  readonly kernels: WasmKernels
  readonly memory: WebAssembly.Memory
  #top = 65536

  constructor(shared: boolean, pages = 64) {
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared })
    this.kernels = kernelsOn(this.memory, shared)
  }

  reset(at = 65536): void {
    this.#top = at
  }

  room(count: number): number {
    const at = this.#top + 64
    this.#top = Math.ceil((at + count * 4) / 64) * 64
    new Uint32Array(this.memory.buffer, at - 64, (this.#top + 64 - at + 64) / 4).fill(guard)
    return at
  }

  put(values: ArrayLike<number>): number {
    const at = this.room(values.length)
    this.view(at, values.length).set(values)
    return at
  }

  view(at: number, count: number): Float32Array {
    return new Float32Array(this.memory.buffer, at, count)
  }

  /** A copy of an output, after a look at the guards on both sides. */
  take(at: number, count: number): Float32Array {
    const end = Math.ceil((at + count * 4) / 64) * 64 + 64
    const words = new Uint32Array(this.memory.buffer, at - 64, (end - at + 64) / 4)
    const touched = words.findIndex((word, i) => (i < 16 || i >= 16 + count) && word !== guard)
    expect(touched, 'a guard was overwritten').toBe(-1)
    return this.view(at, count).slice()
  }
}

/** Repeatable numbers in [-1, 1) (Numerical Recipes' generator). */
function numbers(count: number, seed: number): Float32Array {
  let state = seed >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
}

/** The worst |actual - expected| / tolerance; equal values, infinite ones and NaN included, are 0. */
function worst(
  actual: Float32Array,
  expected: (i: number) => number,
  tolerance: (i: number) => number,
): number {
  let largest = 0
  for (let i = 0; i < actual.length; i++) {
    const want = expected(i)
    if (Object.is(actual[i], want)) continue
    const ratio = Math.abs(actual[i]! - want) / tolerance(i)
    if (!(ratio <= largest)) largest = Number.isNaN(ratio) ? Infinity : ratio
  }
  return largest
}

/** An ulp of float32 at a float64 value. */
const ulp = (x: number): number => Math.max(2 ** (Math.floor(Math.log2(Math.abs(x))) - 23), 2 ** -149)

describe.each([
  ['shared', true],
  ['unshared', false],
] as const)('kernels on %s memory', (_, shared) => {
  const arena = new Arena(shared)
  const { kernels } = arena

  describe('matmul', () => {
    type Shape = readonly [m: number, n: number, k: number]
    const flags = [0, 1] as const

    function multiply(
      a: ArrayLike<number>,
      b: ArrayLike<number>,
      [m, n, k]: Shape,
      ta: 0 | 1,
      tb: 0 | 1,
      scratch = true,
    ) {
      arena.reset()
      const left = arena.put(a)
      const right = arena.put(b)
      const out = arena.room(m * n)
      const bytes = scratch ? kernels.matmulScratch(m, n, k, ta, tb) : 0
      const space = bytes === 0 ? 0 : arena.room(bytes / 4)
      kernels.matmul(left, right, out, m, n, k, ta, tb, space)
      if (space !== 0) {
        const after = new Uint32Array(arena.memory.buffer, space + Math.ceil(bytes / 64) * 64, 16)
        expect(
          after.every((word) => word === guard),
          'written beyond the scratch',
        ).toBe(true)
      }
      return arena.take(out, m * n)
    }

    function check(shape: Shape, ta: 0 | 1, tb: 0 | 1, scratch = true): void {
      const [m, n, k] = shape
      const a = numbers(m * k, 1)
      const b = numbers(k * n, 2)
      const at = (i: number, term: (x: number) => number): number => {
        const row = Math.floor(i / n)
        const column = i % n
        let sum = 0
        for (let p = 0; p < k; p++)
          sum += term(a[ta ? p * m + row : row * k + p]! * b[tb ? column * k + p : p * n + column]!)
        return sum
      }
      const error = worst(
        multiply(a, b, shape, ta, tb, scratch),
        (i) => at(i, (x) => x),
        (i) => (k * epsilon * at(i, Math.abs)) / 2 + 1e-30,
      )
      expect(error, `[${shape}] transposed ${ta}${tb}`).toBeLessThanOrEqual(1)
    }

    test.each(flags.flatMap((ta) => flags.map((tb) => [ta, tb] as const)))(
      'is within the standard bound for all sizes, transposes %i %i',
      (ta, tb) => {
        for (const m of sizes) for (const n of sizes) for (const k of sizes) check([m, n, k], ta, tb)
      },
    )

    test('crosses its blocks of rows, columns and depth rightly', () => {
      for (const ta of flags) {
        for (const tb of flags) {
          check([131, 130, 300], ta, tb)
          check([9, 1043, 21], ta, tb)
          check([3, 70, 600], ta, tb)
          check([70, 1, 600], ta, tb)
          check([6, 150, 600], ta, tb)
          check([130, 40, 100], ta, tb)
          check([9, 100, 100], ta, tb)
        }
      }
    })

    test('needs no scratch to be right', () => {
      for (const ta of flags)
        for (const tb of flags)
          for (const shape of [
            [33, 150, 260],
            [17, 5, 3],
          ] as const)
            check(shape, ta, tb, false)
    })

    // Blocked in every form; with A or B transposed only; never.
    test.each([
      [37, 140, 523],
      [21, 140, 523],
      [130, 40, 100],
      [9, 100, 100],
      [3, 23, 70],
    ] as const)('gives an element the same bits whatever is around it, of [%i,%i] and k %i', (m, n, k) => {
      const a = numbers(m * k, 3)
      const b = numbers(k * n, 4)
      const whole = multiply(a, b, [m, n, k], 0, 0)
      const turned = (x: Float32Array, rows: number, columns: number): Float32Array =>
        x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!)
      for (const scratch of [true, false]) {
        expect(multiply(turned(a, m, k), b, [m, n, k], 1, 0, scratch)).toEqual(whole)
        expect(multiply(a, turned(b, k, n), [m, n, k], 0, 1, scratch)).toEqual(whole)
        expect(multiply(turned(a, m, k), turned(b, k, n), [m, n, k], 1, 1, scratch)).toEqual(whole)
      }
      for (let i = 0; i < m; i += 5) {
        const row = a.subarray(i * k, (i + 1) * k)
        expect(multiply(row, b, [1, n, k], 0, 0)).toEqual(whole.subarray(i * n, (i + 1) * n))
      }
      for (let j = 0; j < n; j += 31) {
        const column = b.filter((_, i) => i % n === j)
        expect(multiply(a, column, [m, 1, k], 0, 0)).toEqual(whole.filter((_, i) => i % n === j))
      }
    })

    test('sums in increasing k within equal blocks of at most 256', () => {
      const k = 523
      const length = Math.ceil(k / Math.ceil(k / 256))
      const a = numbers(k, 5)
      const b = numbers(k, 6)
      let expected = 0
      for (let p = 0; p < k; p += length) {
        let sum = 0
        for (let q = p; q < Math.min(k, p + length); q++) sum = Math.fround(sum + Math.fround(a[q]! * b[q]!))
        expected = Math.fround(expected + sum)
      }
      expect(multiply(a, b, [1, 1, k], 0, 0)[0]).toBe(expected)
    })

    test('carries NaN and Infinity through zeros', () => {
      for (const [m, n, k] of [
        [4, 8, 5],
        [40, 130, 140],
      ] as const) {
        const a = new Float32Array(m * k)
        const b = new Float32Array(k * n)
        a[k] = NaN
        b[1] = Infinity
        const out = multiply(a, b, [m, n, k], 0, 0)
        expect(Array.from(out.subarray(n, 2 * n)).every(Number.isNaN)).toBe(true)
        for (let i = 0; i < m; i++) expect(out[i * n + 1]).toBeNaN()
        expect(out[0]).toBe(0)
      }
    })

    test('writes zeros for k = 0, nothing for m = 0 or n = 0', () => {
      expect(Array.from(multiply([], [], [2, 3, 0], 0, 0))).toEqual([0, 0, 0, 0, 0, 0])
      expect(multiply([], [1, 2], [0, 2, 1], 0, 0)).toHaveLength(0)
      expect(multiply([1, 2], [], [2, 0, 1], 0, 0)).toHaveLength(0)
    })

    test('packs nothing for tiny shapes', () => {
      expect(kernels.matmulScratch(32, 16, 2, 0, 0)).toBe(0)
      expect(kernels.matmulScratch(32, 16, 16, 0, 0)).toBe(0)
      expect(kernels.matmulScratch(32, 1, 16, 0, 1)).toBe(0)
      expect(kernels.matmulScratch(32, 128, 784, 0, 0)).toBe(0)
      expect(kernels.matmulScratch(33, 128, 784, 0, 0)).toBeGreaterThan(0)
      expect(kernels.matmulScratch(32, 300, 784, 0, 0)).toBeGreaterThan(0)
    })
  })

  describe('reductions', () => {
    const shapes = [
      ...[0, 1, 3, 5, 17, 33, 64, 100, 256, 257, 1000].flatMap((n) =>
        [1, 2, 3, 4, 7, 8, 15, 16, 33, 100].map((inner) => [2, n, inner] as const),
      ),
      [0, 5, 3],
      [3, 5, 0],
      [5, 7, 1],
    ] as const

    type Reduce = (x: number, out: number, outer: number, n: number, inner: number, scratch: number) => void
    const reduceMax: Reduce = (x, out, outer, n, inner) => kernels.reduceMax(x, out, outer, n, inner)
    const argMax: Reduce = (x, out, outer, n, inner) => kernels.argMax(x, out, outer, n, inner)

    function reduce(
      kernel: Reduce,
      x: ArrayLike<number>,
      [outer, n, inner]: readonly [number, number, number],
    ): Float32Array {
      arena.reset()
      const from = arena.put(x)
      const out = arena.room(outer * inner)
      kernel(from, out, outer, n, inner, arena.room(2 * Math.ceil(inner / 4) * 4))
      return arena.take(out, outer * inner)
    }

    const terms = (x: Float32Array, [, n, inner]: readonly [number, number, number], i: number): number[] =>
      Array.from({ length: n }, (_, p) => x[(Math.floor(i / inner) * n + p) * inner + (i % inner)]!)

    test('reduceSum is within two ulps of the sum of magnitudes, for all shapes', () => {
      for (const shape of shapes) {
        const x = numbers(shape[0] * shape[1] * shape[2], 7)
        const error = worst(
          reduce(kernels.reduceSum, x, shape),
          (i) => terms(x, shape, i).reduce((sum, v) => sum + v, 0),
          (i) => 2 * epsilon * terms(x, shape, i).reduce((sum, v) => sum + Math.abs(v), 0),
        )
        expect(error, `[${shape}]`).toBeLessThanOrEqual(1)
      }
    })

    test('reduceSum of a million equal tenths is right to an ulp, along rows and columns', () => {
      const large = new Arena(shared, 400)
      const x = new Float32Array(1_000_000).fill(0.1)
      const from = large.put(x)
      const out = large.room(8)
      const scratch = large.room(16)
      for (const inner of [1, 2, 8]) {
        const n = 1_000_000 / inner
        large.kernels.reduceSum(from, out, 1, n, inner, scratch)
        const want = Math.fround(0.1) * n
        expect(Math.abs(large.view(out, 1)[0]! - want) / ulp(want), `inner ${inner}`).toBeLessThanOrEqual(1)
      }
    })

    test('reduceSum gives a column the same bits wherever it lies', () => {
      const n = 300
      const x = numbers(n * 31, 8)
      const whole = reduce(kernels.reduceSum, x, [1, n, 31])
      for (const width of [2, 4, 9, 17]) {
        const part = x.filter((_, i) => i % 31 >= 3 && i % 31 < 3 + width)
        expect(reduce(kernels.reduceSum, part, [1, n, width])).toEqual(whole.slice(3, 3 + width))
      }
    })

    test('reduceMax and argMax find the first largest, for all shapes', () => {
      for (const shape of shapes) {
        if (shape[1] === 0) continue
        // Few different values, so that there are ties.
        const x = numbers(shape[0] * shape[1] * shape[2], 9).map((v) => Math.round(v * 9))
        const max = (i: number): number => Math.max(...terms(x, shape, i))
        expect(
          worst(reduce(reduceMax, x, shape), max, () => 1e-30),
          `max [${shape}]`,
        ).toBe(0)
        const first = (i: number): number => terms(x, shape, i).indexOf(max(i))
        expect(
          worst(reduce(argMax, x, shape), first, () => 1e-30),
          `argMax [${shape}]`,
        ).toBe(0)
      }
    })

    test('the smallest is what the largest of the negatives is, with its sign changed', () => {
      const smallest: Reduce = (x, out, outer, n, inner) => kernels.reduceMax(x, out, outer, n, inner, 1)
      const place: Reduce = (x, out, outer, n, inner) => kernels.argMax(x, out, outer, n, inner, 1)
      for (const shape of shapes) {
        if (shape[1] === 0) continue
        const x = numbers(shape[0] * shape[1] * shape[2], 22).map((v) => Math.round(v * 9))
        if (x.length > 20) x[17] = NaN
        const negative = x.map((v) => -v)
        expect(reduce(smallest, x, shape)).toEqual(reduce(reduceMax, negative, shape).map((v) => -v))
        expect(reduce(place, x, shape)).toEqual(reduce(argMax, negative, shape))
      }
    })

    test('reduceMax is NaN and argMax the first NaN, wherever it is', () => {
      for (const inner of [1, 2, 5, 16, 33]) {
        for (const n of [1, 3, 4, 8, 13, 20]) {
          for (let place = 0; place < n; place++) {
            const x = numbers(n * inner, 10)
            const column = inner - 1
            x[place * inner + column] = NaN
            x[(n - 1) * inner + column] = NaN
            const shape = [1, n, inner] as const
            expect(reduce(reduceMax, x, shape)[column]).toBeNaN()
            expect(reduce(argMax, x, shape)[column]).toBe(place)
            if (inner > 1) expect(reduce(reduceMax, x, shape)[0]).not.toBeNaN()
          }
        }
      }
    })

    // Found by a long run of the law matrix: rows and blocks of sixteen columns kept whichever zero came first.
    test('reduceMax takes 0 for larger than -0, wherever it is', () => {
      for (const inner of [1, 3, 4, 16, 37]) {
        for (const n of [1, 2, 3, 4, 7, 8, 9, 17]) {
          for (let zero = -1; zero < n; zero++) {
            const x = new Float32Array(n * inner).fill(-0)
            if (zero >= 0) x.fill(0, zero * inner, (zero + 1) * inner)
            const expected = new Float32Array(inner).fill(zero >= 0 ? 0 : -0)
            expect(reduce(reduceMax, x, [1, n, inner])).toEqual(expected)
          }
        }
      }
    })

    test('reduceMax and argMax of -Infinity alone are -Infinity and 0', () => {
      for (const inner of [1, 3, 16]) {
        const x = new Float32Array(5 * inner).fill(-Infinity)
        expect(reduce(reduceMax, x, [1, 5, inner])[0]).toBe(-Infinity)
        expect(reduce(argMax, x, [1, 5, inner])[0]).toBe(0)
      }
    })
  })

  describe('argSort', () => {
    // By insertion up to 48, by radix beyond.
    test.each([
      [3, 5, 1],
      [2, 48, 3],
      [2, 49, 1],
      [1, 300, 2],
      [2, 1, 4],
      [0, 5, 3],
      [3, 5, 0],
    ])('orders lines of [%i, %i, %i] in both directions, equals in place', (outer, n, inner) => {
      const x = numbers(outer * n * inner, 19).map((v) => Math.round(v * 40))
      for (const descending of [0, 1] as const) {
        arena.reset()
        const from = arena.put(x)
        const out = arena.room(x.length)
        const scratch = arena.room(kernels.argSortScratch(n) / 4)
        kernels.argSort(from, out, outer, n, inner, descending, scratch)
        arena.take(scratch, kernels.argSortScratch(n) / 4)
        const found = arena.take(out, x.length)
        for (let line = 0; line < outer * inner; line++) {
          const first = Math.floor(line / inner) * n * inner + (line % inner)
          const value = (place: number): number => x[first + place * inner]! * (descending ? -1 : 1)
          const expected = Array.from({ length: n }, (_, i) => i).sort((p, q) => value(p) - value(q))
          expect(expected.map((_, i) => found[first + i * inner])).toEqual(expected)
        }
      }
    })
  })

  describe('softmax, logSoftmax, logSumExp', () => {
    type Rows = (x: number, out: number, rows: number, n: number) => void

    function onRows(kernel: Rows, x: ArrayLike<number>, rows: number, n: number, each = n): Float32Array {
      arena.reset()
      const from = arena.put(x)
      const out = arena.room(rows * each)
      kernel(from, out, rows, n)
      return arena.take(out, rows * each)
    }

    /** What NumPy computes in float64 (logSumExp as scipy's). */
    function exact(row: readonly number[]): { softmax: number[]; logSoftmax: number[]; logSumExp: number } {
      const max = row.reduce((a, b) => Math.max(a, b), -Infinity)
      const terms = row.map((v) => Math.exp(v - max))
      const sum = terms.reduce((a, b) => a + b, 0)
      return {
        softmax: terms.map((v) => v / sum),
        logSoftmax: row.map((v) => v - max - Math.log(sum)),
        logSumExp: Number.isFinite(max) || Number.isNaN(max) ? max + Math.log(sum) : max,
      }
    }

    function check(x: Float32Array, rows: number, n: number, what: string): void {
      const want = Array.from({ length: rows }, (_, i) => exact(Array.from(x.subarray(i * n, (i + 1) * n))))
      const row = (i: number) => want[Math.floor(i / n)]!
      const probability = (i: number): number => row(i).softmax[i % n]!
      const logarithm = (i: number): number => row(i).logSoftmax[i % n]!
      const within = (
        actual: Float32Array,
        expected: (i: number) => number,
        unit: (x: number) => number,
      ): void =>
        expect(
          worst(actual, expected, (i) => unit(expected(i))),
          what,
        ).toBeLessThanOrEqual(1)
      within(onRows(kernels.softmax, x, rows, n), probability, (y) => 3 * ulp(y))
      // Float64 has lost what is below 2^-52 beside 1, before the logarithm makes it the result.
      within(onRows(kernels.logSoftmax, x, rows, n), logarithm, (y) => Math.max(2 * ulp(y), 2 ** -50))
      // The largest and the logarithm may cancel: then the error is one of the logarithm, near 1.
      const total = (i: number): number => want[i]!.logSumExp
      within(onRows(kernels.logSumExp, x, rows, n, 1), total, (y) => ulp(Math.max(1, Math.abs(y))))
    }

    test('agree with float64 to 3, 2 and 1 ulps, for all row lengths and ranges', () => {
      for (const n of [1, 2, 3, 4, 5, 10, 17, 33, 64, 100, 1000]) {
        for (const scale of [0.01, 1, 10, 60]) {
          const x = numbers(4 * n, 11).map((v) => v * scale)
          check(x, 4, n, `n ${n}, values to ${scale}`)
        }
      }
    })

    test('reach down into the subnormal range and to 0', () => {
      check(
        Float32Array.from({ length: 120 }, (_, i) => -i),
        1,
        120,
        'integers down to -119',
      )
      check(Float32Array.of(0, -86.9, -87.1, -88, -103, -103.9, -104.5, -1e30), 1, 8, 'around the smallest')
    })

    test('keep small terms beside a certain one', () => {
      const [first] = onRows(kernels.logSoftmax, [0, -20, -21], 1, 3)
      const want = -Math.log1p(Math.exp(-20) + Math.exp(-21))
      expect(Math.abs(first! / want - 1)).toBeLessThan(1e-6)
    })

    test('treat infinite and NaN rows as float64 does', () => {
      const nothing = -Infinity
      for (const row of [
        [nothing, nothing, nothing],
        [nothing, 1, 2, nothing, 3],
        [1, Infinity, 2],
        [Infinity, Infinity],
        [NaN, 1, 2, 3, 4],
        [1, 2, 3, 4, NaN],
        [nothing, NaN],
        [Infinity, NaN, 1],
        [NaN],
        [1, 2, 3, 4, 5, Infinity, nothing, 6, NaN],
      ]) {
        check(Float32Array.from(row), 1, row.length, `[${row}]`)
      }
    })

    test('work in place', () => {
      const x = numbers(3 * 13, 12)
      for (const kernel of [kernels.softmax, kernels.logSoftmax]) {
        const apart = onRows(kernel, x, 3, 13)
        arena.reset()
        const at = arena.put(x)
        kernel(at, at, 3, 13)
        expect(arena.take(at, 39)).toEqual(apart)
      }
    })

    test('write nothing for no rows or empty rows; logSumExp of an empty row is -Infinity', () => {
      for (const kernel of [kernels.softmax, kernels.logSoftmax]) {
        expect(onRows(kernel, [], 0, 5)).toHaveLength(0)
        expect(onRows(kernel, [], 5, 0)).toHaveLength(0)
      }
      expect(onRows(kernels.logSumExp, [], 0, 5, 1)).toHaveLength(0)
      expect(Array.from(onRows(kernels.logSumExp, [], 2, 0, 1))).toEqual([-Infinity, -Infinity])
    })
  })

  describe('along columns', () => {
    /** x as [outer, inner, n]: columns become rows. */
    const turned = (x: Float32Array, n: number, inner: number): Float32Array =>
      x.map((_, i) => {
        const block = Math.floor(i / (n * inner))
        const column = Math.floor(i / n) % inner
        return x[block * n * inner + (i % n) * inner + column]!
      })

    // 1,030 columns are more than are worked on together.
    const shapes = [
      [2, 5, 3],
      [1, 33, 4],
      [3, 1, 17],
      [2, 70, 5],
      [1, 3, 1030],
      [2, 0, 3],
      [0, 3, 2],
      [2, 3, 0],
    ] as const

    test('softmax, logSoftmax and logSumExp are those of rows, but for the order of one sum', () => {
      for (const [outer, n, inner] of shapes) {
        for (const scale of [1, 60]) {
          const x = numbers(outer * n * inner, 18).map((v) => v * scale)
          for (const [kind, name] of [
            [0, 'softmax'],
            [1, 'logSoftmax'],
            [2, 'logSumExp'],
          ] as const) {
            const count = kind === 2 ? outer * inner : x.length
            arena.reset()
            const rows = arena.put(turned(x, n, inner))
            const expected = arena.room(count)
            kernels[name](rows, expected, outer * inner, n)
            const from = arena.put(x)
            const out = arena.room(count)
            const scratch = arena.room(3 * Math.ceil(Math.min(inner, 1024) / 4) * 4)
            kernels.softmaxColumns(from, out, outer, n, inner, kind, scratch)
            arena.take(scratch, 3 * Math.ceil(Math.min(inner, 1024) / 4) * 4)
            const want = arena.take(expected, count)
            const got = kind === 2 ? arena.take(out, count) : turned(arena.take(out, count), n, inner)
            expect(
              worst(
                got,
                (i) => want[i]!,
                (i) => 3 * ulp(kind === 0 ? want[i]! : Math.max(1, Math.abs(want[i]!))),
              ),
              `${name} of [${outer},${n},${inner}]`,
            ).toBeLessThanOrEqual(1)
            if (kind === 2) continue
            kernels.softmaxColumns(from, from, outer, n, inner, kind, scratch)
            expect(arena.take(from, count), 'in place').toEqual(arena.take(out, count))
          }
        }
      }
    })

    test('running sums, products and recurrences are those of rows, bit for bit, either way', () => {
      for (const [outer, n, inner] of shapes) {
        const x = numbers(outer * n * inner, 19)
        const by = numbers(x.length, 20)
        for (const kind of [0, 1, 2]) {
          for (const exclusive of [0, 1] as const) {
            for (const reverse of [0, 1] as const) {
              arena.reset()
              const columns = arena.room(x.length)
              const rows = arena.room(x.length)
              const scratch = arena.room(2 * Math.ceil(Math.min(inner, 1024) / 4) * 4)
              const [a, b] = [arena.put(x), arena.put(by)]
              kernels.prefix(a, b, columns, outer, n, inner, kind, exclusive, reverse, scratch)
              arena.take(scratch, 2 * Math.ceil(Math.min(inner, 1024) / 4) * 4)
              const [c, d] = [arena.put(turned(x, n, inner)), arena.put(turned(by, n, inner))]
              kernels.prefix(c, d, rows, outer * inner, n, 1, kind, exclusive, reverse, 0)
              expect(turned(arena.take(columns, x.length), n, inner)).toEqual(arena.take(rows, x.length))
            }
          }
        }
      }
    })

    test('variances, lengths and products are those of float64 sums', () => {
      for (const [outer, n, inner] of shapes) {
        const x = numbers(outer * n * inner, 21)
        const lines = Array.from({ length: outer * inner }, (_, i) =>
          Array.from(turned(x, n, inner).subarray(i * n, (i + 1) * n)),
        )
        const sum = (line: readonly number[]): number => line.reduce((a, b) => a + b, 0)
        for (const centred of [0, 1] as const) {
          arena.reset()
          const from = arena.put(x)
          const out = arena.room(lines.length)
          const scratch = arena.room(4 * Math.ceil(Math.min(inner, 1024) / 4) * 4)
          kernels.reduceSquares(from, out, outer, n, inner, centred, 7, 1, scratch)
          arena.take(scratch, 4 * Math.ceil(Math.min(inner, 1024) / 4) * 4)
          const expected = lines.map((line) => {
            const mean = centred === 1 ? sum(line) / n : 0
            return Math.sqrt(sum(line.map((v) => (v - mean) ** 2)) / 7)
          })
          expect(Array.from(arena.take(out, lines.length))).toEqual(expected.map(Math.fround))
          kernels.reduceProduct(from, out, outer, n, inner)
          const products = lines.map((line) => Math.fround(line.reduce((a, b) => a * b, 1)))
          expect(
            worst(
              arena.take(out, lines.length),
              (i) => products[i]!,
              (i) => ulp(products[i]!),
            ),
          ).toBeLessThanOrEqual(1)
        }
      }
    })
  })

  describe('stridedCopy and fill', () => {
    type Four = readonly [number, number, number, number]

    function copy(n: Four, s: Four, d: Four, first: number, length: number, outLength: number): void {
      arena.reset()
      const x = numbers(length, 13)
      const from = arena.put(x)
      const out = arena.room(outLength)
      const expected = new Uint32Array(outLength).fill(guard)
      const floats = new Float32Array(expected.buffer)
      for (let i = 0; i < n[0]; i++)
        for (let j = 0; j < n[1]; j++)
          for (let k = 0; k < n[2]; k++)
            for (let l = 0; l < n[3]; l++)
              floats[i * d[0] + j * d[1] + k * d[2] + l * d[3]] =
                x[first + i * s[0] + j * s[1] + k * s[2] + l * s[3]]!
      kernels.stridedCopy(from + first * 4, out, ...n, ...s, ...d)
      arena.take(out, outLength)
      const words = new Uint32Array(arena.memory.buffer, out, outLength).slice()
      expect(words, `n [${n}] s [${s}] d [${d}]`).toEqual(expected)
    }

    const contiguous = (n: Four): Four => [n[1] * n[2] * n[3], n[2] * n[3], n[3], 1]
    const count = (n: Four): number => n[0] * n[1] * n[2] * n[3]
    const shapes: Four[] = [
      [1, 1, 1, 1],
      [1, 1, 1, 300],
      [1, 1, 5, 17],
      [1, 1, 33, 64],
      [1, 1, 64, 33],
      [1, 3, 5, 17],
      [1, 1, 17, 1],
      [1, 17, 1, 5],
      [2, 1, 3, 1],
      [3, 4, 5, 6],
      [2, 3, 20, 21],
      [0, 2, 3, 4],
      [2, 3, 4, 0],
      [2, 0, 4, 5],
    ]
    const orders = [0, 1, 2, 3].flatMap((a) =>
      [0, 1, 2, 3].flatMap((b) =>
        [0, 1, 2, 3]
          .filter((c) => new Set([a, b, c]).size === 3)
          .map((c) => [a, b, c, 6 - a - b - c] as const),
      ),
    )
    const pick = (values: Four, order: Four): Four => [
      values[order[0]]!,
      values[order[1]]!,
      values[order[2]]!,
      values[order[3]]!,
    ]

    test('transposes by every order of axes, reading or writing in order', () => {
      for (const shape of shapes) {
        for (const order of orders) {
          const n = pick(shape, order)
          copy(n, pick(contiguous(shape), order), contiguous(n), 0, count(n), count(n))
          copy(n, contiguous(n), pick(contiguous(shape), order), 0, count(n), count(n))
        }
      }
    })

    test('broadcasts along any set of axes', () => {
      for (const shape of shapes) {
        for (let mask = 0; mask < 16; mask++) {
          const small = shape.map((size, axis) => (mask & (1 << axis) ? 1 : size)) as unknown as Four
          const strides = contiguous(small).map((stride, axis) =>
            mask & (1 << axis) ? 0 : stride,
          ) as unknown as Four
          copy(shape, strides, contiguous(shape), 0, count(small), count(shape))
        }
      }
    })

    test('slices, reverses and pads', () => {
      copy([1, 2, 3, 9], [0, 400, 20, 2], [54, 27, 9, 1], 41, 900, 54)
      copy([1, 1, 5, 7], [0, 0, -7, -1], [0, 0, 7, 1], 34, 35, 35)
      copy([1, 1, 5, 7], [0, 0, 7, -1], [0, 0, 7, 1], 6, 35, 35)
      copy([1, 2, 5, 7], [35, -1, 7, 1], [70, 35, 7, 1], 1, 90, 70)
      copy([1, 2, 5, 7], [70, 35, 7, 1], [200, 90, 9, 1], 0, 70, 200)
      copy([1, 1, 5, 7], [0, 0, 7, 1], [0, 0, 20, 2], 0, 35, 100)
    })

    test('fill writes n values and no more', () => {
      for (const n of [...sizes, 255, 256, 257, 1000]) {
        for (const value of [0, -0, 1.5, NaN, -Infinity]) {
          arena.reset()
          const at = arena.room(n)
          kernels.fill(at, n, value)
          expect(Array.from(arena.take(at, n))).toEqual(new Array(n).fill(value))
        }
      }
    })
  })

  // What they compute is the subject of their operations' laws; here a read beyond an operand shows as NaN.
  describe('norms, cross-entropies, attention, random bits', () => {
    const rows = 21
    const outputs = (
      call: (n: number, put: (count: number, seed?: number) => number) => [number, number][],
    ) => {
      for (const n of [...sizes, 300].filter((size) => size > 0)) {
        arena.reset()
        const put = (count: number, seed?: number): number =>
          seed === undefined ? arena.room(count) : arena.put(numbers(count, seed))
        for (const [at, count] of call(n, put)) {
          const values = arena.take(at, count)
          expect(values.length).toBe(count)
          expect(values.every(Number.isFinite)).toBe(true)
        }
      }
    }

    test('layerNorm and its gradient keep to their operands', () => {
      outputs((n, put) => {
        const [x, gamma, beta, out] = [put(rows * n, 1), put(n, 2), put(n, 3), put(rows * n)]
        kernels.layerNorm(x, gamma, beta, out, rows, n, 1e-5)
        const [g, dx, dgamma, dbeta] = [put(rows * n, 4), put(rows * n), put(n), put(n)]
        const tables = put(6 * Math.ceil(n / 4) * 4)
        kernels.layerNormGradient(g, x, gamma, dx, dgamma, dbeta, rows, n, 1e-5, tables)
        arena.take(tables, 6 * Math.ceil(n / 4) * 4)
        return [out, dx]
          .map((at) => [at, rows * n] as [number, number])
          .concat([dgamma, dbeta].map((at) => [at, n]))
      })
    })

    test('batchNorm and its gradient keep to their operands', () => {
      outputs((n, put) => {
        const [x, gamma, beta, out, mean, variance] = [
          put(rows * n, 1),
          put(n, 2),
          put(n, 3),
          put(rows * n),
          put(n),
          put(n),
        ]
        const count = 10 * Math.ceil(n / 4) * 4
        const tables = put(count)
        kernels.batchNorm(x, gamma, beta, out, mean, variance, rows, n, 1e-5, tables)
        const [g, gm, gv, dx, dgamma, dbeta] = [
          put(rows * n, 4),
          put(n, 5),
          put(n, 6),
          put(rows * n),
          put(n),
          put(n),
        ]
        kernels.batchNormGradient(
          g,
          gm,
          gv,
          x,
          gamma,
          mean,
          variance,
          dx,
          dgamma,
          dbeta,
          rows,
          n,
          1e-5,
          tables,
        )
        arena.take(tables, count)
        const perColumn = [mean, variance, dgamma, dbeta]
        return [out, dx]
          .map((at) => [at, rows * n] as [number, number])
          .concat(perColumn.map((at) => [at, n]))
      })
    })

    test('cross-entropies and their gradients keep to their operands', () => {
      outputs((n, put) => {
        const [x, target, g] = [put(rows * n, 1), put(rows * n, 2), put(rows, 3)]
        const labels = arena.put(Array.from({ length: rows }, (_, i) => (i * 7) % n))
        const [sparse, dense, dx, dy, dz] = [
          put(rows),
          put(rows),
          put(rows * n),
          put(rows * n),
          put(rows * n),
        ]
        kernels.labelCrossEntropy(x, labels, sparse, rows, n)
        kernels.crossEntropy(x, target, dense, rows, n)
        kernels.labelCrossEntropyGradient(g, x, labels, dx, rows, n)
        kernels.crossEntropyGradient(g, x, target, dy, rows, n)
        kernels.targetGradient(g, x, target, dz, rows, n)
        const wide = [dx, dy, dz].map((at) => [at, rows * n] as [number, number])
        return wide.concat([sparse, dense].map((at) => [at, rows]))
      })
    })

    test('maskedSoftmax and softmaxGradient keep to their operands', () => {
      outputs((n, put) => {
        const [scores, g] = [put(rows * n, 1), put(rows * n, 2)]
        const mask = arena.put(Array.from({ length: rows * n }, (_, i) => (i % 3 === 0 ? 0 : 1)))
        kernels.maskedSoftmax(scores, rows, n, 0.5, mask, 4 * n, 4, 1)
        kernels.softmaxGradient(scores, g, rows, n, 0.5)
        return [scores, g].map((at) => [at, rows * n])
      })
    })

    test('randomBits keeps to its output', () => {
      outputs((n, put) => {
        const out = put(n)
        kernels.randomBits(out, n, 1, 2, 2 ** 31, 1)
        return [[out, n]]
      })
    })
  })

  describe('gather, scatterAdd, oneHot', () => {
    const indices = [3, 0, 3, 3, 6, 2, -0]

    test('gather copies rows, for all widths', () => {
      for (const width of [...sizes, 300]) {
        arena.reset()
        const x = numbers(7 * width, 14)
        const from = arena.put(x)
        const where = arena.put(indices)
        const out = arena.room(indices.length * width)
        expect(kernels.gather(from, where, out, indices.length, 7, width)).toBe(-1)
        const rows = indices.flatMap((index) => Array.from(x.subarray(index * width, (index + 1) * width)))
        expect(Array.from(arena.take(out, rows.length))).toEqual(rows)
      }
    })

    test('scatterAdd adds rows in increasing order, for all widths', () => {
      for (const width of [...sizes, 300]) {
        arena.reset()
        const g = numbers(indices.length * width, 15)
        const from = arena.put(g)
        const where = arena.put(indices)
        const out = arena.room(7 * width)
        expect(kernels.scatterAdd(from, where, out, indices.length, 7, width)).toBe(-1)
        const sums = new Float32Array(7 * width)
        indices.forEach((index, i) => {
          for (let j = 0; j < width; j++) sums[index * width + j]! += g[i * width + j]!
        })
        expect(arena.take(out, 7 * width)).toEqual(sums)
      }
    })

    test('along packs what is spread, and adds what is packed in order, for all widths', () => {
      const [blocks, count, size] = [3, 5, 4]
      for (const width of [...sizes, 300]) {
        // One index for a run, as gather has it; or one for each element, as takeAlongAxis has it.
        for (const [block, step, next] of [
          [0, 1, 0],
          [count * width, width, 1],
        ] as const) {
          arena.reset()
          const named = Float32Array.from(
            { length: blocks * count * width },
            (_, i) => (i * 7 + (i >> 3)) % size,
          )
          const [x, g] = [numbers(blocks * size * width, 17), numbers(blocks * count * width, 18)]
          const [from, where, back] = [arena.put(x), arena.put(named), arena.put(g)]
          const out = arena.room(g.length)
          const sums = arena.room(x.length)
          kernels.along(out, where, from, blocks, count, size, width, block, step, next, 0)
          kernels.along(back, where, sums, blocks, count, size, width, block, step, next, 1)
          const expected = new Float32Array(x.length)
          const place = Array.from(g, (_, i) => {
            const [b, k] = [Math.floor(i / (count * width)), Math.floor(i / width) % count]
            const index = named[b * block + k * step + (i % width) * next]!
            return (b * size + index) * width + (i % width)
          })
          for (const [i, at] of place.entries()) expected[at]! += g[i]!
          expect(Array.from(arena.take(out, g.length))).toEqual(place.map((at) => x[at]!))
          expect(arena.take(sums, x.length)).toEqual(expected)
        }
      }
    })

    test('along keeps to its memory whatever indices are', () => {
      arena.reset()
      const x = arena.put([1, 2, 3])
      const where = arena.put([-1, 3, NaN, Infinity, -Infinity, 1e20, 1.5])
      const out = arena.room(7)
      kernels.along(out, where, x, 1, 7, 3, 1, 7, 1, 1, 0)
      expect(Array.from(arena.take(out, 7))).toEqual([1, 3, 1, 3, 1, 3, 2])
      const sums = arena.room(3)
      kernels.along(out, where, sums, 1, 7, 3, 1, 7, 1, 1, 1)
      expect(Array.from(arena.take(sums, 3))).toEqual([3, 2, 9])
    })

    test('oneHot writes a 1 into each row', () => {
      arena.reset()
      const where = arena.put(indices)
      const out = arena.room(indices.length * 7)
      expect(kernels.oneHot(where, out, indices.length, 7)).toBe(-1)
      const rows = indices.flatMap((index) => Array.from({ length: 7 }, (_, j) => (j === index + 0 ? 1 : 0)))
      expect(Array.from(arena.take(out, rows.length))).toEqual(rows)
    })

    test('name the first bad index and write nothing', () => {
      for (const bad of [7, -1, 0.5, NaN, Infinity, -Infinity, 1e20]) {
        arena.reset()
        const x = arena.put(numbers(7 * 5, 16))
        const where = arena.put([0, 1, bad, 2, bad])
        const out = arena.room(7 * 5)
        expect(kernels.gather(x, where, out, 5, 7, 5)).toBe(2)
        expect(kernels.scatterAdd(x, where, out, 5, 7, 5)).toBe(2)
        expect(kernels.oneHot(where, out, 5, 7)).toBe(2)
        expect(kernels.firstBad(where, 5, 7)).toBe(2)
        expect(kernels.firstBad(where, 2, 7)).toBe(-1)
        expect(new Uint32Array(arena.memory.buffer, out, 35).every((word) => word === guard)).toBe(true)
      }
    })

    test('take no indices as a finished job', () => {
      arena.reset()
      const out = arena.room(6)
      expect(kernels.gather(out, out, out, 0, 0, 3)).toBe(-1)
      expect(kernels.oneHot(out, out, 0, 3)).toBe(-1)
      arena.take(out, 0)
      expect(kernels.scatterAdd(out, out, out, 0, 2, 3)).toBe(-1)
      expect(Array.from(arena.take(out, 6))).toEqual([0, 0, 0, 0, 0, 0])
    })
  })

  test('operands may end where the memory ends: nothing beyond is read', () => {
    const end = arena.memory.buffer.byteLength
    const last = (count: number): number => end - count * 4
    arena.reset()
    const other = arena.put(numbers(64 * 64, 17))
    const out = arena.room(64 * 64)
    const scratch = arena.room(1 << 16)
    const columns = arena.room(16)
    new Float32Array(arena.memory.buffer, end - 65536, 16384).fill(1)
    for (const m of [1, 5, 9, 17]) {
      for (const [ta, tb] of [
        [0, 0],
        [1, 0],
        [0, 1],
        [1, 1],
      ] as const) {
        for (const space of [0, scratch]) {
          kernels.matmul(other, last(7 * 13), out, m, 13, 7, ta, tb, space)
          kernels.matmul(last(m * 7), other, out, m, 13, 7, ta, tb, space)
          kernels.matmul(other, other, last(m * 13), m, 13, 7, ta, tb, space)
        }
      }
      for (const [outer, inner] of [
        [1, 3],
        [3, 1],
      ] as const) {
        kernels.reduceSum(last(3 * m), out, outer, m, inner, columns)
        kernels.reduceProduct(last(3 * m), out, outer, m, inner)
        kernels.reduceSquares(last(3 * m), out, outer, m, inner, 1, m, 1, columns)
        kernels.reduceMax(last(3 * m), out, outer, m, inner)
        kernels.argMax(last(3 * m), out, outer, m, inner)
        for (const kind of [0, 1, 2])
          kernels.prefix(last(3 * m), last(3 * m), last(3 * m), outer, m, inner, kind, 0, 1, columns)
      }
      kernels.divide(last(m), m, 2)
      for (const kind of [0, 1, 2])
        kernels.softmaxColumns(last(3 * m), kind === 2 ? last(3) : last(3 * m), 1, m, 3, kind, columns)
      kernels.softmax(last(3 * m), last(3 * m), 3, m)
      kernels.logSoftmax(last(3 * m), last(3 * m), 3, m)
      kernels.stridedCopy(last(3 * m), out, 1, 1, m, 3, 0, 0, 1, m, 0, 0, 3, 1)
      kernels.argSort(last(3 * m), other, 1, m, 3, 0, scratch)
      kernels.fill(last(m), m, 0)
      expect(kernels.gather(last(3 * m), last(1), out, 1, m, 3)).toBe(-1)
    }
  })
})

test('pointers beyond 2 GiB are addresses like any other', () => {
  const arena = new Arena(false, 32768 + 16)
  const { kernels } = arena
  arena.reset(2 ** 31 - 192)
  const a = arena.put([1, 2, 3, 4, 5, 6])
  const b = arena.put([1, 0, 2, 0, 1, 3])
  const out = arena.room(12)
  expect(a).toBeLessThan(2 ** 31)
  expect(out).toBeGreaterThanOrEqual(2 ** 31)
  kernels.matmul(a, b, out, 2, 2, 3, 0, 1, 0)
  expect(Array.from(arena.view(out, 4))).toEqual([7, 11, 16, 23])
  kernels.stridedCopy(b + 20, out, 1, 1, 2, 3, 0, 0, -1, -2, 0, 0, 3, 1)
  expect(Array.from(arena.view(out, 6))).toEqual([3, 0, 0, 1, 2, 1])
  kernels.reduceSum(b, out, 1, 2, 3, 0)
  expect(Array.from(arena.view(out, 3))).toEqual([1, 1, 5])
  kernels.softmax(b, out, 1, 2)
  expect(arena.view(out, 2)[1]).toBeCloseTo(1 / (1 + Math.E), 6)
})

test('wasm() gives the kernels on the heap, once', () => {
  expect(wasm()).toBe(wasm())
  expect(wasmMemory().buffer.constructor.name).toBe(isShared() ? 'SharedArrayBuffer' : 'ArrayBuffer')
  expect(wasm().matmulScratch(1, 1, 1, 0, 0)).toBe(0)
})
