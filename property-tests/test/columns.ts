import {
  evalShape,
  fromSnapshot,
  grad,
  leaves,
  memory,
  type OperationError,
  scope,
  showShape,
  sizeOf,
  sum,
  type Tensor,
  type Tree,
  vjp,
} from '@tapeflow/autodiff'
import { type Domain, type OperationInfo, referenceValues, withoutKernel } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { expect } from 'vitest'
import {
  assertAdjointIsConsistent,
  assertCompiledEqualsEager,
  assertDeterministic,
  assertGradientIsCorrect,
  assertJvpAgreesWithVjp,
  assertKernelMatchesReference,
  assertLeavesNoTrace,
  assertSecondOrderIsCorrect,
  assertVjpIsLinear,
  randomLike,
  samples,
} from '../src/index.ts'
import { vmapByExampleIsTheLoop, vmapIsTheLoop } from './batched.ts'
import { fusedEqualsItsComposition } from './composition.ts'
import { inPlaceGivesTheSameBits, kernelKeepsToItsMemory } from './kernel-memory.ts'
import { assertProperty } from './runs.ts'
import { specialCombinations, specialValuesAnywhere, tailsOfFourLanes } from './special-values.ts'
import { assertHvpEqualsDifferences, assertRuleChangesNothing } from './transforms.ts'

/** What is asserted of every operation; the names are those of the tests. */
export const columns: Readonly<Record<string, (info: OperationInfo) => void>> = {
  'shape and reference agree': shapeAndReferenceAgree,
  'kernel equals the float64 reference': kernelEqualsReference,
  'kernel equals the reference at every tail of four lanes': tailsOfFourLanes,
  'vjp equals finite differences': vjpEqualsDifferences,
  'vjp is the adjoint of the derivative, in the shape of the input': vjpIsAdjoint,
  'jvp agrees with vjp, and equals finite differences along a direction': jvpAgrees,
  'hvp equals finite differences of the gradient along a direction': (info) =>
    forSamples(info, 10, assertHvpEqualsDifferences),
  'a rule of its own, made of its vjp, changes no derivative': (info) =>
    forSamples(info, 6, assertRuleChangesNothing),
  'second derivatives equal finite differences': secondDerivativesEqualDifferences,
  'vjp is linear in the cotangent': vjpIsLinear,
  'inputs without a vjp get zeros': noVjpGivesZeros,
  'special values come out as the reference rounds them': specialCombinations,
  'NaN and infinities anywhere go where the reference sends them': specialValuesAnywhere,
  'evalShape gives the shapes of values and gradients, and takes no memory': evalShapeAgrees,
  'errors are raised to the letter and leave nothing': errorsToTheLetter,
  'disposed inputs are refused': disposedInputsAreRefused,
  'same inputs give the same bits anywhere in memory': sameBitsAnywhere,
  'compiled gives the same bits, in donated memory too': compiledGivesTheSameBits,
  'vmap gives the values and gradients of the loop': vmapIsTheLoop,
  'vmap without rules gives the values and gradients of the loop': vmapByExampleIsTheLoop,
  'kernels allocate nothing, and keep to their output and scratch': kernelKeepsToItsMemory,
  'a fused operation is its composition, in value and two derivatives': fusedEqualsItsComposition,
  'in place gives the same bits': inPlaceGivesTheSameBits,
  'values and gradients stay right without the kernel': rightWithoutKernel,
  'inputs keep their bits and nothing leaks': nothingLeaks,
}

type Call = (x: readonly Tensor[]) => Tensor

/** Calls of the operation: `x` holds the inputs that are differentiated by; integers are held fixed inside `f`. */
function forSamples(
  info: OperationInfo,
  numRuns: number,
  check: (f: Call, x: readonly Tensor[], all: readonly Tensor[]) => void,
  within: (domain: Domain) => Domain = (domain) => domain,
): void {
  const property = fc.property(samples(info, { within }), (sample) => {
    scope(() => {
      const all = fromSnapshot(sample.inputs)
      const isFree = (_: unknown, i: number): boolean => sample.domains[i]!.integer !== true
      const f = (x: readonly Tensor[]): Tensor => {
        let next = 0
        return sample.call(...all.map((fixed, i) => (isFree(fixed, i) ? x[next++]! : fixed)))
      }
      check(f, all.filter(isFree), all)
    })
  })
  assertProperty(property, numRuns)
}

/** Kinks and ties are left in: for what is not differentiated. */
const anywhere = ({ low, high, integer = false }: Domain): Domain => ({ low, high, integer })

function shapeAndReferenceAgree(info: OperationInfo): void {
  const check = (f: Call, x: readonly Tensor[]): void => {
    const y = f(x)
    const [reference] = referenceValues(f, x)
    expect(showShape(reference!.shape)).toBe(showShape(y.shape))
    expect(reference!.values).toHaveLength(sizeOf(y.shape))
    expect(y.size).toBe(sizeOf(y.shape))
    expect(y.shape.every((size) => Number.isInteger(size) && size >= 0)).toBe(true)
  }
  forSamples(info, 60, check, anywhere)
}

function evalShapeAgrees(info: OperationInfo): void {
  const check = (f: Call, x: readonly Tensor[]): void => {
    const shapes = x.map((one) => one.shape)
    const eager = f(x).shape
    const before = memory().bytes
    const value: unknown = evalShape(f, shapes)
    expect(value).toEqual(eager)
    expect(memory().bytes).toBe(before)
    if (x.length === 0) return
    const total = (inputs: readonly Tensor[]): Tensor => sum(f(inputs))
    const gradients: unknown = evalShape(grad(total), shapes)
    expect(gradients).toEqual(shapes)
  }
  forSamples(info, 60, check, anywhere)
}

