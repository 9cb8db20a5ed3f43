import {
  type Compiled,
  type CompileOptions,
  compile,
  fromSnapshot,
  grad,
  scope,
  sum,
  type Tensor,
  type Tree,
} from '@tapeflow/autodiff'
import { hasRelaxedSimd, relaxed } from '@tapeflow/autodiff/relaxed'
import { type Draw, type OperationInfo, operations, type Sample } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertCompiledEqualsEager, programs, samples } from '../src/index.ts'
import { columns } from './columns.ts'
import { assertProperty } from './runs.ts'

/** The laws that every numeric mode keeps as they stand: bounds are the same in all of them. */
const laws = [
  'kernel equals the float64 reference',
  'kernel equals the reference at every tail of four lanes',
  'special values come out as the reference rounds them',
  'NaN and infinities anywhere go where the reference sends them',
  'same inputs give the same bits anywhere in memory',
]

type Inputs = readonly unknown[]

const inMode = <A extends Inputs, R>(f: (...args: A) => R, options: CompileOptions): Compiled<A, R> =>
  compile(f, { ...options, numerics: relaxed() })

/** The operation, called in a compiled program in the relaxed mode. */
function inRelaxedMode(info: OperationInfo): OperationInfo {
  const sample = (draw: Draw): Sample => {
    const { call, ...rest } = info.sample(draw)
    const compiled = (...inputs: Tensor[]): Tensor => {
      const program = inMode(call, {})
      const y = program(...inputs)
      program.dispose()
      return y
    }
    return { ...rest, call: compiled }
  }
  return { ...info, sample }
}

/**
 * Within the mode bits depend on inputs alone: not on what is fused, donated or used again, and not on the run. What elsewhere is
 * the eager side is a program without fusing here.
 */
function assertSameBits<P extends Inputs>(f: (inputs: P) => Tree, inputs: P, others?: P): void {
  const unfused = inMode((...args: P) => f(args), { fuse: false })
  const compiler = (g: (...args: Inputs) => Tree, how: CompileOptions) => inMode(g, how)
  const donate = inputs.flatMap((_, i) => (i % 2 === 0 ? [i] : []))
  for (const options of [{}, { donate, reuse: true }]) {
    assertCompiledEqualsEager((args: P) => unfused(...args), inputs, {
      ...options,
      compiler,
      ...(others && { others }),
    })
  }
  unfused.dispose()
}

function sameBits(info: OperationInfo): void {
  const property = fc.property(samples(info), ({ call, inputs, domains }) =>
    scope(() => {
      const all = fromSnapshot(inputs)
      const isFree = (_: unknown, i: number): boolean => domains[i]!.integer !== true
      const f = (x: readonly Tensor[]): Tensor => {
        let next = 0
        return call(...all.map((fixed, i) => (isFree(fixed, i) ? x[next++]! : fixed)))
      }
      const total = (x: readonly Tensor[]): Tensor => sum(f(x))
      const free = all.filter(isFree)
      assertSameBits((x: readonly Tensor[]) => [f(x), x.length === 0 ? null : grad(total)(x)], free)
    }),
  )
  assertProperty(property, 10)
}

/** Registers the laws of the relaxed mode: a row for each operation that it has other kernels or loops for. */
export function describeRelaxed(): void {
  it('the engine has relaxed SIMD', () => expect(hasRelaxedSimd()).toBe(true))
  for (const info of operations) {
    const { name, expression, kernelIn } = info.operation
    if (expression === undefined && kernelIn === undefined) continue
    describe(name, () => {
      for (const law of laws) it(`${name}, relaxed: ${law}`, () => columns[law]!(inRelaxedMode(info)))
      it(`${name}, relaxed: the same bits fused or not, at every run, with gradients`, () => sameBits(info))
    })
  }
  it('random programs, relaxed: the same bits fused or not, at every run', () => {
    const property = fc.property(programs({ gradients: true }), (program) =>
      scope(() => {
        const { inputs, others } = fromSnapshot({ inputs: program.inputs, others: program.others })
        assertSameBits((given: typeof inputs) => program.run(given), inputs, others)
      }),
    )
    assertProperty(property, 100)
  })
}
