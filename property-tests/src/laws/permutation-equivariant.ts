import {
  failRange,
  foldIn,
  gather,
  key,
  leaves,
  mapTensors,
  paths,
  permutation,
  sameShape,
  scope,
  showShape,
  type Tensor,
  type Tree,
  tensor,
} from '@tapeflow/autodiff'
import { referenceValues, type Values } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'

/** What is permuted. */
export interface PermutationOptions {
  /** The axis of the inputs whose order is changed, and that of the outputs; 0 by default, from the end where negative. */
  readonly axis?: number
  /** Paths of inputs that stay as they are, such as parameters, with all that lies below them; none by default. */
  readonly fixed?: readonly string[]
  /** Whether outputs stay as they are, as a mean over the rows does, and are not permuted too; false by default. */
  readonly invariant?: boolean
}

/**
 * The law that order does not matter: permuting the rows of the inputs permutes the rows of the outputs, and nothing else; or,
 * where `invariant`, it changes nothing. A layer that looks at the number of a row, or mixes it with its neighbours, breaks it.
 *
 * It is about the function, not about rounding: both sides are evaluated in float64 by the operations' references, and differ
 * by at most 1e-6 of the largest number of the output.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options.axis which axis is permuted, 0 by default
 * @param options.fixed paths of inputs that stay as they are, none by default
 * @param options.invariant whether outputs stay as they are, false by default
 * @returns a property for `fc.assert`
 * @example
 * const rows = tensors({ shape: [5, 2] })
 * fc.assert(permutationEquivariant((x) => t.softmax(x), rows), { numRuns: 5 })
 * fc.assert(permutationEquivariant((x) => t.mean(x, { axis: 0 }), rows, { invariant: true }), { numRuns: 5 })
 * fc.check(permutationEquivariant((x) => t.cumSum(x, { axis: 0 }), rows)).failed // => true
 */
export function permutationEquivariant<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: PermutationOptions = {},
): Law<S> {
  const assertion = { name: 'assertPermutationEquivariant', f, options }
  return holds(arbitrary, (inputs) => assertPermutationEquivariant(f, inputs, options), assertion)
}

/**
 * Asserts at one point what `permutationEquivariant` states for all: for the reverse order, and for a random one.
 *
 * @throws RangeError that names the output, the place, the permutation, and both numbers; or the input or output that has not
 * as many rows as the others
 * @example
 * assertPermutationEquivariant(t.relu, t.tensor([1, -2, 3]))
 */
export function assertPermutationEquivariant<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: PermutationOptions = {},
): void {
  const { axis = 0, fixed = [], invariant = false } = options
  const names = paths(inputs)
  const moves = names.map((name) => !fixed.some((path) => `${name}.`.startsWith(`${path}.`)))
  let size: number | null = null
  for (const [i, { shape }] of leaves(inputs).entries()) {
    if (moves[i]!) size = rowsOf(`input '${names[i]}'`, shape, axis, size)
  }
  if (size === null || size === 0) return
  const rows = size
  scope(() => {
    const expected = referenceValues(f, inputs)
    for (const order of ordersOf(rows)) {
      let next = 0
      const shuffle = (x: Tensor): Tensor => gather(x, order, { axis })
      const permuted = mapTensors(inputs, (x) => (moves[next++]! ? shuffle(x) : x)) as P
      for (const [i, actual] of referenceValues(f, permuted).entries()) {
        const before = expected[i]!
        if (!invariant) rowsOf(`output ${i}`, before.shape, axis, rows)
        compare(i, actual, invariant ? before : reordered(before, axis, order), order)
      }
    }
  })
}

function rowsOf(what: string, shape: readonly number[], axis: number, size: number | null): number {
  const own = shape.at(axis)
  if (own !== undefined && (axis < 0 ? -axis : axis + 1) <= shape.length && (size ?? own) === own) return own
  return failRange(
    'permutationEquivariant',
    `${what} must have ${size === null ? '' : `${size} rows on `}axis ${axis}, got shape ${showShape(shape)}`,
    'name what has none in `fixed`; where outputs have none say `invariant`',
  )
}

function ordersOf(size: number): readonly Tensor[] {
  const reverse = Array.from({ length: size }, (_, i) => size - 1 - i)
  return [tensor(reverse), permutation(foldIn(key(0), size), size)]
}

// By numbering places, so that nothing is rounded.
function reordered({ shape, values }: Values, axis: number, order: Tensor): Values {
  const places = tensor(
    Float32Array.from({ length: values.length }, (_, i) => i),
    shape,
  )
  const from = gather(places, order, { axis }).toFloat32Array()
  return { shape, values: Float64Array.from(from, (place) => values[place]!) }
}

function compare(output: number, actual: Values, expected: Values, order: Tensor): void {
  const rows = `with rows in the order ${showShape([...order.toFloat32Array()])}`
  if (!sameShape(actual.shape, expected.shape)) {
    failRange(
      'permutationEquivariant',
      `output ${output} has shape ${showShape(expected.shape)}, ${rows} ${showShape(actual.shape)}`,
    )
  }
  let largest = 0
  for (let i = 0; i < expected.values.length; i++) {
    const size = Math.abs(expected.values[i]!)
    if (Number.isFinite(size)) largest = Math.max(largest, size)
  }
  for (let i = 0; i < expected.values.length; i++) {
    const [a, b] = [actual.values[i]!, expected.values[i]!]
    if (Object.is(a, b) || Math.abs(a - b) <= 1e-6 * largest) continue
    failRange(
      'permutationEquivariant',
      `place ${i} of output ${output}, ${rows}, is ${a}, and should be ${b}`,
      'results must not depend on which row is which',
    )
  }
}
