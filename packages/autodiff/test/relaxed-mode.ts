import { describe, expect, it } from 'vitest'
import { erf } from '../src/error-function.ts'
import * as t from '../src/index.ts'
import { relaxed } from '../src/relaxed.ts'
import { bitsOf, type Program, untyped } from './compile-law.ts'

/** What a function gives in a compiled program: bits. */
export function compiled(f: Program, args: readonly unknown[], options: t.CompileOptions): unknown {
  const program = untyped(f, options)
  const bits = t.scope(() => bitsOf(program(...args)))
  program.dispose()
  return bits
}

const normal = (seed: number, ...shape: number[]): t.Tensor => t.normal(t.key(seed), shape)

const inner = 300
const products: readonly (readonly [m: number, n: number])[] = [
  [1, 1],
  [1, 37],
  [3, 5],
  [33, 1],
  [8, 32],
  [70, 90],
  [130, 133],
]
const transposed = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB })),
)

const attention = (q: t.Tensor, k: t.Tensor, v: t.Tensor): t.Tensor =>
  t.sum(t.square(t.scaledDotProductAttention(q, k, v)))
const images = (x: t.Tensor, filter: t.Tensor): t.Tensor =>
  t.sum(t.square(t.conv2d(x, filter, { padding: 'same' })))
const layers = (w: t.Tensor, x: t.Tensor, b: t.Tensor): t.Tensor =>
  t.mean(t.square(t.gelu(t.linear(t.tanh(t.matmul(x, w)), w, b))))
const chain = (x: t.Tensor, y: t.Tensor): t.Tensor =>
  t.add(t.mul(t.sigmoid(t.add(t.mul(x, y), y)), t.exp(x)), t.erf(t.sub(t.mul(y, y), x)))

/** Functions with all that the mode has kernels for, and how often they call each of these. */
export const functions: readonly {
  readonly name: string
  readonly f: Program
  readonly args: () => readonly t.Tensor[]
  readonly calls: readonly [matmul: number, convolve: number, filterGradient: number]
}[] = [
  {
    name: 'attention and its gradients',
    f: (...x: t.Tensor[]) => t.valueAndGrad(([q, k, v]: readonly t.Tensor[]) => attention(q!, k!, v!))(x),
    args: () => [1, 2, 3].map((seed) => normal(seed, 2, 9, 12)),
    // Of each of two entries: two forward, one of them again on the way back, and four more there.
    calls: [14, 0, 0],
  },
  {
    name: 'a convolution and its gradients',
    f: (...x: t.Tensor[]) => t.valueAndGrad(([y, filter]: readonly t.Tensor[]) => images(y!, filter!))(x),
    args: () => [normal(1, 2, 9, 9, 5), normal(2, 3, 3, 5, 9)],
    // The gradient of the images is a convolution, too.
    calls: [0, 2, 1],
  },
  {
    name: 'layers and their gradients',
    f: (...x: t.Tensor[]) => t.valueAndGrad(([w, y, b]: readonly t.Tensor[]) => layers(w!, y!, b!))(x),
    args: () => [normal(1, 40, 40), normal(2, 33, 40), normal(3, 40)],
    calls: [6, 0, 0],
  },
  {
    name: 'an elementwise chain',
    f: chain,
    args: () => [normal(1, 1003), normal(2, 1003)],
    calls: [0, 0, 0],
  },
  {
    name: 'a product and a loop after it that take turns',
    f: (x: t.Tensor, w: t.Tensor, b: t.Tensor) => t.tanh(t.add(t.matmul(x, w), b)),
    args: () => [normal(1, 2048, 16), normal(2, 16, 256), normal(3, 256)],
    // 256 rows each.
    calls: [8, 0, 0],
  },
  {
    name: 'a scan and its gradients',
    f: (...x: t.Tensor[]) =>
      t.valueAndGrad(([w, xs, first]: readonly t.Tensor[]) => {
        const step = (h: t.Tensor, row: t.Tensor) => {
          const next = t.tanh(t.add(t.matmul(h, w!), row))
          return { carry: next, y: next }
        }
        return t.sum(t.square(t.scan(step, first!, xs!).ys))
      })(x),
    args: () => [t.mul(normal(1, 24, 24), 0.2), normal(2, 7, 5, 24), normal(3, 5, 24)],
    // At each of seven steps: one forward, and again on the way back, and two more there.
    calls: [28, 0, 0],
  },
]

