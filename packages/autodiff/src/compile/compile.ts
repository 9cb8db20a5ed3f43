import { failRange, failType, kindOf } from '../fail.ts'
import { Key } from '../key.ts'
import { release } from '../memory.ts'
import { checkNumerics, type Numerics } from '../numerics.ts'
import { checkFlag, checkOptions } from '../options.ts'
import { currentScope, currentWatcher } from '../scopes.ts'
import type { Shape } from '../shape.ts'
import { knownUnder } from '../tape.ts'
import { Tensor, tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { checkFunction } from '../transforms/functions.ts'
import { inScope, isPlain } from '../tree.ts'
import { describePlan, type ProgramPlan } from './describe.ts'
import { fingerprint } from './fingerprint.ts'
import { Program } from './program.ts'
import { type Recording, record } from './record.ts'
import {
  checkDepth,
  type Data,
  type Leaf,
  matches,
  rebuild,
  type Signature,
  signatureOf,
} from './signature.ts'

/** How `compile` runs a function. */
export interface CompileOptions {
  /**
   * Which arguments the function may use up, by position: results are written over their tensors where they lie. What was
   * donated is done with: using it throws. None by default.
   */
  readonly donate?: readonly number[]
  /**
   * Whether every call returns the same tensors, which the next call writes over: those of donated arguments in place of
   * results of their shape and path (`w` in the argument, `w` or `carry.w` in what is returned; arguments that are tensors in
   * order, where there are no more results of their shape), and the program's own. Nothing is allocated then, and nothing need
   * be disposed of but the compiled function itself. Off by default.
   */
  readonly reuse?: boolean
  /**
   * Whether chains of elementwise operations are run as one loop each: less memory is read and written, and no bit of a result
   * changes. On by default; off, the plan has a line for each operation.
   */
  readonly fuse?: boolean
  /**
   * The numeric mode that programs run in: `relaxed()` of `@tapeflow/autodiff/relaxed`. Left out it is strict, which gives the
   * bits that `f` itself gives.
   */
  readonly numerics?: Numerics
}

/** Arguments with `{ shape, values }` in place of tensors where one likes: numbers that are copied in at the call. */
export type Fed<A> = A extends Tensor
  ? A | { readonly shape: Shape; readonly values: Float32Array }
  : A extends Key | number | string | boolean | null | undefined
    ? A
    : { [K in keyof A]: Fed<A[K]> }

/** A program, as it is known again. */
export interface RecordedProgram {
  /** The shape of each tensor that goes in, by argument and path: `1.x`. */
  readonly inputs: Readonly<Record<string, Shape>>
  /** What its results are made of, operations, attributes, shapes and constants: 64 bits in hexadecimal digits. */
  readonly fingerprint: string
}

/** A function that runs as a planned program. */
export interface Compiled<A extends readonly unknown[], R> {
  /** The same with plain numbers, `{ shape, values }`, in place of some tensors. */
  (...args: Fed<A>): R
  (...args: A): R
  /** The program for such arguments, as text to read: what was recorded, and what became of it. Computes nothing. */
  plan(...args: Fed<A>): ProgramPlan
  /**
   * The programs there are, one for each signature that the function was called with, with what tells them from all others: the
   * same in every process, whatever the values of the inputs are.
   *
   * @param isWanted which results count, by their path in what the function returns; all by default
   */
  programs(isWanted?: (path: string) => boolean): readonly RecordedProgram[]
  /**
   * From now on only the results at paths for which `isWanted` is true are returned; null stands in place of others, and
   * what only they need is not computed. Programs are planned anew, not recorded anew; no bit of a result changes.
   *
   * @param isWanted is given paths in what the function returns, such as `gradients.layers.0.weight`
   */
  select(isWanted: (path: string) => boolean): void
  /** Forgets all programs and gives back what they hold in the heap. Calls afterwards record again. */
  dispose(): void
}

// Programs that are no longer used would otherwise pile up where every call has another shape.
const programsAtMost = 256

const abandoned =
  typeof FinalizationRegistry === 'function'
    ? new FinalizationRegistry<Program[]>((programs) => {
        for (const program of programs) program.dispose()
      })
    : undefined

/**
 * The function `f` as a program: recorded once for each signature of its arguments (structure, shapes, booleans and strings),
 * planned into memory of fixed places, and replayed. Results agree with those of `f` bit for bit, unless another numeric mode is
 * asked for.
 *
 * Tensors, keys and numbers in the arguments are inputs: other values never record again. A number is a scalar tensor to
 * `f` while it is recorded, so `t.mul(x, rate)` and not `rate * 2`; a number that decides about shapes or branches comes from a
 * closure, or as a string. What `f` uses beside its arguments is fixed when it is recorded. A value cannot be read
 * while recording, and `if (tensor)` is always true: see docs/compile.md for the lint rule that finds it.
 *
 * Called on traced values, such as inside of `grad`, `f` simply runs as part of what is being recorded, in the numeric mode
 * of that.
 *
 * @param f a pure, synchronous function of trees
 * @param options.donate positions of arguments that may be used up: their tensors become the results' memory
 * @param options.reuse whether results are written over by the next call; false by default
 * @param options.fuse whether chains of elementwise operations become one loop each; true by default
 * @param options.numerics another numeric mode than strict
 * @throws RecordingError where `f` reads a value; TypeError for arguments that are no trees; RangeError for a bad option
 * @example
 * const step = t.compile((w: t.Tensor, x: t.Tensor, rate: number) => t.sub(w, t.mul(x, rate)))
 * step(t.tensor([3, 4]), t.tensor([1, 2]), 0.5).toArray() // => [2.5, 3]
 * step(t.tensor([3, 4]), t.tensor([1, 2]), 1).toArray() // => [2, 2]
 * t.compile((x: t.Tensor) => x.item())(t.tensor(1)) // throws RecordingError: item: an argument, of shape [], cannot be read while its function is recorded: there is only its shape; return it, and read the result
 */
export function compile<A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: CompileOptions = {},
): Compiled<A, R> {
  checkFunction('compile', f)
  checkOptions('compile', options, ['donate', 'reuse', 'fuse', 'numerics'])
  const donate = checkDonate(options.donate)
  const reuse = checkFlag('compile', 'reuse', options.reuse)
  const fuse = checkFlag('compile', 'fuse', options.fuse ?? true)
  const numerics = checkNumerics('compile', options.numerics)
  const programs: Program[] = []
  let isWanted = (_path: string): boolean => true

  const programOf = (
    recording: Recording,
    signatures: readonly Signature[],
    leaves: readonly Leaf[],
  ): Program => {
    let program: Program | undefined
    try {
      program = new Program(signatures, leaves, recording, { donate, reuse, fuse, numerics }, isWanted)
      return program
    } finally {
      // What `select` was given may throw.
      if (program === undefined) for (const storage of recording.constants) release(storage)
    }
  }
  const programFor = (args: readonly unknown[]): Program | null => {
    for (let i = programs.length - 1; i >= 0; i--) {
      const program = programs[i]!
      if (!matches(program.signatures, args, program.found)) {
        // What it has found so far would otherwise be kept from the garbage collector.
        program.found.fill(undefined)
        continue
      }
      // The one that was used last is looked at first.
      if (i < programs.length - 1) programs.push(...programs.splice(i, 1))
      return program
    }
    const { signatures, leaves } = signatureOf(args)
    const unknown = donate.find((argument) => argument >= args.length)
    if (unknown !== undefined) {
      failRange('compile', `argument ${unknown} is to be donated, got ${args.length} arguments`)
    }
    const recording = record('compile', f, signatures, leaves)
    if (recording === null) return null
    const program = programOf(recording, signatures, leaves)
    matches(signatures, args, program.found)
    if (programs.push(program) > programsAtMost) programs.shift()!.dispose()
    return program
  }
  // On a tape the function is part of what is recorded there, and nothing is donated.
  const inline = (args: readonly unknown[]): unknown => inScope(() => f(...(args.map(fed) as never)))

  const compiled = (...args: readonly unknown[]): unknown => {
    // A tape that is open is open in a scope, and so is a watcher, which is to see every operation.
    if (currentScope() !== null && (currentWatcher() !== null || isTraced(args))) return inline(args)
    const program = programFor(args)
    return program === null ? inline(args) : program.run()
  }
  const made = Object.assign(compiled, {
    plan: (...args: readonly unknown[]) => {
      const program = programFor(args)
      program?.found.fill(undefined)
      return describePlan(program)
    },
    programs: (wanted: (path: string) => boolean = () => true) =>
      programs.map((program) => recordedProgram(program, wanted)),
    select: (wanted: (path: string) => boolean) => {
      checkFunction('select', wanted)
      isWanted = wanted
      for (const program of programs) program.select(wanted)
    },
    dispose: () => {
      for (const program of programs.splice(0)) program.dispose()
    },
  })
  abandoned?.register(made, programs)
  // What goes in and comes out is what `f` takes and returns.
  return made as unknown as Compiled<A, R>
}

