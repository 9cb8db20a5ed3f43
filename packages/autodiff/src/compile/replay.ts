import { valuesOf } from '../apply.ts'
import { isDisabled } from '../kernels/disabled.ts'
import { heapFloats, isPoisoned, nowhere } from '../memory.ts'
import type { Numerics } from '../numerics.ts'
import type { Kernel, Operation } from '../operation.ts'
import { sameShape } from '../shape.ts'
import { Tensor } from '../tensor.ts'
import { ElementwiseCall, loopOfLine } from './elementwise-call.ts'
import { resultsOf, type Value } from './graph.ts'
import { mayFail } from './order.ts'
import { canTakeTurns } from './overlap.ts'
import type { Block, Place, Plan, PlannedLine } from './plan.ts'
import { type Head, headRowsAtOnce, isReducing, RowsCall } from './rows-call.ts'

/** An operation on tensors that are there to stay: only where they lie changes. */
interface KernelCall {
  readonly loop?: undefined
  readonly operation: Operation
  /** What runs it, unless it is switched off. */
  readonly kernel: Kernel<unknown, readonly Tensor[]> | undefined
  readonly output: Tensor
  readonly inputs: readonly Tensor[]
  readonly attributes: unknown
  readonly scratchAt: number
  scratch: number
  readonly frees: readonly Block[]
}

interface LoopCall {
  readonly loop: ElementwiseCall | RowsCall
  readonly frees: readonly Block[]
}

type Call = KernelCall | LoopCall

/** The tensors that lie in one piece of memory, and how far from its beginning. */
class Space {
  readonly tensors: Tensor[] = []
  readonly distances: number[] = []
  private base = -1

  add(tensor: Tensor, distance: number): void {
    this.tensors.push(tensor)
    this.distances.push(distance)
  }

  /** @returns whether it was elsewhere before */
  move(base: number): boolean {
    if (base === this.base) return false
    this.base = base
    for (let i = 0; i < this.tensors.length; i++) this.tensors[i]!.offset = base + this.distances[i]!
    return true
  }
}

/**
 * A plan made ready to run: every operand of every line is a tensor made once. Its memory is whatever it is told to be,
 * between two runs it owns none.
 */
export class Replay {
  private readonly calls: Call[] = []
  private readonly loops: (ElementwiseCall | RowsCall)[] = []
  private hasMoved = true
  private readonly arena = new Space()
  private readonly leaves: Space[] = []
  private readonly outputs: Space[] = []
  private readonly tensors = new Map<Value, Tensor>()
  private readonly places: ReadonlyMap<Value, Place>
  private arenaBase = 0

  /**
   * @param inputs the values of the traced inputs, by leaf
   * @param numerics the numeric mode, where it is not strict
   */
  constructor(plan: Plan, inputs: readonly (Value | null)[], numerics: Numerics | null) {
    this.places = plan.places
    // Also those that no line reads: they are handed out, and must move with their memory.
    for (const leaf of plan.copiedIn) this.operand(inputs[leaf]!)
    let before: PlannedLine | null = null
    for (const line of plan.lines) {
      const { output, inputs, frees } = line
      // What has no elements is not computed.
      if (output.size === 0 && !mayFail(line)) continue
      const operands = inputs.map((input) => this.operand(input))
      const loop = isDisabled(line.operation.name) ? undefined : loopOfLine(line)
      if (loop !== undefined) {
        const results = resultsOf(line).map((value) => this.operand(value))
        if (isReducing(loop)) {
          this.addLoop(new RowsCall(loop, results, operands, line.scratch, numerics), frees)
        } else {
          const head = this.headOf(line, before, numerics)
          if (head === null) this.addLoop(new ElementwiseCall(loop, results, operands, numerics), frees)
          else {
            this.calls.pop()
            this.addLoop(new RowsCall(loop, results, operands, -1, numerics, head), [
              ...before!.frees,
              ...frees,
            ])
          }
        }
      } else if (line.fused === undefined) {
        const { operation, attributes, scratch } = line
        const into = this.operand(output)
        this.calls.push({
          operation,
          kernel: kernelOf(operation, numerics),
          output: into,
          inputs: operands,
          attributes,
          scratchAt: scratch,
          scratch: Math.max(0, scratch),
          frees,
        })
      }
      before = line
    }
  }

