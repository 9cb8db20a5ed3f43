import type { Operation } from './operation.ts'
import { isOpen, type Scope } from './scopes.ts'
import type { Shape } from './shape.ts'
import { abstractOn, moveTo, onTape, type Tensor, type TracedNumber, tracedNumberOn } from './tensor.ts'

/** One line of the program: an operation, what it was applied to, and what came out. */
export interface Entry {
  readonly operation: Operation
  readonly inputs: readonly Tensor[]
  readonly attributes: unknown
  readonly output: Tensor
}

/**
 * The program: a flat list of entries in static single assignment form. An entry's place is its slot; the
 * inputs of the program take slots too, with null for an entry.
 *
 * A tape lives in one call of a transform. While it is open, operations on its values append to it; once closed,
 * its values are constants, or what the tapes around know of them.
 */
export class Tape {
  readonly scope: Scope
  readonly entries: (Entry | null)[] = []
  /** Whether values are only shapes: nothing is computed. */
  readonly abstract: boolean
  /** Whether it is read as a program, not only backwards: what no gradient goes through is on it too. */
  readonly complete: boolean
  /** How deeply its transform is nested: the youngest tape is the deepest. */
  readonly depth: number
  open = true
  constructor(scope: Scope, abstract = false, complete: boolean = abstract) {
    this.scope = scope
    this.abstract = abstract
    this.complete = complete
    this.depth = scope.depth
  }

  /** Makes `x` an input of the program. */
  input(x: Tensor): Tensor {
    this.entries.push(null)
    return onTape(x, this, this.entries.length - 1, knownUnder(x, this.depth))
  }

  /** Makes an input of the program of which only the shape is known. */
  abstractInput(shape: Shape): Tensor {
    this.entries.push(null)
    return abstractOn(this, shape, this.entries.length - 1)
  }

  /** Makes an input of the program that is a number. */
  abstractNumber(): TracedNumber {
    this.entries.push(null)
    return tracedNumberOn(this, this.entries.length - 1)
  }

  /** Appends a line; its inputs live as long as the tape does. */
  append(operation: Operation, inputs: readonly Tensor[], attributes: unknown, output: Tensor): void {
    for (let i = 0; i < inputs.length; i++) this.keep(inputs[i]!)
    this.entries.push({ operation, inputs, attributes, output })
  }

  private keep(x: Tensor): void {
    const { scope } = this
    if (x.owner !== null && x.owner.depth > this.depth) moveTo(x, scope)
    if (x.neededBy !== scope && this.isFirstToNeed(x.neededBy)) x.neededBy = scope
    if (this.abstract) return
    // Of an alias too: the memory is the same. What is only a shape has none.
    const { storage } = x
    if (storage.neededBy !== scope && this.isFirstToNeed(storage.neededBy)) storage.neededBy = scope
  }

  private isFirstToNeed(needed: Scope | null): boolean {
    return needed === null || needed.depth > this.depth || !isOpen(needed)
  }
}

/** `x` as the youngest open tape shallower than `depth` knows it; null where none does. */
export function knownUnder(x: Tensor, depth: number): Tensor | null {
  let known: Tensor | null = x
  while (known !== null && known.tape !== null) {
    if (known.tape.open && known.tape.depth < depth) return known
    known = known.below
  }
  return null
}

/** `x` as the youngest open tape that is read as a program knows it; null where none does. */
export function knownToProgram(x: Tensor): Tensor | null {
  let known: Tensor | null = x
  while (known !== null && known.tape !== null) {
    if (known.tape.open && known.tape.complete) return known
    known = known.below
  }
  return null
}

/** The slot of `x` on `tape`, -1 where it is a constant there. */
export function slotOn(x: Tensor, tape: Tape): number {
  let known: Tensor | null = x
  while (known !== null) {
    if (known.tape === tape) return known.slot
    known = known.below
  }
  return -1
}
