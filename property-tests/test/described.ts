import * as t from '@tapeflow/autodiff'
import type { Draw } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { expect } from 'vitest'
import { draws } from '../src/arbitraries/draws.ts'
import {
  assertAdjointIsConsistent,
  assertCompiledEqualsEager,
  assertGradientIsCorrect,
  assertLeavesNoTrace,
} from '../src/index.ts'
import { assertProperty } from './runs.ts'

/** Reads an element of an input: by its index on each axis. */
export type Read = (input: number, ...index: number[]) => number

/** A call of a function, and what it means, element by element: from an independent description. */
export interface Described {
  readonly shapes: readonly t.Shape[]
  readonly call: (...x: t.Tensor[]) => readonly t.Tensor[]
  /** The shape of each output, and its element at an index. */
  readonly expected: readonly { readonly shape: t.Shape; at(read: Read, index: readonly number[]): number }[]
}

export const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1)
export const sumOf = (count: number, term: (k: number) => number): number =>
  Array.from({ length: count }, (_, k) => term(k)).reduce((sum, value) => sum + value, 0)
/** The index of the element at a place, in row-major order. */
export const indexAt = (shape: t.Shape, place: number): number[] =>
  shape.map((size, axis) => Math.floor(place / product(shape.slice(axis + 1))) % size)
export const placeOf = (shape: t.Shape, index: readonly number[]): number =>
  shape.reduce((place, size, axis) => place * size + index[axis]!, 0)
/** The same elements in the same order. */
export const inOrder = (from: t.Shape, shape: t.Shape): Described['expected'][number] => ({
  shape,
  at: (read, index) => read(0, ...indexAt(from, placeOf(shape, index))),
})

/** The axes in another order. */
export function permuted(
  shape: t.Shape,
  order: readonly number[],
  call: (x: t.Tensor) => t.Tensor,
): Described {
  const at = (read: Read, index: readonly number[]): number =>
    read(0, ...shape.map((_, axis) => index[order.indexOf(axis)]!))
  return {
    shapes: [shape],
    call: (x) => [call(x!)],
    expected: [{ shape: order.map((axis) => shape[axis]!), at }],
  }
}

/** The inputs differ everywhere, so that an element from another place shows. */
function inputsOf({ shapes }: Described): t.Tensor[] {
  return shapes.map((shape, i) => t.normal(t.key(11 + i), shape))
}

/** What is asserted of every function that is described. */
export const describedColumns: Readonly<Record<string, (sample: (draw: Draw) => Described) => void>> = {
  'gives, element by element, what it is described by': (sample) =>
    forSamples(sample, 150, (one, inputs) => {
      const outputs = one.call(...inputs)
      const values = inputs.map((x) => x.toFloat32Array())
      let terms = 0
      const read: Read = (input, ...index) => {
        terms++
        return values[input]![placeOf(one.shapes[input]!, index)]!
      }
      expect(outputs.map(({ shape }) => shape)).toEqual(one.expected.map(({ shape }) => shape))
      for (const [k, { shape, at }] of one.expected.entries()) {
        for (const [place, found] of outputs[k]!.toFloat32Array().entries()) {
          terms = 0
          const wanted = at(read, indexAt(shape, place))
          // What is left of many terms has the rounding errors of all.
          expect(Math.abs(found - wanted)).toBeLessThan(1e-5 * Math.max(1, Math.abs(wanted), terms / 1000))
        }
      }
    }),
  'has the gradient of that, eagerly and compiled, and leaves nothing': (sample) =>
    forSamples(sample, 25, (one, inputs) => {
      const f = (x: readonly t.Tensor[]): readonly t.Tensor[] => one.call(...x)
      assertGradientIsCorrect((x) => weighted(f(x)), inputs, { tolerance: 3e-4, limit: 4 })
      assertAdjointIsConsistent((x: readonly t.Tensor[]) => weighted(f(x)), inputs)
      assertCompiledEqualsEager(
        (x: readonly t.Tensor[]) => [f(x), t.grad((y: readonly t.Tensor[]) => weighted(f(y)))(x)],
        inputs,
      )
      assertLeavesNoTrace(f, inputs)
    }),
}

// One number of all outputs, each element with a weight of its own.
function weighted(outputs: readonly t.Tensor[]): t.Tensor {
  return outputs
    .map((y, k) => t.sum(t.mul(y, t.normal(t.key(91 + k), y.shape))))
    .reduce((total, one) => t.add(total, one))
}

function forSamples(
  sample: (draw: Draw) => Described,
  numRuns: number,
  check: (one: Described, inputs: readonly t.Tensor[]) => void,
): void {
  const property = fc.property(draws(sample), (one) => {
    t.scope(() => check(one, inputsOf(one)))
  })
  assertProperty(property, numRuns)
}
