/**
 * The language that elementwise kernels are written in: four lanes at a time, from `add` to `tanh`.
 *
 * @example
 * import * as e from './expression.ts'
 * const silu = (x: e.Value): e.Value => e.mul(x, e.sigmoid(x))
 */
export * from './approximations.ts'
export * from './decay.ts'
export * from './erf.ts'
export * from './expm1.ts'
export * from './hyperbolic.ts'
export * from './lanes.ts'
export { cbrt, hypot, log2, pow } from './powers.ts'
export * from './trigonometric.ts'
