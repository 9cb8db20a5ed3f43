import { sameShape } from '../shape.ts'
import { Arena, padded } from './arena.ts'
import { withCopies } from './copy.ts'
import { fuse } from './fuse.ts'
import { type Graph, type Line, type Output, resultsOf, type Value } from './graph.ts'
import { depthFirst, mayFail, neededLines } from './order.ts'
import { pair } from './pair.ts'
import type { Leaf } from './signature.ts'

/** Where a value lies: in the program's own memory, in that of a traced input, or in memory of its own that is handed out. */
export interface Place {
  readonly space: 'arena' | 'leaf' | 'output' | 'constant'
  /** Which input or output. */
  readonly index: number
  /** Bytes from where that begins; of a constant its place in the heap. */
  readonly offset: number
}

/** A piece of the arena, in bytes. */
export interface Block {
  readonly offset: number
  readonly bytes: number
}

/** A line with all that it needs to be run. */
export type PlannedLine = Line & {
  /** Where in the arena its working memory begins, -1 where it needs none. */
  readonly scratch: number
  /** Blocks of the arena that nobody reads any more. */
  readonly frees: readonly Block[]
}

/** A program with memory: every value has its place. */
export interface Plan {
  readonly lines: readonly PlannedLine[]
  /** By root. */
  readonly places: ReadonlyMap<Value, Place>
  /** Inputs that are copied in: numbers and data that somebody reads. */
  readonly copiedIn: readonly number[]
  readonly outputs: readonly (Output | null)[]
  /** Bytes of each piece of memory that is handed out. */
  readonly outputBytes: readonly number[]
  readonly arenaBytes: number
  /** The traced inputs whose memory is written to. */
  readonly written: ReadonlySet<number>
}

/** What a program is planned for. */
export interface PlanOptions {
  readonly leaves: readonly Leaf[]
  readonly isDonated: (leaf: Leaf) => boolean
  /** Which outputs are wanted, by path. */
  readonly isWanted: (path: string) => boolean
  /**
   * Where outputs may lie: `'anywhere'`, also in an argument or each other; or each `'apart'`, but for donated inputs that are
   * handed out as they came; or each in memory that is made for it, `'own'`.
   */
  readonly outputs: 'anywhere' | 'apart' | 'own'
  /** Whether elementwise chains become one line each. */
  readonly fuse: boolean
}

/**
 * Gives every value of a program a place, in the order of lines that takes the least memory: as recorded, or each output in
 * turn with all it needs.
 */
export function plan(graph: Graph, options: PlanOptions): Plan {
  const wanted = graph.outputs.map((output) => (options.isWanted(output.path) ? output : null))
  const given = wanted.filter((output) => output !== null)
  const needed = neededLines(graph.lines, given)
  const { lines: copied, outputs } = withCopies(needed, wanted, graph.values, (value, isRepeated) => {
    if (options.outputs === 'anywhere') return true
    if (isRepeated || value.root !== value) return false
    const { source } = value
    if (source.kind !== 'input') return true
    const leaf = options.leaves[source.leaf]!
    return options.outputs === 'apart' && leaf.kind === 'tensor' && options.isDonated(leaf)
  })
  const lines = options.fuse ? fuse(copied, outputs) : copied
  const recorded = new Placing(graph, lines, outputs, options).plan()
  const reordered = new Placing(graph, depthFirst(lines, outputs), outputs, options).plan()
  return bytesOf(reordered) < bytesOf(recorded) ? reordered : recorded
}

/** Bytes that a program takes while it runs, beside its arguments. */
export function bytesOf({ arenaBytes, outputBytes }: Plan): number {
  return outputBytes.reduce((sum, bytes) => sum + padded(bytes), arenaBytes)
}

/** The traced inputs in whose memory results lie. */
export function handedOutBy({ outputs, places }: Plan): ReadonlySet<number> {
  const leaves = new Set<number>()
  for (const output of outputs) {
    const place = output && places.get(output.value.root)
    if (place?.space === 'leaf') leaves.add(place.index)
  }
  return leaves
}

