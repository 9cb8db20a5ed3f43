import * as t from '@tapeflow/autodiff'
import { type CheckGradientOptions, checkGradient, type GradientCheck } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assertGradientIsCorrect, gradientIsCorrect, secondOrderIsCorrect, tensors } from '../src/index.ts'

const half = (x: t.Tensor): t.Tensor => t.mul(x, t.tensor(x.toFloat32Array(), x.shape))

/** What `checkGradient` finds, and how often it evaluates `f`. */
function checked(
  f: (x: t.Tensor) => t.Tree,
  x: t.NestedNumbers,
  options: CheckGradientOptions = {},
): GradientCheck & { readonly calls: number } {
  let calls = 0
  const counted = (at: t.Tensor): t.Tree => {
    calls++
    return f(at)
  }
  return t.scope(() => ({ ...checkGradient(counted, t.tensor(x), options), calls }))
}

describe('checkGradient', () => {
  it('in words says where the gradient is wrong, and what it should be', () => {
    expect(checked(half, [1, 2]).message).toMatch(
      /^the gradient at place \d of input '' is -?\d\S*, differences give -?\d\S*: error 0\.5\d*$/,
    )
    expect(checked(t.exp, [1, 2])).toMatchObject({ ok: true, message: '', compared: 2, kinks: 0 })
  })

  it('of a gradient checks second derivatives', () => {
    const bent = (x: t.Tensor): t.Tensor => t.sum(t.mul(t.square(x), half(x)))
    expect(
      checked(
        t.grad((x: t.Tensor) => t.sum(t.tanh(x))),
        [0.5, 1],
      ).ok,
    ).toBe(true)
    expect(checked(t.grad(bent), [0.5, 1]).ok).toBe(false)
  })

  it('leaves what is fixed alone, and refuses to fix what is not there', () => {
    const loss = ({ logits, labels }: { logits: t.Tensor; labels: t.Tensor }): t.Tensor =>
      t.sparseSoftmaxCrossEntropy(logits, labels)
    t.scope(() => {
      const inputs = { logits: t.tensor([[1, 2, 3]]), labels: t.tensor([2]) }
      expect(checkGradient(loss, inputs, { fixed: ['labels'] })).toMatchObject({ ok: true, compared: 3 })
      expect(() => checkGradient(loss, inputs)).toThrow('sparseSoftmaxCrossEntropy: ')
      expect(() => checkGradient(loss, inputs, { fixed: ['label'] })).toThrow(
        "checkGradient: fixed must name inputs, got 'label'; there are 'labels', 'logits'",
      )
      const nested = { data: { labels: [inputs.labels] }, logits: inputs.logits }
      const ofNested = (p: typeof nested): t.Tensor => loss({ logits: p.logits, labels: p.data.labels[0]! })
      expect(checkGradient(ofNested, nested, { fixed: ['data'] }).compared).toBe(3)
    })
  })

  it('refuses another way with kinks', () => {
    expect(() => checked(t.exp, [1], { kinks: 'ignore' as 'skip' })).toThrow(
      "checkGradient: kinks must be 'skip' or 'compare', got ignore",
    )
  })
})

