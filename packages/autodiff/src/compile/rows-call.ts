import { wasm } from '../kernels/wasm.ts'
import { heapFloats, nowhere } from '../memory.ts'
import type { Numerics } from '../numerics.ts'
import type { Kernel, Operation } from '../operation.ts'
import { type Shape, sizeOf } from '../shape.ts'
import { Tensor } from '../tensor.ts'
import { padded } from './arena.ts'
import { ElementwiseCall } from './elementwise-call.ts'
import type { Fused, Reduction } from './graph.ts'

// What a loop has made is still near when it is reduced: half of a first-level cache.
const chunkBytes = 16384
/** How many neighbours are summed in float32, before their sum goes into a float64: as in assembly/reduce-sum.ts. */
const block = 256

/** Whether what a loop computes goes into a reduction. */
export function isReducing({ reductions }: Fused): boolean {
  return reductions.some((one) => one !== null)
}

/** Whether a reduction of what a loop computes can go on with some rows at a time. */
export function canReduce(operation: Operation, shape: Shape, attributes: unknown): boolean {
  const axes = operation.reduces?.(attributes)
  if (axes === undefined || shape.length === 0 || sizeOf(shape) === 0) return false
  if (!axes.includes(0)) return true
  return operation.fromSum !== undefined && axes.length === shape.length
}

/** Whether it goes over the rows themselves: it is a sum of everything then. */
function isOfRows({ operation, attributes }: Reduction): boolean {
  return operation.reduces!(attributes).includes(0)
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))

/** How many rows, along the first axis, are made and reduced in one go. */
function rowsAtOnce(shape: Shape, reductions: readonly (Reduction | null)[]): number {
  const rowSize = sizeOf(shape) / shape[0]!
  const fitting = Math.max(1, Math.floor(chunkBytes / (4 * rowSize)))
  // A sum of everything is one of blocks, which must not be cut.
  const isWhole = reductions.some((one) => one !== null && isOfRows(one))
  const step = isWhole ? block / gcd(rowSize, block) : 1
  return Math.min(shape[0]!, Math.ceil(fitting / step) * step)
}

/** Bytes of working memory: rows for each reduction, and what that itself needs. */
export function reducingScratch(shape: Shape, reductions: readonly (Reduction | null)[]): number {
  const chunk = [rowsAtOnce(shape, reductions), ...shape.slice(1)]
  let bytes = 0
  for (const one of reductions) {
    if (one !== null) bytes += padded(4 * sizeOf(chunk)) + padded(needed(one, chunk))
  }
  return bytes
}

function needed(reduction: Reduction, chunk: Shape): number {
  const { operation, attributes } = reduction
  if (isOfRows(reduction)) return 4 * Math.ceil(sizeOf(chunk) / block)
  return operation.scratch?.([{ shape: chunk }], attributes) ?? 0
}

/** A tensor that follows another one, row by row. */
interface Follower {
  readonly tensor: Tensor
  readonly of: Tensor
  /** Bytes from one chunk to the next. */
  readonly step: number
}

/** A reduction of the rows that a loop makes. */
interface Part {
  readonly reduction: Reduction
  readonly rows: Tensor
  readonly rowsAt: number
  readonly scratchAt: number
  readonly output: Tensor
  /** Where the whole result lies, if this is a sum of everything. */
  readonly whole: Tensor | null
  sum: number
}

/** An operation whose rows a loop goes on with. */
export interface Head {
  readonly operation: Operation
  readonly kernel: Kernel<unknown, readonly Tensor[]>
  readonly attributes: unknown
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
  /** Where its working memory is in the program's, -1 where it needs none. */
  readonly scratchAt: number
}

// A head and a loop share what lies near: of a second-level cache, a quarter. Where all fits there is nothing to gain.
const headBytes = 262144
const headFrom = 4 * headBytes
/** A head that has fewer rows to do packs its whole inputs too often. */
const headRows = 256

/** How many rows a head and the loop after it do in one go; 0 where that does not pay, or cannot be done. */
export function headRowsAtOnce({
  operation,
  attributes,
  inputs,
  output,
}: Omit<Head, 'scratchAt' | 'kernel'>): number {
  const byRows = operation.byRows?.(inputs, attributes) ?? null
  const [rows] = output.shape
  if (byRows === null || rows === undefined || 4 * output.size < headFrom) return 0
  const atOnce = Math.floor((headBytes * rows) / (4 * output.size))
  if (atOnce < (output.rank === 2 ? headRows : 1) || atOnce >= rows) return 0
  const given = operation.scratch?.(inputs, attributes) ?? 0
  const neededBy = (count: number): number => {
    const some = inputs.map(({ shape }, i) => ({ shape: byRows[i] ? [count, ...shape.slice(1)] : shape }))
    return count === 0 ? 0 : (operation.scratch?.(some, attributes) ?? 0)
  }
  return Math.max(neededBy(atOnce), neededBy(rows % atOnce)) <= given ? atOnce : 0
}

/** One go: what some rows begin with, a loop over them, and the reductions of what it makes. */
interface Go {
  readonly head: Omit<Head, 'scratchAt'> | null
  readonly loop: ElementwiseCall
  readonly followers: readonly Follower[]
  readonly parts: readonly Part[]
}

/**
 * A loop that does a few rows at a time, so that what is made of them next, or was made of them before, is near: after an operation that
 * can be done row by row, or with its results going into reductions, never to be stored as a whole.
 */
export class RowsCall {
  private readonly full: Go
  private readonly last: Go | null
  private readonly chunks: number
  private readonly count: number
  private readonly scratchAt: number
  private readonly headScratchAt: number
  private base = 0
  private headScratch = 0

