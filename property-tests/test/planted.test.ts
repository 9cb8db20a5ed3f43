import * as t from '@tapeflow/autodiff'
import { type Operation, operations } from '@tapeflow/autodiff/testing'
import type { Context, Layer } from '@tapeflow/nn'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  assertGradientIsCorrect,
  gradientIsCorrect,
  kernelMatchesReference,
  type Law,
  type Program,
  permutationEquivariant,
  programs,
  secondOrderIsCorrect,
  tensors,
  treesLike,
} from '../src/index.ts'

const seeds = Array.from({ length: 10 }, (_, i) => i + 1)

/** How many numbers the largest tensor of an example has. */
const largest = (example: unknown): number => {
  const sizes: number[] = [0]
  JSON.stringify(example, (_, inner: unknown) => {
    if (inner instanceof Float32Array) sizes.push(inner.length)
    return inner instanceof Float32Array ? null : inner
  })
  return Math.max(...sizes)
}

/** A law is broken, whatever the seed, and reported by so few lines of code on tensors of so few elements. */
function expectFound<S>(law: () => Law<S>, words: RegExp): void {
  for (const seed of seeds) {
    const { failed, counterexample, errorInstance } = fc.check(law(), { seed })
    expect(failed, `seed ${seed}`).toBe(true)
    const { message } = errorInstance as Error
    expect(message).toMatch(words)
    const [, ...code] = message.split('\n\n')
    const lines = code.join('\n').split('\n').filter(Boolean)
    expect(lines.length, message).toBeLessThanOrEqual(3)
    expect(largest(counterexample), message).toBeLessThanOrEqual(4)
  }
}

describe('a bug that someone planted is found, and shrunk to three lines and tensors of four elements', () => {
  it('in the rule of an operation of their own', () => {
    // The derivative of the quotient's denominator lacks a square.
    const ratio = t.customVjp(
      ({ a, b }: { a: t.Tensor; b: t.Tensor }) => t.div(a, b),
      (g, y, { b }) => ({ a: t.div(g, b), b: t.neg(t.mul(g, y)) }),
    )
    const wide = { shape: [3], domain: { low: 0.5, high: 3 } }
    const inputs = fc.record({ a: tensors({ shape: [3] }), b: tensors(wide) })
    expectFound(
      () => gradientIsCorrect(ratio, inputs),
      /^gradientIsCorrect: the gradient at place \d of input 'b'/,
    )
    // On all shapes.
    const cube = t.customVjp(
      (x: t.Tensor) => t.pow(x, 3),
      (g, _, x) => t.mul(g, t.mul(2, t.square(x))),
    )
    expectFound(
      () => gradientIsCorrect(cube, tensors()),
      /^gradientIsCorrect: the gradient at place \d of input ''/,
    )
  })

  it('in a rule that is right, and whose own gradient is not', () => {
    const softened = t.customVjp(
      (x: t.Tensor) => t.tanh(x),
      (g, y) => t.mul(g, t.sub(1, t.square(t.stopGradient(y)))),
    )
    const law = (): Law<t.Snapshot> => secondOrderIsCorrect(softened, tensors())
    fc.assert(gradientIsCorrect(softened, tensors()), { seed: 1 })
    expectFound(law, /^gradientIsCorrect: the gradient at place \d of input 'inputs'/)
  })

  it('in a layer, whose statistics are read out of the batch', () => {
    const centred: Layer<{ gain: t.Tensor }, null> = {
      init: (_, inputShape) => ({
        params: { gain: t.ones(inputShape) },
        state: null,
        outputShape: inputShape,
      }),
      apply: ({ gain }, state, x) => {
        const mean = t.tensor(t.mean(x, { axis: 0 }).toFloat32Array())
        return { y: t.mul(t.sub(x, mean), gain), state }
      },
    }
    const context: Context = { training: true, path: '' }
    const { params } = t.scope(() => centred.init(t.key(1), [2]))
    const inputs = fc.record({ x: tensors({ shape: [2, 2] }), params: treesLike(params) })
    type At = { x: t.Tensor; params: typeof params }
    const apply = (at: At): t.Tensor => centred.apply(at.params, null, at.x, context).y
    expectFound(() => gradientIsCorrect(apply, inputs), /of input 'x' is/)
    expectFound(() => gradientIsCorrect(apply, inputs, { fast: true }), /of input 'x' is/)
  })

  it('in a layer that looks at the order of the batch', () => {
    const shifted = (x: t.Tensor): t.Tensor => t.sub(x, t.slice(x, 0, 1))
    const shape = fc.integer({ min: 1, max: 9 }).map((rows) => [rows, 1])
    expectFound(() => permutationEquivariant(shifted, tensors({ shape })), /^permutationEquivariant: place/)
  })

  it('in a loss, at extreme logits', () => {
    const naive = (logits: t.Tensor): t.Tensor => t.neg(t.log(t.sigmoid(logits)))
    const extreme = tensors({ domain: { low: -200, high: 200 } })
    expectFound(
      () => gradientIsCorrect(naive, extreme),
      /^gradientIsCorrect: the gradient at place \d of input ''/,
    )
    expectFound(() => kernelMatchesReference(naive, extreme, { ulps: 1e5 }), /^kernelMatchesReference: place/)
    const stable = (logits: t.Tensor): t.Tensor => t.softplus(t.neg(logits))
    fc.assert(gradientIsCorrect(stable, extreme), { seed: 1 })
  })

  it('in a loss that forgets the mean', () => {
    const batch = fc.record({ prediction: tensors({ shape: [2, 2] }), target: tensors({ shape: [2, 2] }) })
    type At = { prediction: t.Tensor; target: t.Tensor }
    const loss = t.customVjp(
      ({ prediction, target }: At) => t.mean(t.square(t.sub(prediction, target))),
      (g, _, { prediction, target }) => ({
        prediction: t.mul(g, t.mul(2, t.sub(prediction, target))),
        target: null,
      }),
    )
    expectFound(() => gradientIsCorrect(loss, batch, { fixed: ['target'] }), /of input 'prediction' is/)
  })
})

