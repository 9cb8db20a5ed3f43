import { isDisabled } from '../kernels/disabled.ts'
import type { Expression } from '../kernels/emit.ts'
import { input, type Value as Lanes, type Node } from '../kernels/lanes.ts'
import { numberOf } from '../kernels/loops.ts'
import type { Operation } from '../operation.ts'
import { sameShape } from '../shape.ts'
import { type FusedLine, type Line, type OperationLine, type Output, resultsOf, type Value } from './graph.ts'
import { asWanted, mayFail } from './order.ts'
import { canReduce, reducingScratch } from './rows-call.ts'

// Longer loops gain nothing, and take longer to compile.
const membersAtMost = 48
const inputsAtMost = 24
// Of heavy operations that wait for each other a processor no longer overlaps one group of four elements with the next: two in one
// loop took 1.1 to 2.2 times as long as two loops. Cheap ones around a heavy one gain, and so do heavy ones side by side.
const heavyAtMost = 1
const heavyFrom = 24

/**
 * The lines with elementwise chains as one line each: what is computed from the same elements in a row is one loop, and what nobody
 * else reads never gets to memory. No bit changes: a loop rounds each step as that step's own kernel does.
 *
 * @param lines in an order in which they can be run
 * @param outputs what is handed out
 */
export function fuse(lines: readonly OperationLine[], outputs: readonly (Output | null)[]): readonly Line[] {
  const read = new Reading(lines, outputs)
  const madeOf = new Map<OperationLine, FusedLine>()
  for (const group of groupsOf(lines)) {
    for (const members of pieces(group)) {
      if (members.length === 1) continue
      const line = fused(members, read)
      for (const member of members) madeOf.set(member, line)
    }
  }
  joinReductions(lines, madeOf, read)
  if (madeOf.size === 0) return lines
  // Each where its last member stood, or before what reads it, whichever comes first.
  const made = new Set<Line>()
  for (let at = lines.length - 1; at >= 0; at--) made.add(madeOf.get(lines[at]!) ?? lines[at]!)
  // What may fail comes first: in the order given, whatever waits for it.
  const inOrder = [...made].reverse()
  const wanted = [...inOrder.filter(mayFail), ...inOrder]
  return asWanted(
    inOrder,
    wanted.map(({ output }) => output),
  )
}

/** Whether a line may be part of a loop. */
function isElementwise({ operation, output }: OperationLine): boolean {
  return operation.expression !== undefined && output.size > 0 && !isDisabled(operation.name)
}

/** Whether the loop of `from` can go on with `to`, which reads its output. */
function goesOn(from: OperationLine, to: OperationLine): boolean {
  if (!isElementwise(from) || !isElementwise(to)) return false
  if (!sameShape(from.output.shape, to.output.shape)) return false
  // A view of it is of another shape.
  return to.inputs.every((input) => input.root !== from.output || input === from.output)
}

/** A line, and one that it waits for: it reads that, or both may fail, which they do in the order given. */
interface Edge {
  readonly maker: number
  readonly goesOn: boolean
}

/**
 * Lines that may become one, each group in order. Every line has a level: at least that of what it reads, and a higher one where it
 * cannot go on with the same loop. On one level, those that go on, or that read the same, are a group. Every way out of
 * it leads to a higher level: nothing that a group reads depends on the group, and groups do not wait for each other.
 */
function groupsOf(lines: readonly OperationLine[]): Iterable<readonly OperationLine[]> {
  const edges = edgesOf(lines)
  const levels = levelsOf(edges)
  // The line that stands for a group: each points to one before it, until one points to itself.
  const first = lines.map((_, at) => at)
  const firstOf = (at: number): number => {
    let found = at
    while (first[found] !== found) found = first[found]!
    first[at] = found
    return found
  }
  const join = (one: number, other: number): void => {
    const [a, b] = [firstOf(one), firstOf(other)]
    first[Math.max(a, b)] = Math.min(a, b)
  }
  const readers = new Map<string, number>()
  for (const [at, line] of lines.entries()) {
    for (const edge of edges[at]!) if (edge.goesOn && levels[edge.maker] === levels[at]) join(edge.maker, at)
    if (!isElementwise(line)) continue
    for (const { id, shape } of line.inputs) {
      if (!sameShape(shape, line.output.shape)) continue
      const key = `${levels[at]} ${id}`
      join(readers.get(key) ?? at, at)
      readers.set(key, at)
    }
  }
  const groups = new Map<number, OperationLine[]>()
  for (const [at, line] of lines.entries()) {
    const group = groups.get(firstOf(at))
    if (group === undefined) groups.set(firstOf(at), [line])
    else group.push(line)
  }
  return groups.values()
}