function recordedProgram(
  { recording: { graph } }: Program,
  isWanted: (path: string) => boolean,
): RecordedProgram {
  const inputs: Record<string, Shape> = {}
  for (const value of graph.inputs) if (value !== null) inputs[value.name] = value.shape
  const results = graph.outputs.filter(({ path }) => isWanted(path))
  const lines = results.map((output) => `${output.path}=${output.fingerprint}`)
  return { inputs, fingerprint: fingerprint(lines.sort().join()) }
}

function checkDonate(donate: readonly number[] = []): readonly number[] {
  if (!Array.isArray(donate)) {
    failType('compile', `donate must be an array of positions, got ${kindOf(donate)}`, 'pass donate: [0]')
  }
  for (const position of donate) {
    if (Number.isInteger(position) && position >= 0) continue
    failRange('compile', `donate must hold positions from 0 on, got ${String(position)}`, 'pass donate: [0]')
  }
  return donate.slice()
}

/** Whether a value of an open tape is among the arguments. */
function isTraced(value: unknown, depth = 0): boolean {
  if (value instanceof Tensor)
    return value.tape !== null && knownUnder(value, Number.POSITIVE_INFINITY) !== null
  if (value instanceof Key) return value instanceof TracedKey && value.tape.open
  if (Array.isArray(value)) {
    checkDepth('compile', 'an argument', depth)
    for (let i = 0; i < value.length; i++) if (isTraced(value[i], depth + 1)) return true
    return false
  }
  if (!isPlain(value)) return false
  checkDepth('compile', 'an argument', depth)
  for (const key in value) if (isTraced(value[key], depth + 1)) return true
  return false
}

// Only a call on traced values gets here with data.
function fed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Tensor || value instanceof Key)
    return value
  const { signatures, leaves } = signatureOf([value])
  if (!leaves.some(({ kind }) => kind === 'data')) return value
  const found: unknown[] = []
  matches(signatures, [value], found)
  return rebuild(signatures[0]!, (leaf) => {
    const given = found[leaf]
    return leaves[leaf]!.kind === 'data' ? tensor((given as Data).values, (given as Data).shape) : given
  })
}
