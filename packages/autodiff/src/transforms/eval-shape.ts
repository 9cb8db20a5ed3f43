import { failType, kindOf } from '../fail.ts'
import { checkShape, type Shape } from '../shape.ts'
import { Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { inScope, mapTensors, type Replaced } from '../tree.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

/** What `evalShape` takes for arguments of these types: a shape where a tensor is. */
export type Shapes<A> = { [K in keyof A]: Replaced<A[K], Shape> }

/**
 * The shapes of what `f` returns for arguments of the given shapes. Nothing is computed: `f` runs once, on values that are
 * only shapes, through gradients and all. What depends on a value cannot run so, and says so.
 *
 * @param f a function of trees of tensors
 * @param shapes for each argument its shape, or a plain object or array of shapes; null stays null
 * @returns what `f` returns, with a shape for each tensor
 * @throws RangeError where shapes do not fit each other, as the operations say it; RecordingError where a value is read
 * @example
 * t.evalShape((x, w) => t.matmul(x, w), [32, 784], [784, 10]) // => [32, 10]
 * const loss = (p: { w: t.Tensor }, x: t.Tensor) => t.sum(t.square(t.matmul(x, p.w)))
 * t.evalShape(t.grad(loss), { w: [3, 2] }, [5, 3]) // => { w: [3, 2] }
 */
export function evalShape<A extends readonly unknown[], R>(
  f: (...inputs: A) => R,
  ...shapes: Shapes<A>
): Replaced<R, Shape> {
  checkFunction('evalShape', f)
  return inScope((scope) => {
    const tape = new Tape(scope, true)
    const inputs: unknown = shapes.map((given: unknown) => abstractTree(given, tape))
    let returned: R
    try {
      returned = f(...(inputs as A))
    } finally {
      tape.open = false
    }
    refuseAsynchronous('evalShape', returned)
    return mapTensors<R, Shape>(returned, (x) => x.shape)
  })
}

type AbstractTree = Tensor | null | readonly AbstractTree[] | { readonly [key: string]: AbstractTree }

// An array of numbers is a shape, the empty one a scalar's; any other array is an array of trees.
function abstractTree(given: unknown, tape: Tape): AbstractTree {
  if (given === null) return null
  if (Array.isArray(given)) {
    if (given.every((size) => typeof size === 'number'))
      return tape.abstractInput(checkShape('evalShape', given))
    return given.map((inner) => abstractTree(inner, tape))
  }
  if (typeof given !== 'object') {
    failType('evalShape', `a shape is needed for each tensor, got ${kindOf(given)}`, 'pass [rows, columns]')
  }
  return Object.fromEntries(Object.entries(given).map(([key, inner]) => [key, abstractTree(inner, tape)]))
}