describe('a bug in the vjp of an operation', () => {
  const smooth =
    'add sub mul neg square tanh sigmoid silu softplus sin cos gelu sum mean variance matmul transpose reshape concat slice broadcastTo softmax logSumExp cumSum layerNorm'.split(
      ' ',
    )
  const isSmall = (tensors: readonly t.Tensor[]): boolean =>
    tensors.every((x) => x.toFloat32Array().every((value) => Math.abs(value) < 100))
  const law = fc.property(programs({ operations: smooth }), (program) => {
    t.scope(() => {
      const inputs = t.fromSnapshot(program.inputs)
      fc.pre(isSmall([...t.leaves(inputs), ...program.run(inputs)]))
      const options = { fixed: program.fixed, tolerance: 1e-2, fast: true }
      assertGradientIsCorrect((given: typeof inputs) => program.run(given), inputs, options)
    })
  })

  it('is none where there is none: random programs of smooth operations have right gradients', () => {
    fc.assert(law, { numRuns: 500, seed: 1 })
  })

  for (const name of [
    'tanh',
    'mul',
    'silu',
    'matmul',
    'softmax',
    'concat',
    'cumSum',
    'logSumExp',
    'variance',
    'slice',
  ]) {
    it(`is found by random programs, and shrinks to three lines: ${name}`, () => {
      const { operation } = operations.find((info) => info.operation.name === name)!
      const found: Program[] = []
      withHalfOfTheGradient(operation, () => {
        for (const seed of [1, 2, 3]) {
          const { counterexample } = fc.check(law, { seed, numRuns: 1000 })
          found.push(counterexample![0])
        }
      })
      for (const program of found) {
        const code = String(program)
        expect(code).toContain(`t.${name}(`)
        expect(program.lines.length, code).toBeLessThanOrEqual(3)
        expect(largest(program.inputs), code).toBeLessThanOrEqual(4)
      }
    })
  }
})

type Mutable = { -readonly [field in keyof Operation]: Operation[field] }
type Rule = Exclude<Operation['vjp'], readonly unknown[]>

/** Calls `use` while the vjp of an operation is half of what it should be. */
function withHalfOfTheGradient(operation: Operation, use: () => void): void {
  const { vjp, pull } = operation
  const mutable: Mutable = operation
  const halved =
    (rule: Rule): Rule =>
    (...given) =>
      t.mul(rule(...given), 0.5)
  mutable.vjp =
    typeof vjp === 'function' ? halved(vjp) : vjp.map((rule) => (rule === null ? null : halved(rule)))
  if (pull !== undefined) {
    mutable.pull = (cotangents, ...rest) =>
      pull(
        cotangents.map((g) => (g === undefined ? undefined : t.mul(g, 0.5))),
        ...rest,
      )
  }
  try {
    use()
  } finally {
    mutable.vjp = vjp
    if (pull !== undefined) mutable.pull = pull
  }
}