  private addLoop(loop: ElementwiseCall | RowsCall, frees: readonly Block[]): void {
    this.loops.push(loop)
    this.calls.push({ loop, frees })
  }

  // The line before, where the loop reads its result, and it pays to do both a few rows at a time.
  private headOf(line: PlannedLine, before: PlannedLine | null, numerics: Numerics | null): Head | null {
    if (before === null || before.fused !== undefined || loopOfLine(before) !== undefined) return null
    const { operation, attributes, inputs, output, scratch } = before
    const kernel = kernelOf(operation, numerics)
    if (kernel === undefined || isDisabled(operation.name)) return null
    if (!line.inputs.includes(output) || !sameShape(output.shape, line.output.shape)) return null
    // A view of it may be of rows that are not there yet.
    if (line.inputs.some((input) => input.root === output && input !== output)) return null
    const head = {
      operation,
      kernel,
      attributes,
      inputs: inputs.map((input) => this.operand(input)),
      output: this.operand(output),
      scratchAt: scratch,
    }
    return headRowsAtOnce(head) > 0 && canTakeTurns(before, line, this.places) ? head : null
  }

  /** Says where the memory of a traced input begins. */
  moveLeaf(leaf: number, offset: number): void {
    if (this.leaves[leaf]?.move(offset)) this.hasMoved = true
  }

  /** Says where an output is to be written. */
  moveOutput(index: number, offset: number): void {
    if (this.outputs[index]?.move(offset)) this.hasMoved = true
  }

  /** Says where the program's own memory begins. */
  moveArena(offset: number): void {
    if (!this.arena.move(offset)) return
    this.hasMoved = true
    this.arenaBase = offset
    for (const call of this.calls) {
      // Of a kernel that needs none it is 0: by that it is told.
      if (call.loop === undefined && call.scratchAt >= 0) call.scratch = offset + call.scratchAt
    }
  }

  /** The operand that stands for a value: where it lies now. */
  operand(value: Value): Tensor {
    const found = this.tensors.get(value)
    if (found !== undefined) return found
    const place = this.places.get(value.root)!
    const distance = place.offset + value.at
    const made = new Tensor(value.shape, value.size, distance, nowhere, null, -1, null)
    this.tensors.set(value, made)
    if (place.space === 'arena') this.arena.add(made, distance)
    else if (place.space === 'leaf') this.space(this.leaves, place.index).add(made, distance)
    else if (place.space === 'output') this.space(this.outputs, place.index).add(made, distance)
    return made
  }

  /** Runs every line. */
  run(): void {
    if (this.hasMoved) {
      for (const loop of this.loops) loop.moved(this.arenaBase)
      this.hasMoved = false
    }
    if (isPoisoned()) this.runPoisoned()
    else for (let i = 0; i < this.calls.length; i++) perform(this.calls[i]!)
  }

  // What nobody reads any more becomes NaN at once: a line that reads it all the same shows.
  private runPoisoned(): void {
    for (const call of this.calls) {
      perform(call)
      for (const { offset, bytes } of call.frees) {
        const from = (this.arenaBase + offset) / 4
        heapFloats().fill(Number.NaN, from, from + bytes / 4)
      }
    }
  }

  private space(spaces: Space[], index: number): Space {
    let found = spaces[index]
    if (found === undefined) {
      found = new Space()
      spaces[index] = found
    }
    return found
  }
}

function kernelOf(operation: Operation, numerics: Numerics | null): KernelCall['kernel'] {
  return (numerics === null ? undefined : operation.kernelIn?.(numerics)) ?? operation.kernel
}

function perform(call: Call): void {
  if (call.loop !== undefined) {
    call.loop.run()
    return
  }
  const { operation, kernel, output, inputs, attributes, scratch } = call
  if (kernel !== undefined && !isDisabled(operation.name)) {
    kernel(output, inputs, attributes, scratch)
  } else {
    const values = operation.reference(inputs.map(valuesOf), attributes, output.shape)
    heapFloats().set(values, output.offset / 4)
  }
}
