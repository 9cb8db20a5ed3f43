import {
  customVjp,
  grad,
  hvp,
  jvp,
  leaves,
  mul,
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
    for (const [j, one] of expected[i]!.entries()) {
      // A NaN is no small error.
      const isNear = Math.abs(found[j]! - one) <= 1e-3 * most
      expect(isNear, `product ${found[j]} at place ${j} of input ${i}, differences give ${one}`).toBe(true)
    }
  }
}

/** The law that a rule made of the function's own gradient changes no value and no derivative, and that without one there is none. */
export function assertRuleChangesNothing(f: Call, x: readonly Tensor[]): void {
  if (x.length === 0) return
  const ruled = customVjp(f, (g, _, y) => vjp(f, y, g).gradients)
  const [along, cotangent] = [randomLike(x, 7), randomLike(f(x), 8)[0]!]
  const all = (h: Call) => [vjp(h, x, cotangent), jvp(h, x, along)]
  expect(bits(all(ruled))).toEqual(bits(all(f)))
  const stopped: Call = (y) => f(y.map(stopGradient))
  const { value, gradients } = vjp(stopped, x, cotangent)
  expect(bits(value)).toEqual(bits(f(x)))
  expect(gradients.every((one) => one.toFloat32Array().every((number) => number === 0))).toBe(true)
}
