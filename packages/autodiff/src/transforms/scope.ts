/// <reference lib="esnext.disposable" preserve="true" />
import { closeScope, isOpen, openScope, type Scope, scopeAround } from '../scopes.ts'
import { moveTo } from '../tensor.ts'
import { inScope, visitTensors } from '../tree.ts'
import { checkFunction, refuseAsynchronous } from './functions.ts'

/** A scope in the hands of a `using` declaration: frees what was made since, except what was kept. */
export interface OpenScope {
  /** Hands the tensors of a tree to the scope around, and returns the tree. */
  keep<T>(tree: T): T
  /** Frees the rest. Scopes are closed in the reverse order of opening. */
  [Symbol.dispose](): void
}

/**
 * What `f` returns; every other tensor that it made is freed. Synchronous, and nested calls free from the inside out.
 *
 * Tensors that existed before, and values that a gradient being computed still needs, are never freed. Without an
 * argument it returns a scope for `using`: `using s = t.scope()`, which frees at the end of the block what `s.keep` did not keep.
 *
 * @param f the tensors in what it returns are kept, in plain objects and arrays too
 * @throws TypeError when `f` is asynchronous; RangeError when scopes are closed out of order
 * @example
 * const before = t.memory().tensors
 * const y = t.scope(() => t.add(t.mul(2, 3), 1))
 * y.item() // => 7
 * t.memory().tensors - before // => 1
 */
export function scope(): OpenScope
export function scope<T>(f: () => T): T
export function scope<T>(f?: () => T): T | OpenScope {
  if (f === undefined) return opened(openScope())
  checkFunction('scope', f)
  return inScope(() => {
    const result = f()
    refuseAsynchronous('scope', result)
    return result
  })
}

function opened(inner: Scope): OpenScope {
  return {
    keep: (tree) => {
      visitTensors(tree, (x) => {
        if (x.owner === inner) moveTo(x, scopeAround(inner))
      })
      return tree
    },
    [Symbol.dispose]: () => {
      if (isOpen(inner)) closeScope(inner)
    },
  }
}
