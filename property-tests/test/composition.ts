import { fromSnapshot, leaves, scope, type Tensor, vjp } from '@tapeflow/autodiff'
import type { OperationInfo } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { expect } from 'vitest'
import { randomLike, samples } from '../src/index.ts'
import { assertKernelKeepsToItsMemory } from './kernel-memory.ts'
import { assertProperty } from './runs.ts'

type F = (x: readonly Tensor[]) => Tensor
type Derivative = (f: F, x: readonly Tensor[]) => readonly Tensor[]

const value: Derivative = (f, x) => [f(x)]

const pulled: Derivative = (f, x) =>
  vjp((at: readonly Tensor[]) => f(at), x, randomLike(f(x), 1)[0]!).gradients

// The gradient of (gradient · fixed numbers), in the inputs and in the cotangent.
const pulledTwice: Derivative = (f, x) => {
  const cotangent = randomLike(f(x), 1)[0]!
  const pullBack = (all: { x: readonly Tensor[]; cotangent: Tensor }): readonly Tensor[] =>
    vjp((at: readonly Tensor[]) => f(at), all.x, all.cotangent).gradients
  const from = { x, cotangent }
  return leaves(vjp(pullBack, from, randomLike(pullBack(from), 2)).gradients)
}

/**
 * The law that a fused operation is its composition: in value, first and second derivatives, within rounding errors of the
 * largest of them. And the kernel of its backward pass keeps to its memory.
 */
export function fusedEqualsItsComposition(info: OperationInfo): void {
  const backward =
    'backward' in info.operation ? (info.operation.backward as OperationInfo['operation']) : null
  let compared = 0
  const property = fc.property(samples(info), ({ call, composition, inputs, domains }) => {
    if (composition === undefined) return
    scope(() => {
      const all = fromSnapshot(inputs)
      const isFree = (i: number): boolean => domains[i]!.integer !== true
      const among =
        (f: (...x: Tensor[]) => Tensor): F =>
        (x) => {
          let next = 0
          return f(...all.map((fixed, i) => (isFree(i) ? x[next++]! : fixed)))
        }
      const x = all.filter((_, i) => isFree(i))
      const [fused, composed] = [among(call), among(composition)]
      for (const derivative of [value, pulled, pulledTwice]) {
        const [ours, theirs] = [derivative(fused, x), derivative(composed, x)]
        expect(ours.map(({ shape }) => shape)).toEqual(theirs.map(({ shape }) => shape))
        for (const [k, one] of ours.entries()) {
          const [left, right] = [one.toFloat32Array(), theirs[k]!.toFloat32Array()]
          const most = right.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1)
          for (const [i, ours] of left.entries()) expect(Math.abs(ours - right[i]!)).toBeLessThan(2e-5 * most)
        }
      }
      if (backward !== null && fused(x).size > 0 && compared % 4 === 0 && x.some(({ size }) => size > 0))
        assertKernelKeepsToItsMemory(backward, () => pulled(fused, x))
      compared++
    })
  })
  assertProperty(property, 60)
}