describe('at kinks checkGradient', () => {
  const at = [-1, 0, 2]
  const kinked: Readonly<Record<string, (x: t.Tensor) => t.Tensor>> = {
    relu: t.relu,
    abs: t.abs,
    step: t.step,
    'a minimum of two': (x) => t.minimum(x, t.mul(x, 2)),
    'a maximum over equal ones': (x) => t.max(t.concat([x, t.mul(x, -1)]), { axis: 0 }),
    'a sum of two that lean apart': (x) => t.sub(t.relu(x), t.mul(t.relu(t.neg(x)), 0.1)),
  }
  for (const [name, f] of Object.entries(kinked)) {
    it(`skips what has no derivative: ${name}`, () => {
      for (const fast of [false, true]) {
        const { ok, compared, kinks } = checked(f, at, { fast })
        const isMaximum = name.includes('equal ones')
        // A maximum of x and -x over all: 2 is the largest alone.
        expect([ok, compared, kinks], `fast: ${fast}`).toEqual(isMaximum ? [true, 3, 0] : [true, 2, 1])
      }
    })

    it(`compares what is near: ${name}`, () => {
      for (const fast of [false, true]) {
        expect(checked(f, [1e-6, -1e-6, 2e-7, 1], { fast })).toMatchObject({ ok: true, compared: 4 })
      }
    })
  }

  it('knows ties', () => {
    expect(checked((x) => t.max(x), [1, 2, 2])).toMatchObject({ ok: true, compared: 1, kinks: 2 })
    expect(checked((x) => t.sort(x), [1, 2, 2])).toMatchObject({ ok: true, compared: 1, kinks: 2 })
  })

  it('is not content where nothing is left', () => {
    for (const fast of [false, true]) {
      expect(checked(t.relu, [0, 0], { fast })).toMatchObject({
        ok: false,
        worst: null,
        compared: 0,
        kinks: 2,
        message: 'nothing was compared: there are kinks at all 2 places',
      })
    }
  })

  it('compares them where it is told to', () => {
    for (const fast of [false, true])
      expect(checked(t.relu, at, { kinks: 'compare', fast })).toMatchObject({ ok: false, compared: 3 })
  })

  it('finds what is wrong beside them', () => {
    const wrong = (x: t.Tensor): t.Tensor => t.mul(t.relu(x), half(x))
    for (const fast of [false, true]) {
      const { ok, kinks, worst } = checked(wrong, [0.5, 0, 0, 2], { fast })
      expect([ok, kinks, worst!.index]).toEqual([false, 0, 3])
      const another = checked((x) => t.add(half(x), t.relu(x)), [0, 0, 2], { fast })
      expect([another.ok, another.kinks, another.worst!.index]).toEqual([false, 2, 2])
    }
  })

  it('takes steep functions for what they are', () => {
    for (const fast of [false, true]) {
      const steep = checked((x) => t.sin(t.mul(x, 300)), [0.1, 0.2, 0.3, 0.4], { fast })
      expect(steep).toMatchObject({ ok: true, compared: 4, kinks: 0 })
    }
  })
})

describe('fast', () => {
  const long = Array.from({ length: 500 }, (_, i) => 1 + (i % 7))

  it('evaluates the function a fixed number of times, whatever the size', () => {
    // At most three steps of two points each, one point between them, and the gradient.
    for (const x of [long, long.slice(0, 5)]) {
      expect(checked(t.square, x, { fast: true })).toMatchObject({ ok: true, compared: x.length })
      expect(checked(t.square, x, { fast: true }).calls).toBeLessThanOrEqual(9)
    }
  })

  it('finds one wrong element among many, by name', () => {
    for (const place of [0, 77, 499]) {
      const wrong = (x: t.Tensor): t.Tensor => {
        const mask = t.tensor(long.map((_, i) => (i === place ? 1 : 0)))
        return t.add(t.square(x), t.mul(mask, half(x)))
      }
      // Relative to all of the gradient it is small.
      const { ok, worst, calls } = checked(wrong, long, { fast: true, tolerance: 1e-5 })
      expect([ok, worst!.index]).toEqual([false, place])
      expect(calls).toBeLessThan(60)
    }
  })

  it('of a law is as strict on the functions of a tree', () => {
    const f = (p: { a: t.Tensor; b: t.Tensor }): t.Tensor => t.matmul(p.a, half(p.b))
    const tree = fc.record({ a: tensors({ shape: [3, 3] }), b: tensors({ shape: [3, 3] }) })
    const { failed, errorInstance } = fc.check(gradientIsCorrect(f, tree, { fast: true }), { seed: 1 })
    expect(failed).toBe(true)
    expect((errorInstance as Error).message).toContain("of input 'b' is")
    const right = (p: { a: t.Tensor; b: t.Tensor }): t.Tensor => t.matmul(p.a, p.b)
    fc.assert(gradientIsCorrect(right, tree, { fast: true }), { seed: 1 })
    fc.assert(secondOrderIsCorrect(right, tree, { fast: true }), { seed: 1 })
  })
})

