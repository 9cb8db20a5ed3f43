import type { Tensor } from '../tensor.ts'
import { inScope, leaves, visitTensors } from '../tree.ts'

/**
 * The last carry of a loop: `carry = body(carry, item)` for each item, from `init` on. The eager training loop.
 *
 * Each turn runs in a scope of its own: what it made is freed but for the new carry, and so are the tensors of the old
 * carry that the new one lacks. The tensors of `init` stay: they are the caller's.
 *
 * @param init the first carry: a tree
 * @param items anything iterable
 * @param body returns the next carry
 * @example
 * const power = t.fold(t.tensor(1), [1, 2, 3], (carry) => t.mul(carry, 2))
 * power.item() // => 8
 */
export function fold<C, T>(init: C, items: Iterable<T>, body: (carry: C, item: T, index: number) => C): C {
  // Only what a turn made is the loop's to free: not the caller's tensors, nor values on a tape around.
  const made = new Set<Tensor>()
  let carry = init
  let index = 0
  for (const item of items) {
    const old = leaves(carry)
    carry = inScope((scope) => {
      const next = body(carry, item, index++)
      visitTensors(next, (x) => {
        if (x.owner === scope) made.add(x)
      })
      return next
    })
    const kept = new Set(leaves(carry))
    for (const x of old) if (!kept.has(x) && made.delete(x)) x.dispose()
  }
  return carry
}
