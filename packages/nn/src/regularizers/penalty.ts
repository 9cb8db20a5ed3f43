import { failRange, type Tensor } from '@tapeflow/autodiff'

/** What a tensor of weights costs beside the loss: a scalar, made of operations. */
export type Penalty = (weights: Tensor) => Tensor

/** Checks what a penalty is multiplied by. */
export function checkFactor(operation: string, factor: number): void {
  if (factor >= 0 && factor < Number.POSITIVE_INFINITY) return
  failRange(operation, `the factor must be finite and not negative, got ${String(factor)}`)
}
