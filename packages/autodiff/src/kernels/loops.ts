import { isShared, wasmMemory } from '../memory.ts'
import type { Numerics } from '../numerics.ts'
import { compileLoop, type Expression, type Loop, type Results } from './emit.ts'

// A cache of compiled kernels: programs that are recorded again, and others with the same lines, find theirs here.
// Only the ones used last: what a program runs it holds itself.
const loops = new Map<string, Loop>()
const loopsAtMost = 1024
const numbers = new WeakMap<object, number>()
let count = 0

/** The number of an operation: the same at each call, and no other operation's. */
export function numberOf(operation: object): number {
  let number = numbers.get(operation)
  if (number === undefined) {
    number = count++
    numbers.set(operation, number)
  }
  return number
}

/**
 * The loop of an expression on the heap, compiled at first use.
 *
 * @param text what tells the expression from all others
 * @param numerics the numeric mode, where it is not strict
 */
export function loopOf(
  text: string,
  expression: Expression<Results>,
  pattern: string,
  numerics: Numerics | null = null,
): Loop {
  const key = `${text}|${pattern}${numerics?.contracts === true ? '|contracted' : ''}`
  let loop = loops.get(key)
  if (loop === undefined) {
    loop = compileLoop(expression, pattern, wasmMemory(), isShared(), numerics)
    for (const oldest of loops.keys()) {
      if (loops.size < loopsAtMost) break
      loops.delete(oldest)
    }
  } else loops.delete(key)
  loops.set(key, loop)
  return loop
}