class Placing {
  private readonly graph: Graph
  private readonly lines: readonly Line[]
  private readonly outputs: readonly (Output | null)[]
  private readonly options: PlanOptions
  private readonly arena = new Arena()
  private readonly places = new Map<Value, Place>()
  private readonly outputBytes: number[] = []
  private readonly written = new Set<number>()
  /** The last line that reads each root: -1 for none, Infinity for what is handed out. */
  private readonly lastRead = new Map<Value, number>()
  /** Of values that lie in memory of what is handed out: what that is. */
  private readonly heirs = new Map<Value, Value>()
  /** What lies in the memory of each donated input. */
  private readonly occupants = new Map<number, Value>()
  /** From this line on donated memory may be written to: nothing can be refused any more. */
  private readonly safeFrom: number

  constructor(
    graph: Graph,
    lines: readonly Line[],
    outputs: readonly (Output | null)[],
    options: PlanOptions,
  ) {
    this.graph = graph
    this.lines = lines
    this.outputs = outputs
    this.options = options
    for (const [at, { inputs }] of lines.entries()) for (const { root } of inputs) this.lastRead.set(root, at)
    for (const output of outputs) {
      if (output !== null) this.lastRead.set(output.value.root, Number.POSITIVE_INFINITY)
    }
    this.safeFrom = lines.findLastIndex(mayFail) + 1
  }

  plan(): Plan {
    const { leaves, isDonated } = this.options
    const copiedIn: number[] = []
    for (const [index, leaf] of leaves.entries()) {
      const value = this.graph.inputs[index]
      if (value === null || value === undefined) continue
      if (leaf.kind === 'tensor') {
        this.places.set(value, { space: 'leaf', index, offset: 0 })
        if (isDonated(leaf)) this.occupants.set(index, value)
      } else if (this.lastRead.has(value)) {
        copiedIn.push(index)
        this.places.set(value, this.isHandedOut(value) ? this.newOutput(value) : this.inArena(value))
      }
    }
    const isAgain = this.options.outputs === 'apart'
    const paired = pair(this.outputs, leaves, (leaf) => this.occupants.has(leaf), isAgain)
    this.findHeirs(paired)
    const planned = this.lines.map((line, at) => this.place(line, at, paired))
    return {
      lines: planned,
      places: this.places,
      copiedIn,
      outputs: this.outputs,
      outputBytes: this.outputBytes,
      arenaBytes: this.arena.bytes,
      written: this.written,
    }
  }

  // What is handed out in memory of its own is there before it is: its line writes it over an operand, which then lies there too.
  private findHeirs(paired: ReadonlyMap<Value, number>): void {
    for (const [at, line] of this.lines.entries()) {
      for (const output of resultsOf(line)) {
        if (!this.isHandedOut(output) || paired.has(output)) continue
        const over = line.inputs.find(
          ({ root }) =>
            root.source.kind === 'computed' &&
            root.size > 0 &&
            this.lastRead.get(root) === at &&
            !this.heirs.has(root) &&
            this.canBeWrittenOver(root, output, line),
        )
        if (over !== undefined) this.heirs.set(over.root, output)
      }
    }
  }

  private place(line: Line, at: number, paired: ReadonlyMap<Value, number>): PlannedLine {
    const { inputs, operation, attributes } = line
    for (const { root } of inputs) this.placeConstant(root)
    const replaced = new Set<Value>()
    // What is handed out may lie in donated memory only where no other result of the line took that.
    for (const isFirst of [true, false]) {
      for (const output of resultsOf(line)) {
        if (this.isHandedOut(output) !== isFirst) continue
        this.placeOutput(output, line, at, paired.get(output), replaced)
      }
    }
    const needed = operation.scratch?.(inputs, attributes) ?? 0
    const scratch = needed === 0 ? -1 : this.arena.take(needed)
    if (needed > 0) this.arena.give(scratch, needed)
    const frees: Block[] = []
    for (const root of new Set([...inputs.map((input) => input.root), ...resultsOf(line)])) {
      const place = this.places.get(root)!
      if (place.space !== 'arena' || replaced.has(root) || root.size === 0) continue
      if ((this.lastRead.get(root) ?? -1) > at) continue
      this.arena.give(place.offset, root.size * 4)
      frees.push({ offset: place.offset, bytes: root.size * 4 })
    }
    return { ...line, scratch, frees }
  }