function kernelEqualsReference(info: OperationInfo): void {
  forSamples(info, 300, (f, x) => assertKernelMatchesReference(f, x, info), anywhere)
}

function vjpEqualsDifferences(info: OperationInfo): void {
  forSamples(info, 100, (f, x) =>
    assertGradientIsCorrect(f, x, { tolerance: 3e-4, limit: 8, kinks: 'compare' }),
  )
}

function vjpIsAdjoint(info: OperationInfo): void {
  forSamples(info, 150, (f, x) => assertAdjointIsConsistent(f, x))
}

function jvpAgrees(info: OperationInfo): void {
  forSamples(info, 30, (f, x) => assertJvpAgreesWithVjp(f, x, { tolerance: 3e-4 }))
}

function secondDerivativesEqualDifferences(info: OperationInfo): void {
  forSamples(info, 50, (f, x) =>
    assertSecondOrderIsCorrect(f, x, { tolerance: 3e-3, limit: 3, kinks: 'compare' }),
  )
}

function vjpIsLinear(info: OperationInfo): void {
  forSamples(info, 40, assertVjpIsLinear)
}

function noVjpGivesZeros(info: OperationInfo): void {
  const { vjp: rules, pull } = info.operation
  const property = fc.property(samples(info), ({ call, inputs, domains }) => {
    scope(() => {
      const all = fromSnapshot(inputs)
      const cotangent = randomLike(call(...all), 1)
      const { gradients } = vjp((x: readonly Tensor[]): readonly Tensor[] => [call(...x)], all, cotangent)
      for (const [i, gradient] of gradients.entries()) {
        expect(gradient.shape).toEqual(all[i]!.shape)
        // What is pulled back together has one rule for all, integers left out.
        const pulled = pull !== undefined && domains[i]!.integer !== true
        const ruled = pulled || (pull === undefined && (typeof rules === 'function' || rules[i] !== null))
        // An integer moves in steps: no operation has a rule for one.
        if (domains[i]!.integer === true) expect(ruled).toBe(false)
        if (!ruled) expect(gradient.toFloat32Array().every((value) => Object.is(value, 0))).toBe(true)
      }
    })
  })
  assertProperty(property, 20)
}

function errorsToTheLetter(info: OperationInfo): void {
  expect(info.errors.length).toBeGreaterThan(0)
  for (const { call, kind, message } of info.errors) {
    const before = memory()
    let error: unknown
    try {
      scope(call)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(kind === 'RangeError' ? RangeError : TypeError)
    expect((error as OperationError).message).toBe(message)
    expect((error as OperationError).operation).toBe(info.operation.name)
    expect(message.startsWith(`${info.operation.name}: `)).toBe(true)
    const after = memory()
    expect([after.tensors, after.bytes]).toEqual([before.tensors, before.bytes])
  }
}

function disposedInputsAreRefused(info: OperationInfo): void {
  const property = fc.property(samples(info), ({ call, inputs }) => {
    scope(() => {
      for (const i of inputs.keys()) {
        const all = fromSnapshot(inputs)
        const isUntouched = call(...all) === all[0]
        all[i]!.dispose()
        if (isUntouched) continue
        const words = `${info.operation.name}: a tensor of shape ${showShape(all[i]!.shape)} was used after it was disposed; keep it by returning it from the scope that made it`
        expect(() => call(...all)).toThrow(words)
      }
    })
  })
  assertProperty(property, 20)
}

function sameBitsAnywhere(info: OperationInfo): void {
  forSamples(info, 100, assertDeterministic, anywhere)
}

function compiledGivesTheSameBits(info: OperationInfo): void {
  forSamples(
    info,
    15,
    (f, x) => {
      const total = (y: readonly Tensor[]): Tensor => sum(f(y))
      const both = (y: readonly Tensor[]): Tree => [f(y), y.length === 0 ? null : grad(total)(y)]
      const donate = [...x.keys()]
      for (const options of [{}, { donate }, { donate, reuse: true }])
        assertCompiledEqualsEager(both, x, options)
    },
    anywhere,
  )
}

function rightWithoutKernel(info: OperationInfo): void {
  const check = (f: Call, x: readonly Tensor[]): void => {
    assertKernelMatchesReference(f, x, { ulps: 0 })
    assertGradientIsCorrect(f, x, { tolerance: 1e-4, limit: 2, kinks: 'compare' })
  }
  forSamples(info, 40, (f, x) => withoutKernel(info.operation.name, () => check(f, x)))
}

function nothingLeaks(info: OperationInfo): void {
  const check = (f: Call, x: readonly Tensor[], all: readonly Tensor[]): void => {
    // Here `f` has integers as inputs too: all must keep their bits.
    const isFree = new Set(x)
    assertLeavesNoTrace((y: readonly Tensor[]) => f(y.filter((_, i) => isFree.has(all[i]!))), all)
    const before = memory()
    const y = f(x)
    const made = x.includes(y) ? 0 : 1
    expect(memory().tensors - before.tensors).toBe(made)
    if (made === 1) y.dispose()
    expect(memory().bytes).toBe(before.bytes)
    expect(leaves(x).every((input) => input.offset >= 0)).toBe(true)
  }
  forSamples(info, 60, check, anywhere)
}
