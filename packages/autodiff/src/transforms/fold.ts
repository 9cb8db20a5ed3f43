import type { Tensor } from '../tensor.ts'
import { inScope, leaves } from '../tree.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

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
  checkFunction('fold', body)
  // Only what a turn made is the loop's to free: not the caller's tensors, nor values on a tape around.
  const made = new Set<Tensor>()
  let carry = init
  let old: Iterable<Tensor> = leaves(init)
  let index = 0
  let done = false
  try {
    for (const item of items) {
      const [next, kept] = inScope((scope) => {
        const returned = body(carry, item, index++)
        refuseAsynchronous('fold', returned)
        const found = new Set(leaves(returned))
        for (const x of found) if (x.owner === scope) made.add(x)
        return [returned, found] as const
      })
      carry = next
      for (const x of old) if (!kept.has(x) && made.delete(x)) x.dispose()
      old = kept
    }
    done = true
    return carry
  } finally {
    if (!done) for (const x of made) x.dispose()
  }
}
