import { failRange, leaves, mapTensors, ones, type Tensor, type Tree, tensor, vjp } from '@tapeflow/autodiff'
import { poisonFreed } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'

/**
 * The law that the same inputs give the same bits: of values and of gradients, again, at other addresses of the heap, and
 * in memory full of NaN. A kernel that reads what it did not write, or beyond the end, breaks it.
 *
 * @param f a function of one tree, made of operations; give it a fixed key if it draws random numbers
 * @param arbitrary makes the tree, its tensors as plain data
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(deterministic((x) => t.normal(t.key(1), x.shape), tensors()), { numRuns: 5 })
 *
 * let calls = 0
 * fc.check(deterministic((x) => t.add(x, calls++), tensors({ shape: [1] }))).failed // => true
 */
export function deterministic<S>(f: (inputs: Inputs<S>) => Tree, arbitrary: fc.Arbitrary<S>): Law<S> {
  return holds(arbitrary, (inputs) => assertDeterministic(f, inputs), { name: 'assertDeterministic', f })
}

/**
 * Asserts at one point what `deterministic` states for all. Freed memory is not poisoned after it.
 *
 * @throws RangeError that names the run, the place, and both numbers
 * @example
 * assertDeterministic(t.square, t.tensor([0, 1]))
 */
export function assertDeterministic<P>(f: (inputs: P) => Tree, inputs: P): void {
  const first = run(f, inputs)
  compare(first, run(f, inputs), 'again')
  poisonFreed(true)
  try {
    // The run before leaves blocks full of NaN, and the padding shifts what this one takes from them.
    run(f, inputs)
    const padding = [1, 17, 100].map((size) => ones([size]))
    const elsewhere = mapTensors(inputs, (x) => tensor(x.toFloat32Array(), x.shape)) as P
    for (const x of padding) x.dispose()
    compare(first, run(f, elsewhere), 'at other addresses, in poisoned memory,')
  } finally {
    poisonFreed(false)
  }
}

function run<P>(f: (inputs: P) => Tree, inputs: P): Float32Array[] {
  const cotangent = randomLike(f(inputs), 1)
  const { value, gradients } = vjp((p: P): readonly Tensor[] => leaves(f(p)), inputs, cotangent)
  const made = [...value, ...leaves(gradients), ...cotangent]
  const numbers = made.map((x) => x.toFloat32Array())
  const given = new Set(leaves(inputs))
  for (const x of made) if (!given.has(x)) x.dispose()
  return numbers
}

function compare(first: readonly Float32Array[], then: readonly Float32Array[], when: string): void {
  for (const [i, values] of first.entries()) {
    const place = values.findIndex((x, j) => !Object.is(x, then[i]![j]))
    if (place < 0) continue
    failRange(
      'deterministic',
      `place ${place} of result ${i} is ${values[place]}, ${when} it is ${then[i]![place]}`,
      'results depend on inputs and keys alone',
    )
  }
}
