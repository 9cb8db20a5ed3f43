export {
  type CheckGradientOptions,
  checkGradient,
  type GradientCheck,
  type WorstError,
} from './check-grad.ts'
export { referenceValues } from './evaluate-reference.ts'
export { broadcastable } from './info.ts'
export { withoutKernel } from './kernels/disabled.ts'
export { memoryBelowHeap, poisonFreed } from './memory.ts'
export type {
  Domain,
  Draw,
  ErrorInput,
  Operation,
  OperationInfo,
  Sample,
  Shaped,
  Values,
} from './operation.ts'
export { operations } from './ops/generated/table.ts'
export { vmapByExample } from './transforms/vmap/vmap.ts'
