import {
  type CompileOptions,
  compile,
  DisposedError,
  failRange,
  failType,
  foldIn,
  Key,
  kindOf,
  leaves,
  mapTensors,
  mapTree,
  memory,
  paths,
  scope,
  showShape,
  Tensor,
  type Tree,
  tensor,
} from '@tapeflow/autodiff'
import { poisonFreed } from '@tapeflow/autodiff/testing'
import type fc from 'fast-check'
import { holds, type Inputs, type Law } from '../law.ts'

/** What makes a program of a function: `compile`, or it with other options, or what is to be tested in its place. */
export type Compiler = (
  f: (...args: readonly unknown[]) => Tree,
  options: CompileOptions,
) => ((...args: readonly unknown[]) => unknown) & { dispose(): void }

/** How compiled functions are compared with eager ones. */
export interface CompiledOptions extends CompileOptions {
  /** `compile` by default. */
  readonly compiler?: Compiler
}

/**
 * The law that a compiled function computes what the function does, bit for bit: at the first call, which records, at the
 * second, on inputs elsewhere in the heap, and on other numbers of the same shapes. NaN equals NaN; zeros differ by sign.
 *
 * Results last when inputs are freed and calls follow, inputs keep their bits, and nothing is left in the heap once results
 * and program are disposed of. Freed memory is full of NaN meanwhile. Where the inputs are an array, `f` is compiled as a
 * function of as many arguments, and some of them may be donated: they are done with then, and using them throws.
 *
 * @param f a function of one tree, made of operations
 * @param arbitrary makes the tree, its tensors as plain data
 * @param options.donate which elements of an array of inputs are donated; none by default
 * @param options.reuse whether results are written over by the next call; false by default
 * @param options.compiler what compiles; `compile` by default
 * @returns a property for `fc.assert`
 * @example
 * const pair = fc.tuple(tensors({ shape: [3] }), tensors({ shape: [3] }))
 * fc.assert(compiledEqualsEager(([w, g]) => t.sub(w, t.mul(g, 0.1)), pair, { donate: [0] }), { numRuns: 5 })
 *
 * let calls = 0
 * fc.check(compiledEqualsEager((x) => t.add(x, calls++), tensors({ shape: [1] }))).failed // => true
 */
export function compiledEqualsEager<S>(
  f: (inputs: Inputs<S>) => Tree,
  arbitrary: fc.Arbitrary<S>,
  options: CompiledOptions = {},
): Law<S> {
  return holds(arbitrary, (inputs) => assertCompiledEqualsEager(f, inputs, options), {
    name: 'assertCompiledEqualsEager',
    f,
    options,
  })
}

/**
 * Asserts at one point, and on other numbers, what `compiledEqualsEager` states for all. Freed memory is not poisoned
 * after it.
 *
 * @param options.others inputs of the same structure and shapes; by default those of `inputs`, back to front, those that are
 * not whole times 3/4, and other keys
 * @throws RangeError that names the call, the place, and both numbers, or what changed in the heap
 * @example
 * assertCompiledEqualsEager(t.softmax, t.tensor([0, 1]))
 */
export function assertCompiledEqualsEager<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CompiledOptions & { readonly others?: P } = {},
): void {
  const { compiler = compile, others: given, ...how } = options
  const { donate = [], reuse = false } = how
  if (donate.length > 0 && !Array.isArray(inputs)) {
    failType('compiledEqualsEager', `donate names elements of an array of inputs, got ${kindOf(inputs)}`)
  }
  poisonFreed(true)
  try {
    scope(() => {
      const others = given ?? changed(inputs)
      const [expected, expectedOfOthers] = [inputs, others].map((tree) => scope(() => contentsOf(f(tree))))
      const before = memory()
      const calls: readonly Call[] = [
        { when: 'at the first call', args: copies(inputs), expected: expected! },
        { when: 'at the second call', args: copies(inputs), expected: expected! },
        { when: 'on other numbers', args: copies(others), expected: expectedOfOthers! },
      ]
      const compiled = compiler((...args) => f((Array.isArray(inputs) ? args : args[0]) as P), how)
      try {
        const results = calls.map((call) => {
          const result = perform(compiled, call, donate)
          compare(call, result)
          return result
        })
        for (const [i, call] of calls.entries()) {
          if (!reuse) compare(call, results[i], ', after other calls,')
        }
        for (const x of leaves([results])) x.dispose()
      } finally {
        compiled.dispose()
      }
      const { tensors, bytes } = memory()
      if (tensors === before.tensors && bytes === before.bytes) return
      failRange(
        'compiledEqualsEager',
        `${tensors - before.tensors} tensors and ${bytes - before.bytes} bytes are left in the heap`,
        'a program gives back all that it takes',
      )
    })
  } finally {
    poisonFreed(false)
  }
}

