import { failType, kindOf } from './fail.ts'
import type { ConvolutionKernels } from './kernels/convolution.ts'
import type { WasmKernels } from './kernels/wasm.ts'

/** Kernels in the place of the strict ones of these names: what they take, also as scratch, and what they compute is the same. */
export type NumericKernels = Pick<WasmKernels, 'matmul'> &
  Pick<ConvolutionKernels, 'convolve' | 'filterGradient'>

/**
 * How a compiled program rounds, where that is not as eager code does: `relaxed()` of `@tapeflow/autodiff/relaxed` gives one.
 * Results are equal bit for bit within one numeric mode; from one to another they differ by rounding errors.
 */
export interface Numerics {
  readonly name: 'relaxed'
  readonly kernels: NumericKernels
  /**
   * Whether a b + c is rounded once, where one operation's own expression has it. What lies in two operations is rounded twice
   * even if one loop runs both: fusing changes no bit in this mode either.
   */
  readonly contracts: boolean
}

/** The option of that name; null, for strict, where it is left out. */
export function checkNumerics(operation: string, value: unknown): Numerics | null {
  if (value === undefined) return null
  if (isNumerics(value)) return value
  return failType(
    operation,
    `numerics must be a numeric mode, got ${kindOf(value)}`,
    'pass relaxed() of @tapeflow/autodiff/relaxed, or leave it out for strict',
  )
}

function isNumerics(value: unknown): value is Numerics {
  return typeof value === 'object' && value !== null && 'kernels' in value && 'contracts' in value
}
