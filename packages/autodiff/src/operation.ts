import type { Value } from './kernels/lanes.ts'
import type { Numerics } from './numerics.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

/** Anything with a shape: what shape rules look at. */
export interface Shaped {
  readonly shape: Shape
}

/** Numbers in double precision, as the reference sees an input. */
export interface Values extends Shaped {
  readonly values: ArrayLike<number>
}

/** One input's cotangent from the output's, written with operations. */
export type Vjp<A, I extends readonly Tensor[]> = {
  // A method, so that operations of all kinds are operations.
  rule(cotangent: Tensor, output: Tensor, inputs: I, attributes: A, index: number): Tensor
}['rule']

/** What fills an output: the fast way. */
export type Kernel<A, I extends readonly Tensor[]> = {
  run(output: Tensor, inputs: I, attributes: A, scratch: number): void
}['run']

/**
 * How an operation is done for several examples at once, where they need nothing but to stand in the right place:
 *
 * - `'axes'`: along an axis in front of every input, and of what comes out. The attributes `axis` and `axes` count one more then;
 *   `shape`, `order`, `begin`, `end` and `widths` have an element for it in front; no other attribute depends on the rank.
 * - `'first'`: the same, for the first input alone; the others are shared.
 * - `'rows'`: along the first axis of every input, and of what comes out, behind each other.
 * - `'firstRows'`: the same, for the first input alone; the others are shared.
 * - `'product'`: along axes in front of the last two, which are matrices, and broadcast; a single axis is a vector. The attributes
 *   are those of `matmul`.
 * - `'custom'`: as a rule of one's own; the attributes are those of `customVjp`.
 */
export type Batching = 'axes' | 'first' | 'rows' | 'firstRows' | 'product' | 'custom'

/**
 * What comes out for several examples at once, which stand along the first axis of inputs that are batched, and of what comes
 * out: one tensor, of another shape too if its elements are in that order, or each result where the operation packs several; or
 * how it is done in this case, or null where it is not covered.
 */
export type Batch<A, I extends readonly Tensor[]> = {
  rule(
    inputs: I,
    attributes: A,
    isBatched: readonly boolean[],
    size: number,
  ): Tensor | readonly Tensor[] | Batching | null
}['rule']

/**
 * An operation: a record from which the engine, the tests and the documentation are made.
 *
 * @typeParam A its attributes: everything that is not a tensor
 * @typeParam I its inputs
 */
export interface Operation<A = unknown, I extends readonly Tensor[] = readonly Tensor[]> {
  readonly name: string
  /** One line: what comes out, and the formula. */
  readonly doc: string
  /** The output's shape, or an error that says what was expected. */
  shape(inputs: readonly Shaped[], attributes: A): Shape
  /** The specification: plain float64 evaluation, slow and obvious. Runs where there is no kernel. */
  reference(inputs: readonly Values[], attributes: A, shape: Shape): ArrayLike<number>
  /**
   * The bytes of working memory that the kernel needs beside its output, from shapes alone: the same at each call. 0 for
   * none, as where this is left out.
   */
  scratch?(inputs: readonly Shaped[], attributes: A): number
  /**
   * The fast way to fill `output`. It takes nothing from the heap, and writes to its output and its working memory only.
   *
   * @param scratch byte offset of that working memory, a multiple of 64, and 0 where there is none; nothing is in it that
   * was written at another call
   */
  kernel?(output: Tensor, inputs: I, attributes: A, scratch: number): void
  /** The kernel in another numeric mode than strict, where it has one of its own there. It works in the same scratch. */
  kernelIn?(numerics: Numerics): Kernel<A, I>
  /**
   * What the kernel computes of each element, where every input broadcasts to the output: the fuser puts one expression where
   * another has an input, and emits one loop for all.
   */
  readonly expression?: (...inputs: Value[]) => Value
  /**
   * Of a reduction of one input, the axes that it goes over. What lies beside each other on axes before those is reduced in one
   * call or in several alike: the fuser reduces rows as soon as a loop has made them.
   */
  reduces?(attributes: A): readonly number[]
  /** Of one that sums everything up: what comes out, from the sum of so many elements. */
  readonly fromSum?: (sum: number, count: number) => number
  /**
   * Of an operation that can be done for some rows at a time, along the first axis of its output, with the same bits: which
   * inputs go along, row by row, while the others are read as a whole. Null where it is not so.
   */
  byRows?(inputs: readonly Shaped[], attributes: A): readonly boolean[] | null
  /**
   * The kernel may write its output over inputs of the output's shape that begin where it begins: whatever it reads of
   * their element i it reads before it writes element i. Every other input must lie apart from the output.
   */
  readonly inPlace?: boolean
  /** Where the output is a view of the first input: its first element, or -1 where it must be computed. */
  alias?(inputs: I, attributes: A): number
  /** It is run for what it does, a check of its one input, and never removed for having no readers. */
  readonly effect?: boolean
  /** The cotangent of each input, null where there is none; one rule for all where the number of inputs varies. */
  vjp: readonly (Vjp<A, I> | null)[] | Vjp<A, I>
  /**
   * In the place of `vjp` where all cotangents are worked out together: those of the inputs that are `wanted`, null for the
   * others. Where the operation has several results, packed into its output, `cotangents` are those of its parts, undefined
   * where nothing depends on one; else there is one, the output's.
   *
   * @param before the cotangent that each input has so far: what is returned has it in it, added first
   */
  pull?(
    cotangents: readonly (Tensor | undefined)[],
    output: Tensor,
    inputs: I,
    attributes: A,
    wanted: readonly boolean[],
    before: readonly (Tensor | undefined)[],
  ): readonly (Tensor | null)[]
  /**
   * How it is done for several examples at once. Where it is left out, `vmap` goes by `expression` or `reduces`, and else applies
   * the operation to one example after the other.
   */
  readonly batch?: Batching | Batch<A, I> | undefined
  /** Which part of a packed output this takes out: its cotangent goes to that operation's `pull` as it is. */
  part?(attributes: A): number
}

