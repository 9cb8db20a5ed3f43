import { describe, expect, test } from 'vitest'
import { compileLoop } from '../../src/kernels/emit.ts'
import * as e from '../../src/kernels/expression.ts'
import { eluOperation } from '../../src/ops/elu.ts'
import { erfGradientOperation, erfOperation } from '../../src/ops/erf.ts'
import { expm1Operation } from '../../src/ops/expm1.ts'
import { geluGradientOperation, geluOperation } from '../../src/ops/gelu.ts'
import { geluTanhOperation } from '../../src/ops/gelu-tanh.ts'
import { logAddExpOperation } from '../../src/ops/log-add-exp.ts'
import { log1pOperation } from '../../src/ops/log1p.ts'
import { mishGradientOperation, mishOperation } from '../../src/ops/mish.ts'
import { seluOperation } from '../../src/ops/selu.ts'
import { siluGradientOperation, siluOperation } from '../../src/ops/silu.ts'
import { softplusOperation } from '../../src/ops/softplus.ts'
import { softsignGradientOperation, softsignOperation } from '../../src/ops/softsign.ts'

// Laws draw from where training takes place. Here bounds are held on the whole float32 line: in the far tails, where formulas
// that subtract have no digits left, and among results that are too small to be normal numbers.

const block = 1 << 16
// An odd number of patterns from one to the next: their last bits come in all combinations, 65,552 in all, 4 million in a long run.
const stride = import.meta.env['LONG'] === '1' ? 1021 : 65521
const memory = new WebAssembly.Memory({ initial: 32, maximum: 32, shared: false })
const [from, to] = [0x10000, 0x100000]
const floats = new Float32Array(memory.buffer)
const words = new Uint32Array(memory.buffer)

/** Distance from the exact value in units of the last place it has as a float32; infinite where NaN or infinities differ. */
function ulps(got: number, want: number): number {
  if (got === Math.fround(want) || (Number.isNaN(got) && Number.isNaN(want))) return 0
  if (!Number.isFinite(got)) return Infinity
  return Math.abs(got - want) / 2 ** (Math.max(Math.floor(Math.log2(Math.abs(want))), -126) - 23)
}

interface Declared {
  readonly expression?: (...inputs: e.Value[]) => e.Value
  reference(
    inputs: readonly { shape: number[]; values: number[] }[],
    attributes: object,
    shape: number[],
  ): ArrayLike<number>
}

/**
 * The largest distance between kernel and reference of `operation`, of one x and constants before and after.
 *
 * @param bound may depend on x; distances are over it
 */
function worst(
  operation: unknown,
  bound: (x: number) => number,
  before: readonly number[] = [],
  after: readonly number[] = [],
): string {
  const { expression, reference } = operation as Declared
  const constants = (values: readonly number[]): e.Value[] => values.map(e.constant)
  const loop = compileLoop(
    (x) => expression!(...constants(before), x!, ...constants(after)),
    'v',
    memory,
    false,
  )
  const scalar = (value: number): { shape: number[]; values: number[] } => ({ shape: [], values: [value] })
  let found = { over: 0, text: '' }
  for (let first = 0; first < 2 ** 32; first += block * stride) {
    for (let i = 0; i < block; i++) words[from / 4 + i] = first + i * stride
    loop(to, 1, block, from, 0)
    for (let i = 0; i < block; i++) {
      const x = floats[from / 4 + i]!
      const want = reference([...before, x, ...after].map(scalar), {}, [])[0]!
      const distance = ulps(floats[to / 4 + i]!, want)
      const over = distance / bound(x)
      if (over > found.over)
        found = { over, text: `${distance} ulp at ${x}: ${floats[to / 4 + i]} for ${want}` }
    }
  }
  return found.over < 1 ? 'within' : found.text
}

describe('over the whole float32 line the result is near the float64 one', () => {
  test.each([
    ['expm1', expm1Operation, 1.8],
    ['log1p', log1pOperation, 1],
    ['erf', erfOperation, 2.7],
    ['softplus', softplusOperation, 2.6],
    ['selu', seluOperation, 2],
    ['gelu', geluOperation, 8],
    ['silu', siluOperation, 3.3],
    ['mish', mishOperation, 4.7],
    ['softsign', softsignOperation, 1.6],
  ])('%s', (_, operation, bound) => {
    expect(worst(operation, () => bound)).toBe('within')
  })
  test('elu, and leaves alpha to the last product', () => {
    expect(worst(eluOperation, () => 2.1, [], [1])).toBe('within')
    expect(worst(eluOperation, () => 2.6, [], [0.3])).toBe('within')
  })
  test('geluTanh, by how far its exponent is rounded', () => {
    const exponent = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x)
    expect(worst(geluTanhOperation, (x) => 4 + 3 * Math.abs(Math.min(0, exponent(x))))).toBe('within')
  })
  test('logAddExp with 0 is softplus', () => {
    expect(worst(logAddExpOperation, () => 2.5, [], [0])).toBe('within')
    expect(worst(logAddExpOperation, () => 2.5, [0])).toBe('within')
  })
  test('gradients, but for where they cross 0', () => {
    const beside = (zero: number, bound: number) => (x: number) =>
      Math.abs(x - zero) < 0.3 ? Infinity : bound
    expect(worst(geluGradientOperation, beside(-0.7518, 12), [1])).toBe('within')
    expect(worst(siluGradientOperation, beside(-1.2785, 12), [1])).toBe('within')
    expect(worst(mishGradientOperation, beside(-1.1924, 12), [1])).toBe('within')
    expect(worst(softsignGradientOperation, () => 4, [1])).toBe('within')
    expect(worst(erfGradientOperation, () => 4, [1])).toBe('within')
  })
})

describe('beside the whole line', () => {
  test('what is tiny stays as it is, and zeros keep their sign', () => {
    for (const operation of [expm1Operation, log1pOperation, softsignOperation, eluOperation]) {
      const { expression } = operation as unknown as Declared
      const loop = compileLoop((x) => expression!(x!, e.constant(1)), 'v', memory, false)
      const tiny = [0, -0, 2 ** -149, -(2 ** -149), 1e-40, -1e-30, 1e-9].map(Math.fround)
      floats.set(tiny, from / 4)
      loop(to, 1, tiny.length, from, 0)
      expect([...floats.subarray(to / 4, to / 4 + tiny.length)]).toEqual(tiny)
    }
  })
})
