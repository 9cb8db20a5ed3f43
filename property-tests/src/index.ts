export { broadcastableShapes } from './arbitraries/broadcastable-shapes.ts'
export { drawFrom, draws } from './arbitraries/draws.ts'
export { keys } from './arbitraries/keys.ts'
export type { Program, ProgramInput } from './arbitraries/program-lines.ts'
export { type ProgramsOptions, programs } from './arbitraries/programs.ts'
export { type OperationSample, type SamplesOptions, samples } from './arbitraries/samples.ts'
export { type ShapesOptions, shapes } from './arbitraries/shapes.ts'
export { type TensorsOptions, tensors } from './arbitraries/tensors.ts'
export { type SnapshotTree, trees } from './arbitraries/trees.ts'
export { type TreesLikeOptions, treesLike } from './arbitraries/trees-like.ts'
export { type Assertion, holds, type Inputs, type Law } from './law.ts'
export {
  type AdjointOptions,
  adjointIsConsistent,
  assertAdjointIsConsistent,
} from './laws/adjoint-is-consistent.ts'
export {
  assertCompiledEqualsEager,
  type CompiledOptions,
  type Compiler,
  compiledEqualsEager,
} from './laws/compiled-equals-eager.ts'
export { assertDeterministic, deterministic } from './laws/deterministic.ts'
export { assertGradientIsCorrect, gradientIsCorrect } from './laws/gradient-is-correct.ts'
export { assertJvpAgreesWithVjp, type JvpOptions, jvpAgreesWithVjp } from './laws/jvp-agrees-with-vjp.ts'
export {
  assertKernelMatchesReference,
  type KernelOptions,
  kernelMatchesReference,
} from './laws/kernel-matches-reference.ts'
export { assertLeavesNoTrace, leavesNoTrace } from './laws/leaves-no-trace.ts'
export {
  assertPermutationEquivariant,
  type PermutationOptions,
  permutationEquivariant,
} from './laws/permutation-equivariant.ts'
export { assertSecondOrderIsCorrect, secondOrderIsCorrect } from './laws/second-order-is-correct.ts'
export { assertVjpIsLinear, vjpIsLinear } from './laws/vjp-is-linear.ts'
export {
  assertVmapAgreesWithLoop,
  type VmapAgreesOptions,
  vmapAgreesWithLoop,
} from './laws/vmap-agrees-with-loop.ts'
export { randomLike } from './random-like.ts'
export { ulpOf, withinUlps } from './within-ulps.ts'