  /**
   * @param scratchAt where in the program's memory `reducingScratch` bytes begin
   * @param numerics the numeric mode, where it is not strict
   * @param head what some rows begin with, `headRowsAtOnce` of them
   */
  constructor(
    fused: Fused,
    outputs: readonly Tensor[],
    inputs: readonly Tensor[],
    scratchAt: number,
    numerics: Numerics | null,
    head: Head | null = null,
  ) {
    const { shape, reductions } = fused
    const rows = head === null ? rowsAtOnce(shape, reductions) : headRowsAtOnce(head)
    this.headScratchAt = head === null ? -1 : head.scratchAt
    this.chunks = Math.floor(shape[0]! / rows)
    this.count = sizeOf(shape)
    this.scratchAt = scratchAt
    this.full = goOf(fused, outputs, inputs, rows, rows, numerics, head)
    const rest = shape[0]! % rows
    this.last = rest === 0 ? null : goOf(fused, outputs, inputs, rest, rows, numerics, head)
  }

  /** Says that operands lie elsewhere now, and where the program's memory begins. */
  moved(base: number): void {
    this.base = base + this.scratchAt
    this.headScratch = this.headScratchAt < 0 ? 0 : base + this.headScratchAt
    if (this.chunks === 1 && this.last === null) this.place(this.full, 0)
  }

  run(): void {
    const { full, last, chunks } = this
    const isOne = chunks === 1 && last === null
    for (const part of full.parts) part.sum = 0
    for (let chunk = 0; chunk < chunks; chunk++) {
      if (!isOne) this.place(full, chunk)
      this.go(full, full)
    }
    if (last !== null) {
      this.place(last, chunks)
      this.go(last, full)
    }
    for (const { whole, sum, reduction } of full.parts) {
      // Rounded to float32 first, as the sum itself is.
      if (whole !== null)
        heapFloats()[whole.offset / 4] = reduction.operation.fromSum!(Math.fround(sum), this.count)
    }
  }

  private place({ loop, followers, parts }: Go, chunk: number): void {
    for (const { tensor, of, step } of followers) tensor.offset = of.offset + chunk * step
    for (const { rows, rowsAt } of parts) rows.offset = this.base + rowsAt
    loop.moved()
  }

  private go({ head, loop, parts }: Go, total: Go): void {
    if (head !== null) head.kernel(head.output, head.inputs, head.attributes, this.headScratch)
    loop.run()
    for (let i = 0; i < parts.length; i++) {
      const { reduction, rows, output, whole, scratchAt } = parts[i]!
      const { operation, attributes } = reduction
      if (whole === null) operation.kernel!(output, [rows], attributes, this.base + scratchAt)
      else total.parts[i]!.sum = sumBlocks(total.parts[i]!.sum, rows, this.base + scratchAt)
    }
  }
}

// The sums of blocks, one after the other, as assembly/reduce-sum.ts adds them up.
function sumBlocks(sum: number, { offset, size }: Tensor, scratch: number): number {
  const blocks = Math.floor(size / block)
  if (blocks > 0) wasm().reduceSum(offset, scratch, blocks, block, 1, 0)
  const rest = size - blocks * block
  if (rest > 0) wasm().reduceSum(offset + 4 * blocks * block, scratch + 4 * blocks, 1, rest, 1, 0)
  const floats = heapFloats()
  const from = scratch / 4
  const count = rest > 0 ? blocks + 1 : blocks
  let total = sum
  for (let i = 0; i < count; i++) total += floats[from + i]!
  return total
}

/** @param rows how many this go takes, of the `step` that others take */
function goOf(
  fused: Fused,
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  rows: number,
  step: number,
  numerics: Numerics | null,
  head: Head | null,
): Go {
  const { shape, reductions } = fused
  const followers: Follower[] = []
  const follow = (of: Tensor, shapeOfRows: Shape, bytesOfRow: number): Tensor => {
    const tensor = operand(shapeOfRows)
    followers.push({ tensor, of, step: step * bytesOfRow })
    return tensor
  }
  const followRows = (x: Tensor): Tensor => follow(x, [rows, ...x.shape.slice(1)], (4 * x.size) / shape[0]!)
  const operands = inputs.map((x) => {
    const isStretched = x.rank < shape.length || x.shape[0] !== shape[0]
    return isStretched ? follow(x, x.shape, 0) : followRows(x)
  })
  const parts: Part[] = []
  let at = 0
  const results = outputs.map((output, i) => {
    const reduction = reductions[i]!
    if (reduction === null) return followRows(output)
    const made = operand([rows, ...shape.slice(1)])
    const chunk = [step, ...shape.slice(1)]
    const rowsAt = at
    at += padded(4 * sizeOf(chunk))
    const scratchAt = at
    at += padded(needed(reduction, chunk))
    const { operation, attributes } = reduction
    const isWhole = isOfRows(reduction)
    const into = isWhole
      ? output
      : follow(output, operation.shape([made], attributes), (4 * output.size) / shape[0]!)
    parts.push({
      reduction,
      rows: made,
      rowsAt,
      scratchAt,
      output: into,
      whole: isWhole ? output : null,
      sum: 0,
    })
    return made
  })
  const [first] = results
  const loop = new ElementwiseCall({ ...fused, shape: first!.shape }, results, operands, numerics)
  if (head === null) return { head, loop, followers, parts }
  const { operation, kernel, attributes } = head
  const byRows = operation.byRows!(head.inputs, attributes)!
  const headInputs = head.inputs.map((x, i) => (byRows[i] ? followRows(x) : follow(x, x.shape, 0)))
  const made = { operation, kernel, attributes, inputs: headInputs, output: followRows(head.output) }
  return { head: made, loop, followers, parts }
}

function operand(shape: Shape): Tensor {
  return new Tensor(shape, sizeOf(shape), 0, nowhere, null, -1, null)
}
