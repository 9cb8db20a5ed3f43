import * as t from '@tapeflow/autodiff'
import { checkGradient, operations, referenceValues, withoutKernel } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  adjointIsConsistent,
  assertCompiledEqualsEager,
  type Compiler,
  compiledEqualsEager,
  deterministic,
  gradientIsCorrect,
  jvpAgreesWithVjp,
  kernelMatchesReference,
  keys,
  type Law,
  leavesNoTrace,
  secondOrderIsCorrect,
  tensors,
  trees,
  ulpOf,
  vjpIsLinear,
  vmapAgreesWithLoop,
  withinUlps,
} from '../src/index.ts'

const vector = tensors({ shape: [3] })

/** The words of the error that a law raises, without the code behind them. */
const violation = <S>(law: Law<S>): string => {
  const { failed, errorInstance } = fc.check(law, { seed: 1 })
  expect(failed).toBe(true)
  return (errorInstance as Error).message.split('\n\n')[0]!
}

// Everything is traced but the factor, which is read out and so escapes the tape: half of the gradient of x * x.
const half = (x: t.Tensor): t.Tensor => t.mul(x, t.tensor(x.toFloat32Array(), x.shape))

describe('laws hold for what is right', () => {
  const tree = fc.record({ w: tensors({ shape: [2, 3] }), b: tensors({ shape: [3] }), rate: fc.constant(2) })
  const dense = (p: { w: t.Tensor; b: t.Tensor; rate: number }): t.Tensor =>
    t.tanh(t.add(t.matmul(t.ones([1, 2]), t.mul(p.w, p.rate)), p.b))

  it('on functions of trees, of numbers beside tensors, and with several results', () => {
    fc.assert(gradientIsCorrect(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(secondOrderIsCorrect(dense, tree), { numRuns: 5, seed: 1 })
    fc.assert(vjpIsLinear(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(adjointIsConsistent(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(jvpAgreesWithVjp(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(deterministic(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(leavesNoTrace(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(compiledEqualsEager(dense, tree), { numRuns: 10, seed: 1 })
    fc.assert(vmapAgreesWithLoop(t.softmax, tensors({ shape: [4, 3] })), { numRuns: 10, seed: 1 })
    const several = (x: t.Tensor): t.Tree => ({ a: t.square(x), b: [t.exp(x), t.sum(x)] })
    fc.assert(gradientIsCorrect(several, vector), { numRuns: 10, seed: 1 })
    fc.assert(jvpAgreesWithVjp(several, vector), { numRuns: 10, seed: 1 })
    fc.assert(kernelMatchesReference(several, vector, { ulps: 8, scale: (x) => t.sizeOf(x[0]!.shape) * 3 }), {
      numRuns: 10,
      seed: 1,
    })
  })

  it('on functions that take gradients themselves, of an outer variable too', () => {
    const nested = (x: t.Tensor): t.Tensor =>
      t.mul(x, t.grad((y: t.Tensor) => t.sum(t.mul(t.square(y), x)))(t.tanh(x)))
    fc.assert(gradientIsCorrect(nested, vector), { numRuns: 10, seed: 1 })
    fc.assert(secondOrderIsCorrect(nested, vector), { numRuns: 3, seed: 1 })
    // The reference evaluates what was recorded; what should have been is 2 x^2 tanh(x).
    const { value, gradients } = t.vjp(nested, t.tensor([1.5]), t.ones([1]))
    const th = Math.tanh(1.5)
    expect(value.item()).toBeCloseTo(4.5 * th, 5)
    expect(gradients.item()).toBeCloseTo(6 * th + 4.5 * (1 - th * th), 4)
  })

  it('on trees of any structure', () => {
    const squares = (tree: unknown): t.Tensor[] => [t.tensor(0), ...t.leaves(tree).map((x) => t.square(x))]
    fc.assert(gradientIsCorrect(squares, trees()), { numRuns: 20, seed: 1 })
  })

  it('on functions of several arguments, of which some are donated, and on keys', () => {
    const step = ([p, rate, key]: readonly [{ w: t.Tensor }, number, t.Key]): t.Tree => ({
      w: t.sub(p.w, t.mul(t.normal(t.foldIn(key, 1), p.w.shape), rate)),
    })
    const args = fc.tuple(fc.record({ w: vector }), fc.constant(0.1), keys())
    for (const reuse of [false, true]) {
      fc.assert(compiledEqualsEager(step, args, { donate: [0], reuse }), { numRuns: 10, seed: 1 })
    }
  })

  it('and leave the heap as it was', () => {
    const x = t.tensor([1, 2, 3])
    const before = t.memory()
    assertCompiledEqualsEager(t.softmax, x)
    fc.assert(compiledEqualsEager(t.softmax, vector), { numRuns: 3, seed: 1 })
    fc.check(compiledEqualsEager(half, vector))
    fc.assert(secondOrderIsCorrect(t.softmax, vector), { numRuns: 3, seed: 1 })
    fc.check(gradientIsCorrect(half, vector))
    expect([t.memory().tensors, t.memory().bytes]).toEqual([before.tensors, before.bytes])
  })
})

describe('laws are broken by what is wrong', () => {
  it('gradientIsCorrect: by a factor that escapes the tape', () => {
    expect(violation(gradientIsCorrect(half, vector))).toMatch(
      /^gradientIsCorrect: the gradient at place \d of input '' is \S+, differences give \S+: error \S+; check the vjp/,
    )
  })

  it('secondOrderIsCorrect: by what breaks the first order already', () => {
    expect(violation(secondOrderIsCorrect(half, vector))).toContain("input 'inputs'")
  })

  it('adjointIsConsistent: in inputs too long for differences one by one', () => {
    expect(violation(adjointIsConsistent(half, tensors({ shape: [200] })))).toMatch(
      /^adjointIsConsistent: <g, f'\(x\) d> is \S+, <vjp\(g\), d> is \S+;/,
    )
  })

  it('vmapAgreesWithLoop: by examples that see each other, and by what escapes the tape', () => {
    const rows = tensors({ shape: [4, 3] })
    const mixing: typeof t.vmap =
      (f) =>
      (...args) =>
        f(...args)
    expect(violation(vmapAgreesWithLoop((x) => t.softmax(x, { axis: 0 }), rows, { vmap: mixing }))).toMatch(
      /^vmapAgreesWithLoop: value 0 of vmap is \S+ at place \d+, that of the loop \S+; check the batching rule/,
    )
    const detached: typeof t.vmap =
      (f, options) =>
      (...args) =>
        t.mapTensors(t.vmap(f, options)(...args), (x) => t.tensor(x.toFloat32Array(), x.shape)) as never
    expect(violation(vmapAgreesWithLoop(t.square, rows, { vmap: detached }))).toMatch(
      /^vmapAgreesWithLoop: gradient 0 of vmap is /,
    )
  })

  it('jvpAgreesWithVjp: by a wrong vjp, of which both sides of the equation are wrong alike', () => {
    expect(violation(jvpAgreesWithVjp((x) => [t.exp(x), half(x)], vector))).toMatch(
      /^jvpAgreesWithVjp: the tangent at place \d of output 1 is \S+, differences give \S+; check the vjp/,
    )
    // A gradient that forgets a factor, in a rule as in an operation.
    const forgetful = t.customVjp(
      (x: t.Tensor) => t.square(x),
      (g, _, x) => t.mul(g, x),
    )
    expect(violation(jvpAgreesWithVjp((x) => forgetful(x), vector))).toContain('differences give')
  })

  it('jvpAgreesWithVjp: by a vjp that is not linear in its cotangent, or whose own vjp is wrong', () => {
    const squared = t.customVjp(
      (x: t.Tensor) => t.mul(x, 2),
      (g) => t.mul(t.square(g), 2),
    )
    expect(violation(jvpAgreesWithVjp((x) => squared(x), vector))).toContain('differences give')
    // Its derivative by the cotangent is right, and it is not.
    const shifted = t.customVjp(
      (x: t.Tensor) => t.mul(x, 2),
      (g) => t.add(t.mul(g, 2), 1),
    )
    expect(violation(jvpAgreesWithVjp((x) => shifted(x), vector))).toMatch(
      /^jvpAgreesWithVjp: <v, J t> is \S+, <J' v, t> is \S+; check the vjp of the vjp/,
    )
    // It is right, and its derivative by the cotangent is not.
    const doubled = t.customVjp(
      (x: t.Tensor) => t.mul(x, 2),
      (g) => t.sub(t.mul(g, 4), t.stopGradient(t.mul(g, 2))),
    )
    expect(violation(jvpAgreesWithVjp((x) => doubled(x), vector))).toContain('differences give')
  })

  it('deterministic: by a counter', () => {
    let calls = 0
    expect(violation(deterministic((x) => t.add(x, calls++), vector))).toMatch(
      /^deterministic: place 0 of result 0 is/,
    )
  })

  it('leavesNoTrace: by a function that frees its input', () => {
    const greedy = (x: t.Tensor): t.Tensor => {
      const y = t.neg(x)
      x.dispose()
      return y
    }
    expect(violation(leavesNoTrace(greedy, vector))).toContain('was used after it was disposed')
  })

  it('kernelMatchesReference: by too tight a bound', () => {
    expect(violation(kernelMatchesReference(t.exp, tensors({ shape: [100] }), { ulps: 0 }))).toMatch(
      /^kernelMatchesReference: place \d+ of output 0, shape \[100\], is \S+, the reference \S+: not within 0 ulp$/,
    )
  })

  it('kernelMatchesReference: but not where its scale is -Infinity', () => {
    const wide = tensors({ shape: [100] })
    const apart = (from: number) => (_: unknown, y: ArrayLike<number>) =>
      Array.from(y, (x, i) => (i < from ? x : Number.NEGATIVE_INFINITY))
    expect(violation(kernelMatchesReference(t.exp, wide, { ulps: 0, scale: apart(100) }))).toContain('place')
    fc.assert(kernelMatchesReference(t.exp, wide, { ulps: 0, scale: apart(0) }), { numRuns: 20, seed: 1 })
  })
})

describe('compiledEqualsEager is broken by a compiler that', () => {
  const plain = (f: (...args: readonly unknown[]) => unknown): ReturnType<Compiler> =>
    Object.assign((...args: readonly unknown[]) => t.scope(() => f(...args)), { dispose: () => {} })
  const thenChanged =
    (change: (y: t.Tensor) => t.Tensor): Compiler =>
    (f, options) =>
      t.compile((...args) => ({ y: change(t.leaves(f(...args))[0]!) }), options)
  const negInPlace = operations.find(({ operation }) => operation.name === 'neg')!.operation.kernel!
  const table: readonly (readonly [fault: string, compiler: Compiler, words: RegExp | string])[] = [
    [
      'loses the sign of zero',
      thenChanged((y) => t.add(y, 0)),
      /^compiledEqualsEager: place \d of output 'y' is -0, compiled at the first call it is 0; results depend on inputs and keys alone$/,
    ],
    [
      'returns another shape',
      thenChanged((y) => t.reshape(y, [1, -1])),
      'compiledEqualsEager: the function returns {"y":"tensor [3]"}, compiled at the first call {"y":"tensor [1,3]"}',
    ],
    [
      'computes anything else the second time',
      (f) => {
        let calls = 0
        return plain((...args) => (calls++ === 1 ? { y: t.zeros([3]) } : f(...args)))
      },
      /^compiledEqualsEager: place 0 of output 'y' is \S+, compiled at the second call it is 0;/,
    ],
    [
      'freezes what it has seen first',
      (f) => {
        let first: unknown
        return plain((...args) => (first ??= f(...args)))
      },
      /^compiledEqualsEager: place \d of output 'y' is \S+, compiled on other numbers it is \S+;/,
    ],
    [
      'returns what the next call writes over',
      (f, options) => t.compile(f, { ...options, reuse: true }),
      /^compiledEqualsEager: place \d of output 'y' is \S+, compiled at the first call, after other calls, it is/,
    ],
    [
      'writes over its inputs',
      (f) =>
        plain((x) => {
          const y = f(x)
          for (const input of t.leaves(x)) negInPlace(input, [input], {}, 0)
          return y
        }),
      /^compiledEqualsEager: place \d of argument 0 was \S+, compiled at the first call leaves \S+ there$/,
    ],
    [
      'uses up what is not donated',
      (f) => t.compile(f, { donate: [0] }),
      /^toFloat32Array: a tensor of shape \[3\] was donated to compile\(f\), argument 0; use its result$/,
    ],
    [
      'keeps memory',
      (f, options) => {
        const program = thenChanged((y) => t.add(y, t.tensor([-0, -0, -0])))(f, options)
        return plain((...args) => program(...args))
      },
      'compiledEqualsEager: 0 tensors and 64 bytes are left in the heap; a program gives back all that it takes',
    ],
  ]
  for (const [fault, compiler, words] of table) {
    it(fault, () => {
      const negated = (x: t.Tensor): t.Tree => ({ y: t.neg(t.relu(x)) })
      const found = violation(compiledEqualsEager(negated, vector, { compiler }))
      if (typeof words === 'string') expect(found).toBe(words)
      else expect(found).toMatch(words)
    })
  }

  it('leaves donated inputs as they are', () => {
    const law = compiledEqualsEager(([x]) => t.neg(x), fc.tuple(vector), {
      donate: [0],
      compiler: (f) => t.compile(f),
    })
    expect(violation(law)).toBe(
      'compiledEqualsEager: argument 0 was donated at the first call, and can still be used',
    )
  })

  it('is asked to donate what is no argument', () => {
    expect(() => t.scope(() => assertCompiledEqualsEager(t.neg, t.tensor([1]), { donate: [0] }))).toThrow(
      'compiledEqualsEager: donate names elements of an array of inputs, got a Tensor',
    )
  })
})

describe('checkGradient', () => {
  it('sees a relative error in small gradients', () => {
    const small = (x: t.Tensor): t.Tensor => t.mul(half(x), 0.01)
    expect(t.scope(() => checkGradient(small, t.tensor([1])).ok)).toBe(false)
  })

  it('names the worst place, and checks the first and last of a long tensor', () => {
    const lastIsHalf = (p: { x: t.Tensor }): t.Tensor =>
      t.concat([t.square(t.slice(p.x, 0, 99)), half(t.slice(p.x, 99))])
    const { ok, worst } = t.scope(() => checkGradient(lastIsHalf, { x: t.ones([100]) }, { limit: 2 }))
    expect(ok).toBe(false)
    expect(worst).toMatchObject({ input: 'x', index: 99 })
    // The constant is rounded to float32, so the difference quotient has few digits here.
    expect(worst!.analytic * 2).toBeCloseTo(worst!.numeric, 2)
  })

  // 560 terms of 100, every second one negative, whose sum is below the rounding error of one of them.
  it('forgives what rounding leaves of many terms that cancel', () => {
    const drawn = t.uniformValues(t.foldIn(t.key(0), 0), 560, -1, 1)
    const weights = drawn.map((x) => (x < 0 ? x - 0.5 : x + 0.5))
    t.scope(() => {
      const terms = t.tensor(weights.map((weight, i) => (i % 2 === 0 ? 100 : -100) / weight))
      const { ok, worst } = checkGradient((x: t.Tensor) => t.mul(x, terms), t.tensor(1))
      expect(Math.abs(worst!.numeric)).toBeLessThan(1e-3)
      expect(Math.abs(worst!.analytic - worst!.numeric)).toBeGreaterThan(1e-5)
      expect(ok).toBe(true)
      expect(checkGradient((x: t.Tensor) => half(t.mul(x, t.abs(terms))), t.tensor(1)).ok).toBe(false)
    })
  })

  it('takes NaN for the largest error', () => {
    const { ok, maxError } = t.scope(() => checkGradient(t.log, t.tensor([-1, 2])))
    expect([ok, maxError]).toEqual([false, Infinity])
  })

  it('refuses options and functions that make no sense, in exact words', () => {
    t.scope(() => {
      const x = t.tensor([1])
      expect(() => checkGradient(t.exp, x, { step: 0 })).toThrow('checkGradient: step must be above 0, got 0')
      expect(() => checkGradient(t.exp, x, { tolerance: Number.NaN })).toThrow(
        'checkGradient: tolerance must be above 0, got NaN',
      )
      expect(() => checkGradient(() => 3, x)).toThrow(
        'checkGradient: the function must return tensors, got a number',
      )
    })
  })

  it('of a tree without tensors finds nothing to check', () => {
    const found = t.scope(() => checkGradient(() => t.tensor(1), { rate: 2 }))
    expect(found).toEqual({ ok: true, maxError: 0, worst: null, compared: 0, kinks: 0, message: '' })
  })
})

describe('the float64 reference', () => {
  it('rounds nothing in between', () => {
    const f = (x: t.Tensor): t.Tensor => t.sub(t.add(x, 1e-9), x)
    expect(t.scope(() => referenceValues(f, t.tensor([1]))[0]!.values[0])).toBeCloseTo(1e-9, 15)
    expect(t.scope(() => f(t.tensor([1])).item())).toBe(0)
  })

  it('takes over where a kernel is switched off, until the call ends or throws', () => {
    t.scope(() => {
      const x = t.tensor([0.1, 0.2, 0.7])
      const exact = Array.from([0.1, 0.2, 0.7], (value) => Math.fround(Math.exp(Math.fround(value))))
      expect(withoutKernel('exp', () => Array.from(t.exp(x).toFloat32Array()))).toEqual(exact)
      expect(() => withoutKernel('exp', () => t.slice(x, 9))).toThrow(RangeError)
      // 0.7 is where the kernel's last digit may differ; it runs again if nothing is switched off.
      expect(withinUlps(t.exp(x).toFloat32Array()[2]!, Math.exp(Math.fround(0.7)), 2)).toBe(true)
    })
  })
})

describe('units in the last place', () => {
  it('are those of float32', () => {
    expect([1, 1.5, 2, 0, 2 ** -126, 2 ** -127, 3.4e38].map(ulpOf)).toEqual([
      2 ** -23,
      2 ** -23,
      2 ** -22,
      2 ** -149,
      2 ** -149,
      2 ** -149,
      2 ** 104,
    ])
  })

  it('tell NaN, infinities and zeros apart', () => {
    expect(withinUlps(Number.NaN, Number.NaN, 0)).toBe(true)
    expect(withinUlps(Number.NaN, 1, 99)).toBe(false)
    expect(withinUlps(1, Number.NaN, 99)).toBe(false)
    expect(withinUlps(Infinity, -Infinity, 99)).toBe(false)
    expect(withinUlps(-0, 0, 99)).toBe(false)
    expect(withinUlps(-0, 0, 0, 1)).toBe(true)
    expect(withinUlps(Infinity, 3.4028234663852886e38, 1)).toBe(true)
    expect(withinUlps(3.4028234663852886e38, 1e39, 4)).toBe(false)
    expect(withinUlps(3.4028234663852886e38, Infinity, 4)).toBe(false)
  })
})