function edgesOf(lines: readonly OperationLine[]): readonly (readonly Edge[])[] {
  const makers = new Map<Value, number>()
  let failing: number | undefined
  return lines.map((line, at) => {
    const own: Edge[] = []
    if (mayFail(line)) {
      if (failing !== undefined) own.push({ maker: failing, goesOn: false })
      failing = at
    }
    for (const root of new Set(line.inputs.map((input) => input.root))) {
      const maker = makers.get(root)
      if (maker !== undefined) own.push({ maker, goesOn: goesOn(lines[maker]!, line) })
    }
    makers.set(line.output, at)
    return own
  })
}

function levelsOf(edges: readonly (readonly Edge[])[]): readonly number[] {
  const levels: number[] = []
  for (const own of edges) {
    let level = 0
    for (const edge of own) level = Math.max(level, levels[edge.maker]! + (edge.goesOn ? 0 : 1))
    levels.push(level)
  }
  // What was early, and is first read by a loop that comes late, becomes part of that.
  const allowed = edges.map(() => Number.POSITIVE_INFINITY)
  const isJoined = edges.map(() => false)
  for (let at = edges.length - 1; at >= 0; at--) {
    if (isJoined[at]) levels[at] = allowed[at]!
    for (const { maker, goesOn: joins } of edges[at]!) {
      const most = levels[at]! - (joins ? 0 : 1)
      if (most > allowed[maker]!) continue
      isJoined[maker] = joins || (most === allowed[maker] && isJoined[maker]!)
      allowed[maker] = most
    }
  }
  return levels
}

// A cache: how many steps an operation's expression has.
const steps = new WeakMap<OperationLine['operation'], number>()

/** Whether an elementwise line computes something like `exp`: a chain of many steps. */
function isHeavy({ operation, inputs }: OperationLine): boolean {
  let count = steps.get(operation)
  if (count === undefined) {
    const seen = new Set<Node>()
    const visit = (node: Node): void => {
      if (seen.has(node)) return
      seen.add(node)
      for (const of of node.inputs) visit(of)
    }
    if (operation.expression !== undefined) visit(operation.expression(...inputs.map((_, i) => input(i))))
    count = seen.size
    steps.set(operation, count)
  }
  return count >= heavyFrom
}

/** A group in pieces that are not too long. Any first part of a group can be run before the rest. */
function pieces(group: readonly OperationLine[]): readonly (readonly OperationLine[])[] {
  const found: OperationLine[][] = []
  let piece: OperationLine[] = []
  // What is computed in the piece, and how many heavy operations follow one another up to there.
  let inside = new Map<Value, number>()
  let outside = new Set<Value>()
  const heavyBefore = (line: OperationLine): number =>
    line.inputs.reduce((most, input) => Math.max(most, inside.get(input) ?? 0), 0)
  for (const line of group) {
    const own = isHeavy(line) ? 1 : 0
    const further = line.inputs.filter((input) => !inside.has(input) && !outside.has(input))
    const isFull =
      piece.length === membersAtMost ||
      outside.size + further.length > inputsAtMost ||
      heavyBefore(line) + own > heavyAtMost
    if (isFull && piece.length > 0) {
      found.push(piece)
      piece = []
      inside = new Map()
      outside = new Set()
    }
    piece.push(line)
    inside.set(line.output, heavyBefore(line) + own)
    for (const input of line.inputs) if (!inside.has(input)) outside.add(input)
  }
  found.push(piece)
  return found
}

/** Who makes and who reads each value. */
class Reading {
  private readonly makers = new Map<Value, OperationLine>()
  private readonly readers = new Map<Value, OperationLine[]>()
  private readonly handedOut = new Set<Value>()

  constructor(lines: readonly OperationLine[], outputs: readonly (Output | null)[]) {
    for (const output of outputs) if (output !== null) this.handedOut.add(output.value.root)
    for (const line of lines) {
      this.makers.set(line.output, line)
      for (const { root } of line.inputs) {
        const known = this.readers.get(root)
        if (known === undefined) this.readers.set(root, [line])
        else known.push(line)
      }
    }
  }

