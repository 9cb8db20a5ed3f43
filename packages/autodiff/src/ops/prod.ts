import { apply, tensorOperand } from '../apply.ts'
import { zeros } from '../creation.ts'
import { reduceErrors, reduceSample } from '../info.ts'
import { joinRows } from '../joined-rows.ts'
import { wasm } from '../kernels/wasm.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import {
  atOnceScratch,
  type Reduced,
  type ReduceOptions,
  reduceAtOnce,
  reduced,
  reducedShape,
  reduceReference,
} from '../reduction.ts'
import type { Tensor } from '../tensor.ts'
import { abs } from './abs.ts'
import { cumProd } from './cum-prod.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { less } from './less.ts'
import { logicalAnd } from './logical-and.ts'
import { logicalOr } from './logical-or.ts'
import { mul } from './mul.ts'
import { reshape } from './reshape.ts'
import { where } from './where.ts'

export const prodOperation: Operation<Reduced, [Tensor]> = /*@__PURE__*/ defineOperation<Reduced, [Tensor]>({
  name: 'prod',
  doc: 'the product over axes',
  shape: ([x], attributes) => reducedShape(x!.shape, attributes),
  reference: ([x], { axes }) => reduceReference(x!, axes, 1, (product, value) => product * value),
  scratch: ([x], { axes }) => atOnceScratch(x!, axes, 0),
  kernel: (output, [x], { axes }, scratch) => reduceAtOnce(wasm().reduceProduct, output, x, axes, scratch),
  batch: 'axes',
  vjp: [
    (g, y, [x], { axes }) => {
      if (x.size === 0) return zeros(x.shape)
      // The product of all others: of those before and of those behind, with no division, so that zeros may be among them.
      const { rows, back } = joinRows(x, axes)
      const before = cumProd(rows, { exclusive: true })
      const behind = cumProd(rows, { exclusive: true, reverse: true })
      const others = mul(before, behind)
      // Where one of the two leaves float32 the whole may not: then no element is 0.
      const product = reshape(y, [g.size, 1])
      const isRight = logicalAnd(
        less(abs(others), Number.POSITIVE_INFINITY),
        logicalOr(others, equal(product, 0)),
      )
      const divided = div(product, where(equal(rows, 0), 1, rows))
      return back(mul(where(isRight, others, divided), reshape(g, [g.size, 1])))
    },
  ],
})

/**
 * The product of elements over axes; 1 where there are none. It is worked out in float64. The gradient is the product of all other
 * elements, right where there are zeros too.
 *
 * @param x any shape
 * @param options.axis which axes, all by default
 * @param options.keepDims keep reduced axes with size 1; off by default
 * @throws RangeError when an axis is out of range or named twice
 * @example
 * t.prod(t.tensor([[1, 2], [3, 4]]), { axis: 0 }).toArray() // => [3, 8]
 * t.grad((x) => t.prod(x))(t.tensor([2, 0, 5])).toArray() // => [0, 10, 0]
 */
export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  const from = tensorOperand('prod', x)
  return apply(prodOperation, [from], reduced('prod', from, options))
}

export const info: readonly OperationInfo[] = [
  {
    operation: prodOperation,
    sample: reduceSample(prod),
    domains: [{ low: -1.5, high: 1.5 }],
    ulps: 1,
    // Where the product of the others falls below float64, infinities times it are NaN or not, by the order.
    scale: ([x], output) => {
      const values = Array.from(x!.values)
      const others = values.filter(Number.isFinite).reduce((product, value) => product * value, 1)
      const isLost = others === 0 && !values.includes(0) && values.some((value) => !Number.isFinite(value))
      return isLost ? Number.NEGATIVE_INFINITY : output
    },
    errors: reduceErrors('prod', prod),
  },
]
