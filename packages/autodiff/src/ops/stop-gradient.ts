import { apply, tensorOperand } from '../apply.ts'
import { defineOperation, type Operation, type OperationInfo } from '../operation.ts'
import { knownToProgram } from '../tape.ts'
import { constant, type Tensor } from '../tensor.ts'

export const stopGradientOperation: Operation<null, [Tensor]> = /*@__PURE__*/ defineOperation<null, [Tensor]>(
  {
    name: 'stopGradient',
    doc: 'the same value, that no gradient goes through',
    shape: ([x]) => x!.shape,
    reference: ([x]) => x!.values,
    alias: () => 0,
    vjp: [null],
  },
)

/**
 * The value of `x`, of the same shape, that no gradient goes through: of whatever order, it counts as a constant. Nothing is
 * copied: both live on the same memory. Nor is anything recorded for a gradient, or kept for one.
 *
 * @param x any shape
 * @example
 * t.grad((x: t.Tensor) => t.mul(x, t.stopGradient(x)))(t.tensor(3)).item() // => 3
 */
export function stopGradient(x: Tensor): Tensor {
  const from = tensorOperand('stopGradient', x)
  // A program has it as a line: what it is called with differs from call to call, and may be traced then.
  const known = knownToProgram(from)
  return known === null ? constant('stopGradient', from) : apply(stopGradientOperation, [known], null)
}

export const info: readonly OperationInfo[] = [
  {
    operation: stopGradientOperation,
    sample: (draw) => ({ shapes: [draw.shape(0, 3)], call: (x) => stopGradient(x!) }),
    // Held fixed, as integers are, where derivatives are compared with differences: those see the value move.
    domains: [{ low: -3, high: 3, integer: true }],
    ulps: 0,
    errors: [
      {
        call: () => stopGradient(1 as unknown as Tensor),
        kind: 'TypeError',
        message: 'stopGradient: a tensor is needed, got a number; wrap numbers and arrays in t.tensor',
      },
    ],
  },
]