// Records with the same fields in the same order: the engine reads some of them at every call, and finds them at once where
// all records are of one kind.
const blank: { readonly [field in keyof Operation]: undefined } = {
  name: undefined,
  doc: undefined,
  shape: undefined,
  reference: undefined,
  scratch: undefined,
  kernel: undefined,
  expression: undefined,
  reduces: undefined,
  fromSum: undefined,
  inPlace: undefined,
  alias: undefined,
  effect: undefined,
  vjp: undefined,
  pull: undefined,
  batch: undefined,
  part: undefined,
}

/** Declares an operation. */
export function defineOperation<A, I extends readonly Tensor[]>(operation: Operation<A, I>): Operation<A, I> {
  // What is left out stays undefined.
  return { ...blank, ...operation } as Operation<A, I>
}

/** Numbers of one input to sample: between `low` and `high`; `integer` for indices; `distinct` where ties are kinks. */
export interface Domain {
  readonly low: number
  readonly high: number
  readonly integer?: boolean
  readonly distinct?: boolean
  /** Values near which finite differences are not taken. */
  readonly kinks?: readonly number[]
}

/** Draws small numbers that shrink towards their lower end. */
export interface Draw {
  integer(low: number, high: number): number
  pick<T>(choices: readonly T[]): T
  /** A shape of rank `low` to `high`, with sizes that hit the tails of four-lane loops. */
  shape(low: number, high: number): Shape
}

/** A sample of inputs: their shapes, where to draw them from, and the call. */
export interface Sample {
  readonly shapes: readonly Shape[]
  readonly domains?: readonly Domain[]
  readonly call: (...inputs: Tensor[]) => Tensor
  /** The same, of a fused operation, as the composition of others that it stands for. */
  readonly composition?: (...inputs: Tensor[]) => Tensor
}

/** A call that must be refused, and the exact words. */
export interface ErrorInput {
  readonly call: () => unknown
  readonly kind: 'RangeError' | 'TypeError'
  readonly message: string
}

/** What the law matrix needs to know of an operation. Exported as `info` beside it, so that bundles drop it. */
export interface OperationInfo {
  readonly operation: Operation
  /** Draws inputs: shapes, and the call on them. */
  readonly sample: (draw: Draw) => Sample
  /** The same for large inputs, which take other ways through a kernel; `sample` with a large shape where it is left out. */
  readonly large?: (draw: Draw) => Sample
  /** Where inputs may be drawn from, one for each; the last one serves all that follow. */
  readonly domains: readonly Domain[]
  /** How far the kernel may be from the float64 reference, in units in the last place of the largest term. */
  readonly ulps: number
  /**
   * What a rounding error is relative to, where that is not the result itself because terms cancel: a number for each
   * element of the output, or one for all. -Infinity where nothing can be said, as what is added up on the way overflows float32.
   * `magnitudes` is the reference on absolute values: the sums of magnitudes.
   */
  readonly scale?: (
    inputs: readonly Values[],
    output: ArrayLike<number>,
    magnitudes: ArrayLike<number>,
  ) => ArrayLike<number> | number
  readonly errors: readonly ErrorInput[]
}