  /** The line that computes a value. */
  maker(value: Value): OperationLine | undefined {
    return this.makers.get(value)
  }

  /** The one line that reads a value which is not handed out, if there is one. */
  only(value: Value): OperationLine | undefined {
    const readers = this.readers.get(value)
    return this.handedOut.has(value) || readers?.length !== 1 ? undefined : readers[0]
  }

  /** Whether anybody but `members` reads the value. */
  beside(members: ReadonlySet<OperationLine>, value: Value): boolean {
    return this.handedOut.has(value) || this.readers.get(value)?.some((line) => !members.has(line)) === true
  }
}

function fused(members: readonly OperationLine[], read: Reading): FusedLine {
  const inside = new Set(members)
  const results = members.map((member) => member.output).filter((value) => read.beside(inside, value))
  const { shape } = members[0]!.output
  const made = new Map<Value, number>(members.map(({ output }, i) => [output, i]))
  const inputs: Value[] = []
  // What each member reads: another member from 0 on, an input from -1 down.
  const operands = members.map((member) =>
    member.inputs.map((input) => {
      const member = made.get(input)
      if (member !== undefined) return member
      const known = inputs.indexOf(input)
      return -1 - (known >= 0 ? known : inputs.push(input) - 1)
    }),
  )
  const places = results.map((value) => made.get(value)!)
  const expression = expressionOf(
    members.map(({ operation }) => operation),
    operands,
    places,
  )
  const words = members.map(({ operation }, i) => `${numberOf(operation)}(${operands[i]!.join()})`)
  const text = `${words.join(' ')}>${places.join()}`
  const [output, ...also] = results
  const name = nameOf(members)
  return {
    operation: { name, inPlace: true },
    inputs,
    attributes: null,
    output: output!,
    also,
    fused: { expression, text, shape, reductions: results.map(() => null) },
  }
}

// A function of its own: plans keep what it returns, and with that all that is around it.
function expressionOf(
  operations: readonly Operation[],
  operands: readonly (readonly number[])[],
  places: readonly number[],
): Expression<readonly Lanes[]> {
  return (...given) => {
    const found: Lanes[] = []
    for (const [i, { expression }] of operations.entries()) {
      found.push(expression!(...operands[i]!.map((at) => (at < 0 ? given[-1 - at]! : found[at]!))))
    }
    return places.map((at) => found[at]!)
  }
}

/** What loops compute for a reduction alone goes into that at once. */
function joinReductions(
  lines: readonly OperationLine[],
  madeOf: Map<OperationLine, FusedLine>,
  read: Reading,
): void {
  const joined = new Map<FusedLine, FusedLine>()
  for (const reducing of lines) {
    const { operation, inputs, output, attributes } = reducing
    const [input] = inputs
    if (input === undefined || output.size === 0 || isDisabled(operation.name)) continue
    if (read.only(input) !== reducing || !canReduce(operation, input.shape, attributes)) continue
    const maker = read.maker(input)
    if (maker === undefined || !isElementwise(maker)) continue
    const loop = madeOf.get(maker) ?? fused([maker], read)
    madeOf.set(maker, loop)
    madeOf.set(reducing, loop)
    joined.set(loop, withReduction(joined.get(loop) ?? loop, input, reducing))
  }
  for (const [line, loop] of madeOf) madeOf.set(line, joined.get(loop) ?? loop)
}

function withReduction(line: FusedLine, value: Value, reducing: OperationLine): FusedLine {
  const { operation, attributes, output } = reducing
  const place = resultsOf(line).indexOf(value)
  const results = resultsOf(line).map((result, i) => (i === place ? output : result))
  const reduction = { operation, attributes }
  const reductions = line.fused.reductions.map((one, i) => (i === place ? reduction : one))
  const { shape } = line.fused
  const name = `${line.operation.name}·${operation.name}`
  return {
    ...line,
    operation: { name, inPlace: true, scratch: () => reducingScratch(shape, reductions) },
    output: results[0]!,
    also: results.slice(1),
    fused: { ...line.fused, reductions },
  }
}

// What a reader of the plan is told: `mul·add·relu`, and of long ones the ends.
function nameOf(members: readonly OperationLine[]): string {
  const names = members.map(({ operation }) => operation.name)
  if (names.length <= 4) return names.join('·')
  return `${names[0]}·${names[1]}·…·${names.at(-1)}(${names.length})`
}
