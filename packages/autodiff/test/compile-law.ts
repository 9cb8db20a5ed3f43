import { expect } from 'vitest'
import * as t from '../src/index.ts'

/** A function of trees, whatever they are: rows of tables. */
export type Program = (...args: never[]) => unknown

/** A compiled function that takes anything: what types would refuse. */
export interface Untyped extends Omit<t.Compiled<never[], unknown>, 'plan'> {
  (...args: readonly unknown[]): unknown
  plan(...args: readonly unknown[]): t.ProgramPlan
}

/** Compiles a function for arguments of any type. */
export function untyped(f: Program, options: t.CompileOptions = {}): Untyped {
  return t.compile(f, options) as unknown as Untyped
}

/** A tree with the bits of its tensors, every NaN alike, and the words of its keys: equal where two trees are the same. */
export function bitsOf(tree: unknown): unknown {
  if (tree instanceof t.Tensor) {
    const values = tree.toFloat32Array()
    const bits = new Uint32Array(values.buffer)
    return {
      shape: [...tree.shape],
      bits: Array.from(bits, (one, i) => (Number.isNaN(values[i]) ? 'NaN' : one)),
    }
  }
  if (tree instanceof t.Key) return String(tree)
  if (Array.isArray(tree)) return tree.map(bitsOf)
  if (typeof tree !== 'object' || tree === null) return tree
  return Object.fromEntries(Object.entries(tree).map(([key, one]) => [key, bitsOf(one)]))
}

/** What `f` gives for arguments that are made for it, without compile: bits, and nothing is left in the heap. */
export function eagerly(f: Program, args: () => readonly unknown[]): unknown {
  let bits: unknown
  t.scope(() => {
    bits = bitsOf(f(...(args() as never[])))
  })
  return bits
}

/** Tensors and bytes that `body` leaves behind. */
export function leftBy(body: () => unknown): { tensors: number; bytes: number } {
  const before = t.memory()
  body()
  const after = t.memory()
  return { tensors: after.tensors - before.tensors, bytes: after.bytes - before.bytes }
}

/** What is left where everything is given back. */
export const nothing = { tensors: 0, bytes: 0 }

/** The law: compiled, `f` gives the bits of `f`, at the first call and at later ones, and gives back all it took. */
export function expectEager(
  f: Program,
  args: () => readonly unknown[],
  options: t.CompileOptions = {},
  label = '',
): void {
  const expected = eagerly(f, args)
  const left = leftBy(() => {
    const compiled = untyped(f, options)
    for (const call of ['first', 'second', 'third']) {
      t.scope(() => {
        expect(bitsOf(compiled(...args())), `${label}, ${call} call`).toEqual(expected)
      })
    }
    compiled.dispose()
  })
  expect(left, `${label}: left in the heap`).toEqual(nothing)
}

/** How often a function's body has run. */
export function counted<A extends readonly unknown[], R>(
  f: (...args: A) => R,
): { readonly f: (...args: A) => R; readonly runs: () => number } {
  let runs = 0
  const counting = (...args: A): R => {
    runs++
    return f(...args)
  }
  return { f: counting, runs: () => runs }
}

/** The kind and the words of the error that `body` throws; an empty text where it throws none. */
export function refusal(body: () => unknown): string {
  try {
    body()
  } catch (error) {
    return String(error)
  }
  return ''
}