interface Call {
  readonly when: string
  readonly args: readonly unknown[]
  readonly expected: Contents
}

/** What a tree holds: its structure with shapes, keys and numbers, and the numbers of its tensors. */
interface Contents {
  readonly structure: string
  readonly paths: readonly string[]
  readonly values: readonly Float32Array[]
}

function contentsOf(tree: unknown): Contents {
  const structure = mapTree(tree, (leaf) =>
    leaf instanceof Tensor ? `tensor ${showShape(leaf.shape)}` : Object.is(leaf, -0) ? '-0' : String(leaf),
  )
  return {
    structure: JSON.stringify(structure),
    paths: paths(tree),
    values: leaves(tree).map((x) => x.toFloat32Array()),
  }
}

/** The arguments of a call: the elements of an array, or the inputs themselves, at other addresses. */
function copies(inputs: unknown): readonly unknown[] {
  const args: readonly unknown[] = Array.isArray(inputs) ? inputs : [inputs]
  return args.map((arg) => mapTensors(arg, (x) => tensor(x.toFloat32Array(), x.shape)))
}

function changed<P>(inputs: P): P {
  const next = (x: number): number => (Number.isInteger(x) ? x : x * 0.75)
  return mapTree(inputs, (leaf) => {
    if (leaf instanceof Tensor) return tensor(leaf.toFloat32Array().reverse().map(next), leaf.shape)
    if (leaf instanceof Key) return foldIn(leaf, 1)
    return leaf === null ? null : next(leaf)
  }) as P
}

/** The result of a call. Its arguments are freed: what comes out has to last without. */
function perform(
  compiled: (...args: readonly unknown[]) => unknown,
  { when, args }: Call,
  donate: readonly number[],
): unknown {
  const before = args.map(contentsOf)
  const result = compiled(...args)
  const returned = new Set(leaves(result))
  for (const [i, arg] of args.entries()) {
    if (!donate.includes(i)) {
      const found = difference(before[i]!, contentsOf(arg))
      if (found === null) continue
      const what = `${found.place} of argument ${i} was ${found.expected}`
      failRange('compiledEqualsEager', `place ${what}, compiled ${when} leaves ${found.actual} there`)
    } else if (leaves(arg).some((x) => !returned.has(x) && !isGone(x))) {
      failRange('compiledEqualsEager', `argument ${i} was donated ${when}, and can still be used`)
    }
  }
  for (const x of leaves(args)) if (!returned.has(x)) x.dispose()
  return result
}

function isGone(x: Tensor): boolean {
  try {
    x.toFloat32Array()
    return false
  } catch (error) {
    if (error instanceof DisposedError) return true
    throw error
  }
}

function compare({ when, expected }: Call, result: unknown, later = ''): void {
  const actual = contentsOf(result)
  if (actual.structure !== expected.structure) {
    failRange(
      'compiledEqualsEager',
      `the function returns ${expected.structure}, compiled ${when}${later} ${actual.structure}`,
    )
  }
  const found = difference(expected, actual)
  if (found === null) return
  failRange(
    'compiledEqualsEager',
    `place ${found.place} of output '${found.path}' is ${found.expected}, compiled ${when}${later} it is ${found.actual}`,
    'results depend on inputs and keys alone',
  )
}

/** The first place where two trees of one structure do not hold the same bits; NaN equals NaN. */
function difference(
  expected: Contents,
  actual: Contents,
): { path: string; place: number; expected: string; actual: string } | null {
  for (const [i, values] of expected.values.entries()) {
    const others = actual.values[i]!
    const place = values.findIndex((x, j) => !Object.is(x, others[j]))
    if (place < 0) continue
    return {
      path: expected.paths[i]!,
      place,
      expected: showNumber(values[place]!),
      actual: showNumber(others[place]!),
    }
  }
  return null
}

const showNumber = (x: number): string => (Object.is(x, -0) ? '-0' : String(x))