const unitOf = (x: number): number =>
  2 ** (Math.max(Math.floor(Math.log2(Math.max(Math.abs(x), 2 ** -149))), -126) - 23)

/** Those whose bounds strict loops are held to, over the whole float32 line. */
const bounds: readonly (readonly [
  name: string,
  f: (x: t.Tensor) => t.Tensor,
  reference: (x: number) => number,
  ulps: number,
])[] = [
  ['exp', t.exp, Math.exp, 1.1],
  ['log', t.log, Math.log, 1],
  ['tanh', t.tanh, Math.tanh, 2.7],
  ['sigmoid', t.sigmoid, (x) => 1 / (1 + Math.exp(-x)), 2.5],
  ['erf', t.erf, erf, 2.6],
]

/** Registers what holds of the relaxed mode, in an engine that has it. */
export function describeRelaxed(): void {
  describe('the relaxed mode', () => {
    it('is one value, and gives kernels', () => {
      expect(relaxed()).toBe(relaxed())
      expect(relaxed()).toMatchObject({ name: 'relaxed', contracts: true })
      expect(Object.isFrozen(relaxed())).toBe(true)
    })

    it('rounds a product and a sum once, where strict rounds twice', () => {
      // x x is 1 + 2^-11 + 2^-24, which float32 does not hold: a processor without fused multiply-add would give 0 too.
      const x = 1 + 2 ** -12
      const row = () => t.tensor([[1, x]])
      const column = () => t.tensor([[-(1 + 2 ** -11)], [x]])
      const product = (a: t.Tensor, b: t.Tensor): t.Tensor => t.matmul(a, b)
      const lost = { shape: [1, 1], bits: [0] }
      const kept = { shape: [1, 1], bits: Array.from(new Uint32Array(Float32Array.of(2 ** -24).buffer)) }
      t.scope(() => {
        expect(bitsOf(product(row(), column()))).toEqual(lost)
        expect(compiled(product, [row(), column()], {})).toEqual(lost)
        expect(compiled(product, [row(), column()], { numerics: relaxed() })).toEqual(kept)
      })
    })

    it('does not contract what are two operations, in one loop or two', () => {
      const x = 1 + 2 ** -12
      const f = (y: t.Tensor): t.Tensor => t.add(t.mul(y, y), -(1 + 2 ** -11))
      t.scope(() => {
        for (const fuse of [true, false])
          expect(compiled(f, [t.tensor([x])], { numerics: relaxed(), fuse })).toEqual({
            shape: [1],
            bits: [0],
          })
      })
    })

    it.each(bounds)('%s keeps to its bound over the whole float32 line', (_name, f, reference, ulps) => {
      const program = t.compile(f, { numerics: relaxed() })
      const words = new Uint32Array(1 << 18)
      const floats = new Float32Array(words.buffer)
      const stride = 4093
      let worst = 0
      for (let first = 0; first < 2 ** 32; first += words.length * stride) {
        for (let i = 0; i < words.length; i++) words[i] = first + i * stride
        const found = t.scope(() => program(t.tensor(floats)).toFloat32Array())
        for (const [i, got] of found.entries()) {
          const want = reference(floats[i]!)
          if (Object.is(got, Math.fround(want))) continue
          worst = Math.max(worst, Number.isFinite(got) ? Math.abs(got - want) / unitOf(want) : Infinity)
        }
      }
      expect(worst).toBeLessThan(ulps)
      program.dispose()
    })

    it('is that of compiled programs alone: gradients of a compiled function are eager and strict', () => {
      t.scope(() => {
        const [x, w] = [normal(1, 20, inner), normal(2, inner, 20)]
        const product = (a: t.Tensor): t.Tensor => t.sum(t.square(t.matmul(a, w)))
        const program = t.compile(product, { numerics: relaxed() })
        expect(bitsOf(t.grad(program)(x))).toEqual(bitsOf(t.grad(product)(x)))
        program.dispose()
      })
    })

    describe.each(transposed)('a product with %o', (options) => {
      const operands = (m: number, n: number): readonly [t.Tensor, t.Tensor] => [
        options.transposeA ? normal(1, inner, m) : normal(1, m, inner),
        options.transposeB ? normal(2, n, inner) : normal(2, inner, n),
      ]
      const f = (a: t.Tensor, b: t.Tensor): t.Tensor => t.matmul(a, b, options)

      it('is within k eps |A| |B|', () => {
        const program = t.compile(f, { numerics: relaxed() })
        for (const [m, n] of products) {
          t.scope(() => {
            const [a, b] = operands(m, n)
            const [x, y] = [a.toFloat32Array(), b.toFloat32Array()]
            for (const [at, value] of program(a, b).toFloat32Array().entries()) {
              const [i, j] = [Math.floor(at / n), at % n]
              let sum = 0
              let size = 0
              for (let p = 0; p < inner; p++) {
                const term =
                  x[options.transposeA ? p * m + i : i * inner + p]! *
                  y[options.transposeB ? j * inner + p : p * n + j]!
                sum += term
                size += Math.abs(term)
              }
              expect(Math.abs(value - sum)).toBeLessThanOrEqual(inner * 2 ** -24 * size)
            }
          })
        }
        program.dispose()
      })

      it('has bits that depend on a row and a column alone, whatever path computes them', () => {
        const program = t.compile(f, { numerics: relaxed() })
        t.scope(() => {
          const [m, n] = [70, 90]
          const [a, b] = operands(m, n)
          const whole = program(a, b).toFloat32Array()
          const rows = (x: t.Tensor, isTransposed: boolean, first: number, end: number): t.Tensor =>
            isTransposed ? t.transpose(t.slice(t.transpose(x), first, end)) : t.slice(x, first, end)
          for (const [first, end] of [
            [0, 1],
            [3, 7],
            [5, 38],
          ] as const) {
            const some = program(rows(a, options.transposeA, first, end), b).toFloat32Array()
            expect(some).toEqual(whole.slice(first * n, end * n))
            const columns = program(a, rows(b, !options.transposeB, first, end)).toFloat32Array()
            const expected = Float32Array.from(
              { length: m * (end - first) },
              (_, at) => whole[Math.floor(at / (end - first)) * n + first + (at % (end - first))]!,
            )
            expect(columns).toEqual(expected)
          }
        })
        program.dispose()
      })
    })

    it.each(functions)('$name: the same bits at every run, fused or not; near to strict ones', (row) => {
      t.scope(() => {
        const first = compiled(row.f, row.args(), { numerics: relaxed() })
        expect(compiled(row.f, row.args(), { numerics: relaxed() })).toEqual(first)
        expect(compiled(row.f, row.args(), { numerics: relaxed(), fuse: false })).toEqual(first)
        expect(compiled(row.f, row.args(), {})).not.toEqual(first)
        const program = untyped(row.f, { numerics: relaxed() })
        const [found, expected] = [program(...row.args()), row.f(...(row.args() as never[]))].map((tree) =>
          t.leaves(tree).map((x) => x.toFloat32Array()),
        )
        for (const [i, values] of found!.entries()) {
          const most = expected![i]!.reduce((size, x) => Math.max(size, Math.abs(x)), 0)
          for (const [j, value] of values.entries())
            expect(Math.abs(value - expected![i]![j]!)).toBeLessThanOrEqual(1e-5 * most)
        }
        program.dispose()
      })
    })

    it('is what a plan says, in its text too', () => {
      t.scope(() => {
        const strict = t.compile(t.exp)
        const fast = t.compile(t.exp, { numerics: relaxed() })
        const x = t.zeros([3])
        expect(strict.plan(x).numerics).toBe('strict')
        expect(fast.plan(x).numerics).toBe('relaxed')
        expect(String(fast.plan(x))).toBe(`numerics: relaxed\n${strict.plan(x)}`)
      })
    })
  })
}
