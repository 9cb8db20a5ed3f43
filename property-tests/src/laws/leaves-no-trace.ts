import { failRange, leaves, memory, ones, scope, type Tensor, type Tree, vjp } from '@tapeflow/autodiff'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'
import { randomLike } from '../random-like.ts'

/**
 * The law that a function leaves nothing behind but its result: inputs and bystanders in the heap keep their bits, and
 * once result and gradients are freed, as many tensors and bytes are live as before.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @returns a property for `fc.assert`
 * @example
 * fc.assert(leavesNoTrace((x) => t.exp(t.mul(x, x)), tensors()), { numRuns: 10 })
 */
export function leavesNoTrace<S>(f: (inputs: Inputs<S>) => Tree, arbitrary: fc.Arbitrary<S>): Law<S> {
  return holds(arbitrary, (inputs) => assertLeavesNoTrace(f, inputs), { name: 'assertLeavesNoTrace', f })
}

/**
 * Asserts at one point what `leavesNoTrace` states for all.
 *
 * @throws RangeError that names what changed
 * @example
 * assertLeavesNoTrace(t.square, t.tensor([0, 1]))
 */
export function assertLeavesNoTrace<P>(f: (inputs: P) => Tree, inputs: P): void {
  const watched = [...leaves(inputs), ...[1, 16, 40].map((size) => ones([size]))]
  const bits = watched.map((x) => x.toFloat32Array())
  const before = memory()
  scope(() => {
    const value = f(inputs)
    vjp((p: P): readonly Tensor[] => leaves(f(p)), inputs, randomLike(value, 1))
  })
  const after = memory()
  if (after.tensors !== before.tensors || after.bytes !== before.bytes) {
    failRange(
      'leavesNoTrace',
      `${after.tensors - before.tensors} tensors and ${after.bytes - before.bytes} bytes are left behind`,
      'release scratch memory in the kernel that took it',
    )
  }
  for (const [i, x] of watched.entries()) {
    const then = x.toFloat32Array()
    const place = then.findIndex((value, j) => !Object.is(value, bits[i]![j]))
    if (place < 0) continue
    const what = i < leaves(inputs).length ? `input ${i}` : 'a tensor that was not passed'
    failRange(
      'leavesNoTrace',
      `place ${place} of ${what} was ${bits[i]![place]} and is ${then[place]}`,
      'kernels write their output alone',
    )
  }
}
