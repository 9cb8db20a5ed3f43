import { describe, expect, test } from 'vitest'
import * as t from '../src/index.ts'

type F = (x: t.Tensor, y: t.Tensor, rate: number) => unknown

/** What tells the result `a` of `f` from others. */
function fingerprintOf(f: F, shape: readonly number[] = [3, 4]): string {
  const compiled = t.compile(f)
  return t.scope(() => {
    // Memory lies elsewhere each time.
    t.zeros([Math.ceil(Math.random() * 50)])
    compiled(t.ones(shape), t.ones(shape), Math.random())
    const { fingerprint } = compiled.programs((path) => path === 'a')[0]!
    compiled.dispose()
    return fingerprint
  })
}

const many = Float32Array.from({ length: 100 }, (_, i) => i)
const functions: readonly (readonly [name: string, f: F])[] = [
  ['sum of products', (x, y) => ({ a: t.sum(t.mul(x, y)) })],
  ['sum of sums', (x, y) => ({ a: t.sum(t.add(x, y)) })],
  ['the same along an axis', (x, y) => ({ a: t.sum(t.mul(x, y), { axis: 0 }) })],
  ['along the other axis', (x, y) => ({ a: t.sum(t.mul(x, y), { axis: 1 }) })],
  ['one operand twice', (x) => ({ a: t.sum(t.mul(x, x)) })],
  ['operands exchanged', (x, y) => ({ a: t.sum(t.sub(x, y)) })],
  ['operands not exchanged', (x, y) => ({ a: t.sum(t.sub(y, x)) })],
  ['a constant', (x) => ({ a: t.mul(x, 2) })],
  ['another constant', (x) => ({ a: t.mul(x, 3) })],
  ['a constant of the other sign of zero', (x) => ({ a: t.div(x, -0) })],
  ['zero', (x) => ({ a: t.div(x, 0) })],
  ['an argument', (x, _, rate) => ({ a: t.mul(x, rate as never) })],
  ['a long constant', () => ({ a: t.sum(t.square(t.tensor(many, [100]))) })],
  [
    'a long constant that differs at its end',
    () => ({
      a: t.sum(
        t.square(
          t.tensor(
            many.map((v) => v + Number(v === 99)),
            [100],
          ),
        ),
      ),
    }),
  ],
  ['rows', (x) => ({ a: t.slice(x, [0, 0], [1, 4]) })],
  ['other rows', (x) => ({ a: t.slice(x, [1, 0], [1, 4]) })],
  ['noise', (x) => ({ a: t.add(x, t.normal(t.key(1), [3, 4])) })],
  ['gradients', (x, y) => ({ a: t.grad((at: t.Tensor) => t.sum(t.mul(t.square(at), y)))(x) })],
]

describe('fingerprints of what a program computes', () => {
  test.each(functions)('%s: the same each time', (_, f) => {
    expect(fingerprintOf(f)).toEqual(fingerprintOf(f))
    expect(fingerprintOf(f)).toMatch(/^[0-9a-f]{16}$/)
  })

  test('differ between all of these', () => {
    const all = functions.map(([, f]) => fingerprintOf(f))
    expect(new Set(all).size).toBe(functions.length)
  })

  test('differ with the shape of what goes in', () => {
    const [, f] = functions[0]!
    expect(fingerprintOf(f, [3, 5])).not.toBe(fingerprintOf(f))
  })

  test('do not depend on what else is computed', () => {
    const alone: F = (x, y) => ({ a: t.sum(t.mul(x, y)) })
    const among: F = (x, y) => {
      const b = t.exp(t.add(x, 1))
      const a = t.sum(t.mul(x, y))
      return { c: t.square(b), b, a }
    }
    expect(fingerprintOf(among)).toBe(fingerprintOf(alone))
  })

  test('there is a program for each signature, with its inputs by name', () => {
    const f = t.compile(({ w }: { readonly w: t.Tensor }, x: t.Tensor) => t.matmul(x, w))
    expect(f.programs()).toEqual([])
    t.scope(() => {
      const w = t.ones([2, 3])
      f({ w }, t.ones([4, 2]))
      f({ w }, t.ones([5, 2]))
      f({ w }, t.ones([4, 2]))
    })
    const inputs = f.programs().map((program) => program.inputs)
    expect(inputs).toHaveLength(2)
    expect(inputs).toContainEqual({ '0.w': [2, 3], 'argument 1': [4, 2] })
    expect(inputs).toContainEqual({ '0.w': [2, 3], 'argument 1': [5, 2] })
    f.dispose()
    expect(f.programs()).toEqual([])
  })
})
