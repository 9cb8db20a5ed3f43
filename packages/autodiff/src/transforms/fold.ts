import { inScope, leaves } from '../tree.ts'

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
  const callers = new Set(leaves(init))
  let carry = init
  let index = 0
  for (const item of items) {
    const old = leaves(carry)
    carry = inScope(() => body(carry, item, index++))
    const kept = new Set(leaves(carry))
    for (const x of old) if (!kept.has(x) && !callers.has(x)) x.dispose()
  }
  return carry
}