describe('functions that depend on data are recorded anew at each point', () => {
  const chosen: Readonly<Record<string, (x: t.Tensor) => t.Tree>> = {
    where: (x) => t.where(t.greater(x, 0.5), t.square(x), t.mul(x, 3)),
    max: (x) => t.mul(t.max(x), x),
    sort: (x) => t.mul(t.sort(x), t.arange(x.size)),
    gather: (x) => t.gather(t.square(x), t.argMax(x, { axis: 0 })),
    'a branch in JavaScript': (x) => {
      const [first] = x.toFloat32Array()
      return first! > 0.5 ? t.square(x) : t.mul(x, 3)
    },
    'a number that is read': (x) => t.mul(x, Math.floor(x.toFloat32Array()[0]!) + 2),
    'an order in JavaScript': (x) => {
      const values = x.toFloat32Array()
      const order = [...values.keys()].sort((i, j) => values[i]! - values[j]!)
      return t.mul(t.gather(x, t.tensor(order)), t.arange(x.size))
    },
  }
  for (const [name, f] of Object.entries(chosen)) {
    it(name, () => {
      const distinct = tensors({ shape: [4], domain: { low: -3, high: 3, distinct: true, kinks: [0.5] } })
      fc.assert(gradientIsCorrect(f, distinct), { seed: 1 })
      // On either side of the branch, next to it: a step of 1e-5 goes over it.
      for (const first of [0.5, Math.fround(0.5 + 2 ** -24), Math.fround(0.5 - 2 ** -25), 0.500001]) {
        t.scope(() => assertGradientIsCorrect(f, t.tensor([first, -1, 2, 1.25])))
      }
    })
  }

  it('at points that float32 can hold: what is recorded and what is evaluated are one point', () => {
    const seen: number[] = []
    const f = (x: t.Tensor): t.Tensor => {
      seen.push(x.toFloat32Array()[0]!)
      // Of a constant that is read, what is lost in rounding would be 1 % of the step.
      return t.sub(x, t.tensor(x.toFloat32Array()))
    }
    const { ok, worst } = checked(f, [1])
    expect([ok, worst!.numeric]).toEqual([false, 0])
    expect(new Set(seen).size).toBeGreaterThanOrEqual(3)
  })
})

describe('a law does not pass by kinks alone', () => {
  it('but holds where they are fewer than half', () => {
    fc.assert(gradientIsCorrect(t.relu, tensors()), { seed: 1 })
    fc.assert(gradientIsCorrect(t.abs, tensors({ shape: [1] })), { seed: 1 })
    fc.assert(
      secondOrderIsCorrect((x) => t.mul(x, t.relu(x)), tensors({ shape: [2] })),
      { seed: 1 },
    )
  })

  it('and says so where they are more', () => {
    const zeros = (x: t.Tensor): t.Tensor => t.relu(t.mul(x, 0))
    fc.assert(gradientIsCorrect(zeros, tensors({ shape: [2] })), { seed: 1 })
    const atKink = (x: t.Tensor): t.Tensor => t.abs(t.sub(x, t.tensor(x.toFloat32Array(), x.shape)))
    const everywhere = (x: t.Tensor): t.Tensor => t.abs(t.round(t.mul(x, 1e8)))
    for (const f of [atKink, everywhere]) {
      const { failed } = fc.check(gradientIsCorrect(f, tensors({ shape: [2] })), { seed: 1 })
      expect(failed).toBe(f === everywhere)
    }
    const only = fc.constant({ shape: [2], values: new Float32Array(2) })
    const { failed, errorInstance } = fc.check(gradientIsCorrect(t.relu, only), { seed: 1 })
    expect(failed).toBe(true)
    expect((errorInstance as Error).message).toContain(
      'gradientIsCorrect: 40 of 40 places of the samples lie at kinks, and cannot be compared; name the kinks in the domain of the samples',
    )
  })
})
