import { expect } from 'vitest'
import * as t from '../src/index.ts'

/** What `scan` goes over and comes to, with a loop in its place. */
export interface Ways {
  readonly scan: typeof t.scan
  readonly checkpoint: typeof t.checkpoint
  readonly compile: <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R
}

/** As they are. */
export const recorded: Ways = {
  scan: t.scan,
  checkpoint: t.checkpoint,
  // What is compiled inside of a body runs there, and has nothing to dispose of.
  compile: (f) => t.compile(f),
}

/** `scan` written out: the reference. What is stacked is stacked at the end, leaf by leaf. */
export const loop: typeof t.scan = (body, carry, xs, options) => {
  const length = options?.length ?? t.leaves(xs)[0]!.shape[0]!
  const rowAt = (i: number): unknown =>
    t.mapTree(xs, (x) => {
      if (x instanceof t.Key) return t.foldIn(x, i)
      return t.isTensor(x) ? t.reshape(t.slice(x, i, i + 1), x.shape.slice(1)) : x
    })
  const rows = Array.from({ length }, (_, i) => i)
  let last = carry
  let structure: unknown
  const stacked: t.Tensor[][] = rows.map(() => [])
  for (const i of options?.reverse === true ? rows.toReversed() : rows) {
    const { carry: next, y } = body(last, rowAt(i) as typeof xs)
    last = next
    structure = y
    stacked[i] = t.leaves(y)
  }
  if (length === 0) structure = emptyOf(body, carry, xs)
  let leaf = 0
  const ys = t.mapTensors(structure, (empty) => {
    const place = leaf++
    if (length === 0) return empty
    return t.concat(stacked.map((row) => t.reshape(row[place]!, [1, ...row[place]!.shape])))
  })
  return { carry: last, ys: ys as ReturnType<typeof body>['y'] }
}

/** What no step at all stacks: its shapes are found by a step on zeros. */
function emptyOf<C, X, Y>(body: (carry: C, x: X) => { readonly y: Y }, carry: C, xs: X): unknown {
  return t.scope(() => {
    const one = t.mapTree(xs, (x) => (t.isTensor(x) ? t.zeros(x.shape.slice(1)) : x))
    return t.mapTensors(body(carry, one as X).y, (y) => t.zeros([0, ...y.shape]))
  })
}

/** All three written out. */
export const writtenOut: Ways = { scan: loop, checkpoint: (f) => f, compile: (f) => f }

/** The bits of each tensor of a tree by path; any NaN is one, and, where one likes, zeros are. */
export function bits(tree: unknown, zerosAreOne: (path: string) => boolean = () => false): object {
  const found: Record<string, unknown> = {}
  t.visitLeaves(tree, (leaf, path) => {
    if (!t.isTensor(leaf)) return
    const numbers = Array.from(leaf.toFloat32Array(), (x) => (zerosAreOne(path) ? x + 0 : x))
    found[path] = { shape: leaf.shape, numbers }
  })
  return found
}

/** Asserts that the trees agree within rounding: what was added in another order. */
export function expectClose(found: unknown, expected: unknown, tolerance = 1e-4): void {
  const [a, b] = [found, expected].map((tree) => t.leaves(tree).map((x) => x.toFloat32Array()))
  expect(t.paths(found)).toEqual(t.paths(expected))
  for (const [i, values] of b!.entries()) {
    const scale = values.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
    for (const [j, x] of values.entries()) {
      if (!Number.isFinite(x)) continue
      expect(Math.abs(a![i]![j]! - x), `${t.paths(expected)[i]} ${j}`).toBeLessThanOrEqual(tolerance * scale)
    }
  }
}

/** Tensors and bytes that `body` leaves behind. */
export function leftBy(body: () => unknown): { tensors: number; bytes: number } {
  const before = t.memory()
  body()
  const after = t.memory()
  return { tensors: after.tensors - before.tensors, bytes: after.bytes - before.bytes }
}

export const nothing: { tensors: number; bytes: number } = { tensors: 0, bytes: 0 }

/** The error of a call, in parts. */
export function errorOf(call: () => unknown): { name: string; message: string; operation: unknown } {
  try {
    call()
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const { name, message } = error
    return { name, message, operation: 'operation' in error ? error.operation : undefined }
  }
  throw new Error('nothing was refused')
}
