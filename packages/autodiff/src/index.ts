export type { Operand } from './apply.ts'
export {
  type Compiled,
  type CompileOptions,
  compile,
  type Fed,
  type RecordedProgram,
} from './compile/compile.ts'
export type { ProgramPlan } from './compile/describe.ts'
export { type Scanned, type ScanOptions, scan } from './compile/scan.ts'
export type { ConvolutionOptions } from './convolution.ts'
export { arange, eye, full, linspace, ones, onesLike, zeros, zerosLike } from './creation.ts'
export { type Anomaly, AnomalyError, type LoopStep } from './debug/anomaly.ts'
export type { Range } from './debug/range.ts'
export { DisposedError, failRange, failType, kindOf, type OperationError, RecordingError } from './fail.ts'
export type { Extent, GraphEdge, GraphNode } from './graph/node.ts'
export { checkIndices, type IndexWords } from './indices.ts'
export { foldIn, Key, key } from './key.ts'
export { type MemoryStatistics, memoryStatistics as memory, resetPeakBytes } from './memory.ts'
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
export { type DebugOptions, debug } from './transforms/debug.ts'
export { evalShape, type Shapes } from './transforms/eval-shape.ts'
export { fold } from './transforms/fold.ts'
export { grad } from './transforms/grad.ts'
export { type ComputationGraph, graph } from './transforms/graph.ts'
export { hessian } from './transforms/hessian.ts'
export { type HessianProduct, hvp } from './transforms/hvp.ts'
export { jacobian } from './transforms/jacobian.ts'
export { jvp, type Pushforward } from './transforms/jvp.ts'
export type { WithGaps } from './transforms/matching.ts'
export { namedScope } from './transforms/named-scope.ts'
export { type OpenScope, scope } from './transforms/scope.ts'
export { type Differentiable, type ValueAndGradients, valueAndGrad } from './transforms/value-and-grad.ts'
export { type Pullback, vjp } from './transforms/vjp.ts'
export type { Axes } from './transforms/vmap/axes.ts'
export { type VmapOptions, vmap } from './transforms/vmap/vmap.ts'
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