  /** @param replaced the roots whose memory results of the line have taken over: this one may be added */
  private placeOutput(
    output: Value,
    line: Line,
    at: number,
    donated: number | undefined,
    replaced: Set<Value>,
  ): void {
    if (output.size === 0 && !this.isHandedOut(output)) {
      this.places.set(output, { space: 'arena', index: 0, offset: 0 })
      return
    }
    const heir = this.heirs.get(output)
    if (heir !== undefined) {
      const place = this.newOutput(output)
      this.places.set(output, place)
      this.places.set(heir, place)
      return
    }
    if (this.isHandedOut(output)) {
      const before = line.inputs.find(({ root }) => this.heirs.get(root) === output)
      if (before !== undefined) {
        replaced.add(before.root)
        return
      }
      if (donated === undefined || output.size === 0 || !this.isFree(donated, output, line, at)) {
        this.places.set(output, this.newOutput(output))
        return
      }
      replaced.add(this.occupants.get(donated)!)
      this.occupy(donated, output)
      return
    }
    const over = line.inputs.find(
      ({ root }) => !replaced.has(root) && this.canReplace(root, output, line, at),
    )?.root
    if (over === undefined) {
      this.places.set(output, this.inArena(output))
      return
    }
    const place = this.places.get(over)!
    if (place.space === 'leaf') this.occupy(place.index, output)
    else this.places.set(output, place)
    replaced.add(over)
  }

  private occupy(leaf: number, output: Value): void {
    this.occupants.set(leaf, output)
    this.written.add(leaf)
    this.places.set(output, { space: 'leaf', index: leaf, offset: 0 })
  }

  /** Whether nothing that is still read lies in a donated input's memory. */
  private isFree(leaf: number, output: Value, line: Line, at: number): boolean {
    const occupant = this.occupants.get(leaf)!
    if (at < this.safeFrom) return false
    const last = this.lastRead.get(occupant) ?? -1
    return last < at || (last === at && this.canBeWrittenOver(occupant, output, line))
  }

  private canReplace(root: Value, output: Value, line: Line, at: number): boolean {
    if (this.lastRead.get(root) !== at || !this.canBeWrittenOver(root, output, line)) return false
    const { space, index } = this.places.get(root)!
    if (space === 'leaf') return at >= this.safeFrom && this.occupants.get(index) === root
    return space === 'arena'
  }

  private canBeWrittenOver(root: Value, output: Value, line: Line): boolean {
    const { operation, inputs, fused } = line
    if (operation.inPlace !== true || root.size !== output.size) return false
    // A reduction is written before rows that come later have been read.
    if (fused !== undefined && fused.reductions[resultsOf(line).indexOf(output)] !== null) return false
    return inputs.every((input) => input.root !== root || sameShape(input.shape, output.shape))
  }

  private isHandedOut(root: Value): boolean {
    return this.lastRead.get(root) === Number.POSITIVE_INFINITY
  }

  private newOutput(value: Value): Place {
    return { space: 'output', index: this.outputBytes.push(value.size * 4) - 1, offset: 0 }
  }

  private inArena(value: Value): Place {
    return { space: 'arena', index: 0, offset: this.arena.take(value.size * 4) }
  }

  private placeConstant(root: Value): void {
    const { source } = root
    if (source.kind !== 'constant' || this.places.has(root)) return
    this.places.set(root, { space: 'constant', index: 0, offset: source.offset })
  }
}
