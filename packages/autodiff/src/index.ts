export type { Operand } from './apply.ts'
export { type Compiled, type CompileOptions, compile, type Fed } from './compile/compile.ts'
export type { ProgramPlan } from './compile/describe.ts'
export { type Scanned, type ScanOptions, scan } from './compile/scan.ts'
export type { ConvolutionOptions } from './convolution.ts'
export { arange, eye, full, linspace, ones, onesLike, zeros, zerosLike } from './creation.ts'
export { DisposedError, failRange, failType, kindOf, type OperationError, RecordingError } from './fail.ts'
export { checkIndices, type IndexWords } from './indices.ts'
export { foldIn, Key, key } from './key.ts'
export { type MemoryStatistics, memoryStatistics as memory } from './memory.ts'
export type { NumericKernels, Numerics } from './numerics.ts'
export * from './ops/generated/index.ts'
export type { PoolOptions } from './pooling.ts'
export { bernoulli, normal, permutation, truncatedNormal, uniform } from './random.ts'
export { bernoulliValues, normalValues, permutationValues, randomBits, uniformValues } from './random-bits.ts'
export { type Shape, sameShape, showShape, sizeOf } from './shape.ts'
export { fromSnapshot, type Restored, type Snapshot, toSnapshot } from './snapshot.ts'
export { isTensor, type NestedNumbers, Tensor, tensor } from './tensor.ts'
export { checkpoint } from './transforms/checkpoint.ts'
export { customVjp } from './transforms/custom-vjp.ts'
export { evalShape, type Shapes } from './transforms/eval-shape.ts'
export { fold } from './transforms/fold.ts'
export { grad } from './transforms/grad.ts'
export { type HessianProduct, hvp } from './transforms/hvp.ts'
export { jvp, type Pushforward } from './transforms/jvp.ts'
export type { WithGaps } from './transforms/matching.ts'
export { type OpenScope, scope } from './transforms/scope.ts'
export { type Differentiable, type ValueAndGradients, valueAndGrad } from './transforms/value-and-grad.ts'
export { type Pullback, vjp } from './transforms/vjp.ts'
export {
  type Leaf,
  leaves,
  mapTensors,
  mapTree,
  paths,
  type Replaced,
  type Tree,
  visitLeaves,
  zipTensors,
} from './tree.ts'
export type { Padding, PerAxis, WindowOptions } from './windows.ts'
