import { apply } from '../apply.ts'
import { zeros } from '../creation.ts'
import { foldIn, type Key } from '../key.ts'
import { defineOperation, type Operation } from '../operation.ts'
import { add } from '../ops/add.ts'
import { concat } from '../ops/concat.ts'
import { reshape } from '../ops/reshape.ts'
import { slice } from '../ops/slice.ts'
import { Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { backward } from '../transforms/backward.ts'
import { inScope } from '../tree.ts'
import { isDifferentiated } from './again.ts'
import { padded } from './arena.ts'
import { applyKeyed } from './keyed.ts'
import { packing, type ScanAttributes } from './packing.ts'
import { partOperation } from './part.ts'
import { runScan, scanReference } from './run-scan.ts'
import { ScanBody, type Step, type StepResult } from './scan-body.ts'

const scanOperation: Operation<ScanAttributes, readonly Tensor[]> = /*@__PURE__*/ defineOperation<
  ScanAttributes,
  readonly Tensor[]
>({
  name: 'scan',
  doc: 'a recorded body, repeated over the leading axis with a carry: its results, packed',
  shape: (_, attributes) => [packing(attributes).size],
  reference: (inputs, attributes) => scanReference(inputs, attributes),
  scratch: (_, { body, saving }) => {
    const carries = body.carry.reduce((sum, x) => sum + x.size * 4, 0)
    return padded(body.plan.arenaBytes) + (saving ? 0 : padded(carries))
  },
  kernel: (output, inputs, attributes, scratch) => runScan(output, inputs, attributes, scratch),
  kernelIn: (numerics) => (output, inputs, attributes, scratch) =>
    runScan(output, inputs, attributes, scratch, numerics),
  vjp: [],
  pull,
})

/** In which order rows are visited, and what keys the steps are given. */
export type ScanOrder = Pick<ScanAttributes, 'length' | 'reverse' | 'keys' | 'firstRow'>

/** What a scan is given: what the first step begins with, rows, and what every step is given as it is. */
export interface ScanInputs {
  readonly carry: readonly Tensor[]
  readonly xs: readonly Tensor[]
  readonly whole: readonly Tensor[]
}

/**
 * Repeats `step`, recorded once, over the rows of `xs`.
 *
 * @param name what the operation is called in errors and plans
 */
export function scanSteps(
  name: 'scan' | 'checkpoint',
  step: Step,
  { carry, xs, whole }: ScanInputs,
  order: ScanOrder,
): StepResult {
  return inScope((scope) => {
    const rows = xs.map((x) => x.shape.slice(1))
    const body = new ScanBody(scope, step, carry, rows, order.keys.length, whole)
    const inputs = [...carry, ...xs, ...body.captured]
    const saving = inputs.some(isDifferentiated)
    const keys = [...order.keys, ...body.capturedKeys]
    const { length, reverse, firstRow } = order
    const attributes = { body, length, reverse, firstRow, keys, saving, mayFail: body.mayFail }
    const operation = { ...scanOperation, name }
    const packed = applyKeyed(operation, inputs, attributes)
    const { carry: carryAt, ys: ysAt } = packing(attributes)
    return {
      carry: body.carry.map((x, i) => partOf(packed, i, carryAt[i]!, x.shape)),
      ys: body.result.ys.map((y, i) => partOf(packed, carry.length + i, ysAt[i]!, [length, ...y.shape])),
    }
  })
}

/** Result number `index`, which begins at element `first`. */
function partOf(packed: Tensor, index: number, first: number, shape: readonly number[]): Tensor {
  return apply(partOperation, [packed], { index, first, shape })
}

type Maybe = Tensor | undefined

/** Cotangents on their way back through the steps: of the carry, and of what the body captured, added up. */
interface Flow {
  readonly carry: readonly Maybe[]
  readonly captured: readonly Maybe[]
}

/** What one step takes on its way back. */
interface Row {
  readonly carry: readonly Tensor[]
  readonly xs: readonly Tensor[]
  readonly keys: readonly Key[]
  /** Cotangents of what it stacked. */
  readonly ys: readonly Maybe[]
  /** Cotangents of the carry that was kept for it. */
  readonly begun: readonly Maybe[]
  /** Cotangents of its carry that others are added to: what the step before stacked, where that is the same value. */
  readonly seeds: readonly Maybe[]
}

/** A stretch of rows, and the cotangents of the xs there. */
interface Piece {
  readonly first: number
  readonly end: number
  readonly xs: readonly Maybe[]
}

/**
 * The cotangents of a scan: backpropagation through time. Each step is made again from the carry it began with, so that
 * only carries are kept; cotangents are added in the order of the unrolled loop. As long as that set of cotangents grows,
 * steps are taken one by one; the others are a scan again.
 */
function pull(
  cotangents: readonly Maybe[],
  output: Tensor,
  inputs: readonly Tensor[],
  attributes: ScanAttributes,
  wanted: readonly boolean[],
  before: readonly Maybe[],
): readonly (Tensor | null)[] {
  const { body, length, reverse, keys, firstRow } = attributes
  const carries = body.carry.length
  const firstCaptured = carries + body.xs.length
  const rowKeys = keys.slice(0, body.rowKeys)
  const xs = inputs.slice(carries, firstCaptured)
  const captured = inputs.slice(firstCaptured)
  // By row, the carry that each step began with: results like the others, so that gradients of this one go through them.
  const kept = packing(attributes).saved
  const begins = body.carry.map(({ shape }, i) =>
    partOf(output, carries + body.result.ys.length + i, kept[i]!, [length, ...shape]),
  )
  const begun = body.carry.map((_, i) => cotangents[carries + body.result.ys.length + i])
  const stacked = body.result.ys.map((_, i) => cotangents[carries + i])
  const paired = body.paired.filter(({ y }) => stacked[y] !== undefined)
  const seedOf = body.carry.map((_, i) =>
    paired
      .filter(({ carry }) => carry === i)
      .reduceRight<Maybe>((sum, { y }) => plus(sum, stacked[y]), undefined),
  )

  // What is one tensor from the first step to the last has its cotangent from the outset.
  const isPassed = body.passed.map((passed) => passed || length === 0)
  const atEnd = isPassed.map((passed, i) => (passed ? before[i] : undefined))
  const atStart = isPassed.map((passed, i) => (passed ? undefined : before[i]))

  const back = (flow: Flow, row: Row): { flow: Flow; xs: readonly Maybe[] } =>
    inScope((scope) => {
      const tape = new Tape(scope)
      const c = row.carry.map((x) => tape.input(x))
      const x = row.xs.map((one) => tape.input(one))
      const w = captured.map((one, i) => (wanted[firstCaptured + i] ? tape.input(one) : null))
      let result: StepResult
      try {
        result = body.again(
          c,
          x,
          [...row.keys, ...keys.slice(body.rowKeys)],
          captured.map((one, i) => w[i] ?? one),
        )
      } finally {
        tape.open = false
      }
      const seeds: Maybe[] = []
      for (const [i, one] of c.entries()) seeds[one.slot] = plus(row.begun[i], row.seeds[i])
      for (const [i, one] of w.entries()) if (one !== null) seeds[one.slot] = flow.captured[i]
      // What is stacked is stacked at the end, leaf by leaf: on the way back the last one comes first.
      const outputs = [...result.carry, ...result.ys.toReversed()]
      const found = backward(tape, outputs, [...flow.carry, ...row.ys.toReversed()], seeds)
      return {
        flow: {
          carry: c.map((one) => found[one.slot]),
          captured: w.map((one) => (one === null ? undefined : found[one.slot])),
        },
        xs: x.map((one, i) => (wanted[carries + i] ? found[one.slot] : undefined)),
      }
    })

  const rowOf = (step: number): number => (reverse ? length - 1 - step : step)
  // The first step on the way back takes all that was stacked; later ones have a part of it in their carry already.
  const ysAfter = stacked.map((y, i) => (paired.some((pair) => pair.y === i) ? undefined : y))
  const oneStep = (flow: Flow, step: number): { flow: Flow; xs: readonly Maybe[] } => {
    const at = (x: Tensor, of: number): Tensor =>
      reshape(slice(x, rowOf(of), rowOf(of) + 1), x.shape.slice(1))
    const row: Row = {
      carry: begins.map((x) => at(x, step)),
      xs: xs.map((x) => at(x, step)),
      ys: (step === length - 1 ? stacked : ysAfter).map((y) => y && at(y, step)),
      keys: rowKeys.map((key) => foldIn(key, firstRow + rowOf(step))),
      begun: begun.map((x) => x && at(x, step)),
      seeds: seedOf.map((y, i) => (step > 0 ? y && at(y, step - 1) : atStart[i])),
    }
    return back(flow, row)
  }
  const manySteps = (flow: Flow, first: number, end: number): { flow: Flow; xs: readonly Maybe[] } => {
    const shift = (x: Tensor, by: number): Tensor => {
      const [low, high] = reverse ? [length - end + by, length - first + by] : [first - by, end - by]
      return slice(x, low, high)
    }
    const flat = new Sparse([...flow.carry, ...flow.captured])
    const rows = new Sparse([
      ...begins.map((x) => shift(x, 0)),
      ...xs.map((x) => shift(x, 0)),
      ...ysAfter.map((y) => y && shift(y, 0)),
      ...begun.map((x) => x && shift(x, 0)),
      ...seedOf.map((y) => y && shift(y, 1)),
    ])
    let present = new Sparse<Tensor>([])
    const step: Step = (given) => {
      const one = flat.filled(given.carry)
      const many = rows.filled(given.xs)
      const ends = [carries, firstCaptured, firstCaptured + ysAfter.length, many.length - carries]
      const row: Row = {
        carry: many.slice(0, ends[0]) as readonly Tensor[],
        xs: many.slice(ends[0], ends[1]) as readonly Tensor[],
        ys: many.slice(ends[1], ends[2]),
        begun: many.slice(ends[2], ends[3]),
        seeds: many.slice(ends[3]),
        keys: given.keys,
      }
      const flowing: Flow = { carry: one.slice(0, carries), captured: one.slice(carries) }
      const made = back(flowing, row)
      present = new Sparse(made.xs)
      return { carry: new Sparse([...made.flow.carry, ...made.flow.captured]).values, ys: present.values }
    }
    const order = {
      length: end - first,
      reverse: !reverse,
      keys: rowKeys,
      firstRow: firstRow + (reverse ? length - end : first),
    }
    const given = { carry: flat.values, xs: rows.values, whole: [] }
    const { carry, ys } = scanSteps('scan', step, given, order)
    const all = flat.filled(carry)
    return { flow: { carry: all.slice(0, carries), captured: all.slice(carries) }, xs: present.filled(ys) }
  }

  let flow: Flow = {
    carry: body.carry.map((_, i) => plus(cotangents[i], atEnd[i])),
    captured: before.slice(firstCaptured),
  }
  const pieces: Piece[] = []
  const done = (first: number, end: number, made: { flow: Flow; xs: readonly Maybe[] }): void => {
    const [low, high] = reverse ? [length - end, length - first] : [first, end]
    pieces.push({ first: low, end: high, xs: made.xs })
    flow = made.flow
  }
  const last = [...seedOf, ...atStart].some((seed) => seed !== undefined) ? 1 : 0
  let isStable = false
  for (let end = length; end > 0; ) {
    if (isStable && end - last > 1) {
      done(last, end, manySteps(flow, last, end))
      end = last
      isStable = false
      continue
    }
    const made = oneStep(flow, end - 1)
    const after = length - end > inputs.length ? settled(made.flow, flow) : made.flow
    isStable = hasSame(flow.carry, after.carry) && hasSame(flow.captured, after.captured)
    done(end - 1, end, { flow: after, xs: made.xs.map((x) => x && reshape(x, [1, ...x.shape])) })
    end--
  }
  const gradients = xs.map((x, i) => plus(before[carries + i], joined(x, pieces, i)))
  return [...flow.carry, ...gradients, ...flow.captured].map((found) => found ?? null)
}

// Where parts of the carry change places, the set of cotangents may never stay the same: what is missing again is zeros then.
function settled({ carry, captured }: Flow, before: Flow): Flow {
  return { carry: carry.map((x, i) => x ?? (before.carry[i] && zeros(before.carry[i].shape))), captured }
}

function joined(x: Tensor, pieces: readonly Piece[], index: number): Maybe {
  if (!pieces.some((piece) => piece.xs[index] !== undefined)) return undefined
  const inOrder = pieces.toSorted((a, b) => a.first - b.first)
  const parts = inOrder.map(({ xs, first, end }) => xs[index] ?? zeros([end - first, ...x.shape.slice(1)]))
  return parts.length === 1 ? parts[0] : concat(parts)
}

function plus(a: Maybe, b: Maybe): Maybe {
  return a === undefined || b === undefined ? (a ?? b) : add(a, b)
}

function hasSame(a: readonly Maybe[], b: readonly Maybe[]): boolean {
  return a.every((x, i) => (x === undefined) === (b[i] === undefined))
}

/** A list with gaps, and what is in it without them. */
class Sparse<T> {
  readonly values: readonly T[]
  private readonly places: readonly boolean[]

  constructor(list: readonly (T | undefined)[]) {
    this.places = list.map((x) => x !== undefined)
    this.values = list.filter((x) => x !== undefined)
  }

  /** Other values where there are some. */
  filled(values: readonly T[]): readonly (T | undefined)[] {
    let next = 0
    return this.places.map((isThere) => (isThere ? values[next++] : undefined))
  }
}
