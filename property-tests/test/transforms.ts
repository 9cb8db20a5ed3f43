import {
  customVjp,
  grad,
  hvp,
  jvp,
  leaves,
  mul,
  square,
  stopGradient,
  sum,
  type Tensor,
  valueAndGrad,
  vjp,
} from '@tapeflow/autodiff'
import { expect } from 'vitest'
import { differencesAlong } from '../src/along.ts'
import { randomLike } from '../src/index.ts'

type Call = (x: readonly Tensor[]) => Tensor

const bits = (tree: unknown): readonly Uint32Array[] =>
  leaves(tree).map((x) => new Uint32Array(x.toFloat32Array().buffer))

/** `f` as a number: its elements times fixed random ones. */
function projected(f: Call, x: readonly Tensor[]): Call {
  const [by] = randomLike(f(x), 5)
  return (y) => sum(mul(f(y), by!))
}

/** The law that Hessian-vector products are how the gradient changes along the vectors, value and gradients beside them. */
export function assertHvpEqualsDifferences(f: Call, x: readonly Tensor[]): void {
  if (x.length === 0) return
  const loss = projected(f, x)
  const along = randomLike(x, 6)
  const { value, gradients, products } = hvp(loss, x, along)
  expect(bits({ value, gradients })).toEqual(bits(valueAndGrad(loss)(x)))
  const expected = differencesAlong(
    (y: readonly Tensor[]) => grad(loss)(y) as readonly Tensor[],
    x,
    along,
    1e-5,
  )
  for (const [i, product] of products.entries()) {
    expect(product.shape).toEqual(x[i]!.shape)
    // Second derivatives that cancel to 0 keep more dust than first ones.
    const most = expected[i]!.reduce((largest, one) => Math.max(largest, Math.abs(one)), 5e-2)
    const found = product.toFloat32Array()
    const place = expected[i]!.findIndex((one, j) => !(Math.abs(found[j]! - one) <= 1e-3 * most))
    const words = `product ${found[place]} at place ${place} of input ${i}, differences give ${expected[i]![place]}`
    expect(place, words).toBe(-1)
  }
}

function expectNear(found: readonly Tensor[], expected: readonly Tensor[]): void {
  for (const [i, one] of expected.entries()) {
    const [numbers, others] = [one.toFloat32Array(), found[i]!.toFloat32Array()]
    const most = numbers.reduce((largest, x) => Math.max(largest, Math.abs(x)), 1)
    const place = numbers.findIndex((x, j) => !(Math.abs(others[j]! - x) <= 1e-5 * most))
    expect(place, `${others[place]} at place ${place} of input ${i}, expected ${numbers[place]}`).toBe(-1)
  }
}

/** The law that a rule made of the function's own gradient changes no value and no derivative, and that without one there is none. */
export function assertRuleChangesNothing(f: Call, x: readonly Tensor[]): void {
  if (x.length === 0) return
  const ruled = customVjp(f, (g, _, y) => vjp(f, y, g).gradients)
  const [along, cotangent] = [randomLike(x, 7), randomLike(f(x), 8)[0]!]
  const all = (h: Call) => [vjp(h, x, cotangent), jvp(h, x, along)]
  expect(bits(all(ruled))).toEqual(bits(all(f)))
  // Of two results, and of the second alone.
  const pair = (y: readonly Tensor[]): readonly Tensor[] => [f(y), square(f(y))]
  const both = customVjp(pair, (g, _, y) => vjp(pair, y, g).gradients)
  const first = (h: typeof pair) => vjp(h, x, [cotangent, mul(cotangent, 3)])
  expect(bits(first(both))).toEqual(bits(first(pair)))
  const second = (h: typeof pair) => vjp((y: readonly Tensor[]) => h(y)[1]!, x, cotangent).gradients
  expectNear(second(both), second(pair))
  // What is used elsewhere too has a cotangent already: the rule's is added to it.
  const beside = (h: Call) =>
    vjp((y: readonly Tensor[]) => [h(y), ...y.map((one) => mul(one, 2))], x, [cotangent, ...along]).gradients
  expectNear(beside(ruled), beside(f))
  const stopped: Call = (y) => f(y.map(stopGradient))
  const { value, gradients } = vjp(stopped, x, cotangent)
  expect(bits(value)).toEqual(bits(f(x)))
  expect(gradients.every((one) => one.toFloat32Array().every((number) => number === 0))).toBe(true)
}
