import { failRange, failType, kindOf, scope, Tensor } from '@tapeflow/autodiff'

/** What a tensor of weights costs beside the loss: a scalar, made of operations. */
export type Penalty = (weights: Tensor) => Tensor

/** A penalty whose cost is computed in a scope. */
export function penaltyOf(operation: string, cost: Penalty): Penalty {
  return (weights) => {
    if (weights instanceof Tensor) return scope(() => cost(weights))
    const remedy = `pass regularize([{ at: (path) => path.endsWith('weight'), penalty: ${operation}(…) }])`
    return failType(operation, `weights must be one tensor, got ${kindOf(weights)}`, remedy)
  }
}

/** Checks what a penalty is multiplied by. */
export function checkFactor(operation: string, factor: number): void {
  if (typeof factor !== 'number') {
    failType(operation, `the factor must be a number, got ${kindOf(factor)}`, `pass ${operation}(1e-4)`)
  }
  if (factor >= 0 && factor < Number.POSITIVE_INFINITY) return
  failRange(operation, `the factor must be finite and not negative, got ${factor}`)
}
