import { applyTo, type Operand } from '../apply.ts'
import { applyBinary, binary, none, ternary } from '../elementwise.ts'
import { negativePart } from '../gradient.ts'
import { binaryErrors, binarySample, broadcastable, ordinary, unaryErrors } from '../info.ts'
import * as e from '../kernels/expression.ts'
import type { OperationInfo } from '../operation.ts'
import type { Tensor } from '../tensor.ts'
import { greater } from './greater.ts'
import { mul } from './mul.ts'
import { where } from './where.ts'

export const leakyReluOperation: ReturnType<typeof binary> = /*@__PURE__*/ binary({
  name: 'leakyRelu',
  doc: 'x where x > 0, else slope x',
  reference: (x, slope) => (x > 0 ? x : slope * x),
  expression: (x, slope) => e.select(e.greater(x, e.constant(0)), x, e.mul(slope, x)),
  vjp: [(g, _, x, slope) => leakyReluGradient(g, x, slope), (g, _, x) => mul(g, negativePart(x))],
})

/**
 * x where it is positive, else slope x, element by element (Maas et al. 2013). The slope may be a tensor, one number or one for each
 * channel, with a gradient: that is PReLU (He et al. 2015). The gradient at 0 is the slope, as in PyTorch.
 *
 * @param x any shape
 * @param slope any shape that broadcasts with x, or a number; 0.01 by default, as in PyTorch (Keras 3: 0.2, in its layer 0.3)
 * @returns the shape that both broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.leakyRelu(t.tensor([-100, 2])).toArray() // => [-1, 2]
 * t.leakyRelu(t.tensor([[-8, 2], [4, -8]]), t.tensor([0.5, 0.25])).toArray() // => [[-4, 2], [4, -2]]
 */
export function leakyRelu(x: Operand, slope: Operand = 0.01): Tensor {
  return applyBinary(leakyReluOperation, x, slope)
}

export const leakyReluGradientOperation: ReturnType<typeof ternary> = /*@__PURE__*/ ternary({
  name: 'leakyReluGradient',
  doc: 'g where x > 0, else slope g',
  reference: (g, x, slope) => (x > 0 ? g : slope * g),
  expression: (g, x, slope) => e.select(e.greater(x, e.constant(0)), g, e.mul(slope, g)),
  vjp: [
    (cotangent, _, _g, x, slope) => leakyReluGradient(cotangent, x, slope),
    null,
    (cotangent, _, g, x) => where(greater(x, 0), 0, mul(cotangent, g)),
  ],
})

/**
 * The gradient of `leakyRelu` by x, element by element: g where x > 0, else slope g.
 *
 * @param g the cotangent: any shape that broadcasts with the others, or a number
 * @param x likewise
 * @param slope likewise; 0.01 by default
 * @returns the shape that all three broadcast to
 * @throws RangeError when the shapes do not broadcast
 * @example
 * t.leakyReluGradient(8, t.tensor([-1, 1]), 0.5).toArray() // => [4, 8]
 */
export function leakyReluGradient(g: Operand, x: Operand, slope: Operand = 0.01): Tensor {
  return applyTo(leakyReluGradientOperation, [g, x, slope], none)
}

export const info: readonly OperationInfo[] = [
  {
    operation: leakyReluOperation,
    sample: binarySample(leakyRelu),
    domains: [{ low: -3, high: 3, kinks: [0] }, ordinary],
    ulps: 0,
    errors: binaryErrors('leakyRelu', leakyRelu),
  },
  {
    operation: leakyReluGradientOperation,
    sample: (draw) => ({ shapes: broadcastable(draw, 3), call: leakyReluGradient }),
    domains: [ordinary, { low: -3, high: 3, kinks: [0] }, ordinary],
    ulps: 0,
    errors: unaryErrors('leakyReluGradient', (g) => leakyReluGradient(g, 1)),
  },
]
