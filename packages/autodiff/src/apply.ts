import { failType, kindOf } from './fail.ts'
import { failForeign } from './foreign.ts'
import { isDisabled } from './kernels/disabled.ts'
import { allocate, heapFloats, release, retain, type Storage } from './memory.ts'
import type { Operation, Values } from './operation.ts'
import { currentWatcher, own } from './scopes.ts'
import { type Shape, sizeOf } from './shape.ts'
import { knownUnder, type Tape } from './tape.ts'
import { abstractOn, failDisposed, isGone, onTape, Tensor } from './tensor.ts'

/** What operations accept: a tensor, or a number where one is meant. */
export type Operand = Tensor | number

/**
 * Applies an operation: checks shapes, runs its kernel, and appends it to the youngest open tape among the operands.
 * A value that several tapes depend on is recorded on each.
 */
export function apply<A, I extends readonly Tensor[]>(
  operation: Operation<A, I>,
  inputs: I,
  attributes: A,
): Tensor {
  for (let i = 0; i < inputs.length; i++) if (isGone(inputs[i]!)) failDisposed(operation.name, inputs[i]!)
  return applyUnder(operation, inputs, attributes, operation.shape(inputs, attributes), deeperThanAll)
}

// A small integer: comparisons stay those of integers.
const deeperThanAll = 2 ** 30 - 1

function applyUnder<A, I extends readonly Tensor[]>(
  operation: Operation<A, I>,
  inputs: I,
  attributes: A,
  shape: Shape,
  depth: number,
): Tensor {
  let tape: Tape | null = null
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!
    if (x.tape === null || x.tape === tape) continue
    const known = knownUnder(x, depth)
    if (known !== null && (tape === null || known.tape!.depth > tape.depth)) tape = known.tape
  }
  if (tape === null) return compute(operation, inputs, attributes, shape, null)
  if (tape.abstract) {
    const output = abstractOn(tape, shape, tape.entries.length)
    tape.append(operation, inputs, attributes, output)
    return output
  }
  let nested = false
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!
    // On this tape alone, as nearly always, it is known to no other.
    if (x.tape === null || (x.tape === tape && x.below === null)) continue
    if (knownUnder(x, tape.depth) !== null) nested = true
  }
  const output = nested
    ? recorded(applyUnder(operation, inputs, attributes, shape, tape.depth), tape)
    : compute(operation, inputs, attributes, shape, tape)
  tape.append(operation, inputs, attributes, output)
  return output
}

function recorded(below: Tensor, tape: Tape): Tensor {
  return onTape(below, tape, tape.entries.length, below)
}

function compute<A, I extends readonly Tensor[]>(
  operation: Operation<A, I>,
  inputs: I,
  attributes: A,
  shape: Shape,
  tape: Tape | null,
): Tensor {
  const slot = tape === null ? -1 : tape.entries.length
  const size = sizeOf(shape)
  const first = operation.alias === undefined ? -1 : operation.alias(inputs, attributes)
  const from = inputs[0]
  const storage = first >= 0 && from !== undefined ? retain(from.storage) : allocate(size * 4, shape)
  const offset = first >= 0 && from !== undefined ? from.offset + first * 4 : storage.offset
  const output = new Tensor(shape, size, offset, storage, tape, slot, null)
  if (tape === null) own(output)
  else own(output, tape.scope)
  if (first < 0 && (size > 0 || operation.effect === true)) {
    let filled = false
    let scratch: Storage | undefined
    try {
      if (operation.kernel !== undefined && !isDisabled(operation.name)) {
        if (operation.scratch !== undefined) scratch = workingMemory(operation.scratch(inputs, attributes))
        operation.kernel(output, inputs, attributes, scratch === undefined ? 0 : scratch.offset)
      } else {
        // First, for it may take memory, and make the heap grow.
        const values = operation.reference(inputs.map(valuesOf), attributes, shape)
        heapFloats().set(values, output.offset / 4)
      }
      filled = true
    } finally {
      if (scratch !== undefined) release(scratch)
      // A kernel refuses what it reads, or there is no room for its scratch: nobody has the output yet.
      if (!filled) output.free()
    }
    const watcher = currentWatcher()
    if (watcher !== null) watcher.look(operation as Operation, inputs, attributes, output)
  }
  return output
}

function workingMemory(bytes: number): Storage | undefined {
  return bytes === 0 ? undefined : allocate(bytes)
}

/** The numbers of a tensor as the reference reads them. */
export function valuesOf(x: Tensor): Values {
  return {
    shape: x.shape,
    values: Float64Array.from(heapFloats().subarray(x.offset / 4, x.offset / 4 + x.size)),
  }
}

/**
 * Applies an operation to tensors and numbers, which become scalars for as long as the operation, or its tape, needs them.
 *
 * @param operands the list is given away: scalars are put in the place of numbers
 * @throws TypeError for anything else, before memory is taken
 */
export function applyTo<A, I extends readonly Tensor[]>(
  operation: Operation<A, I>,
  operands: Operand[],
  attributes: A,
): Tensor {
  let hasNumbers = false
  for (let i = 0; i < operands.length; i++) {
    const x = operands[i]
    if (x instanceof Tensor) {
      if (isGone(x)) failDisposed(operation.name, x)
    } else if (typeof x === 'number') hasNumbers = true
    else {
      failForeign(operation.name, x)
      failType(
        operation.name,
        `operands must be tensors or numbers, got ${kindOf(x)}`,
        'wrap arrays in t.tensor',
      )
    }
  }
  if (hasNumbers) return applyToScalars(operation, operands, attributes)
  // The kinds are checked above; how many there are is the caller's signature.
  return apply(operation, operands as readonly Tensor[] as I, attributes)
}

function applyToScalars<A, I extends readonly Tensor[]>(
  operation: Operation<A, I>,
  operands: Operand[],
  attributes: A,
): Tensor {
  // A bit for each that is made here.
  let made = 0
  let output: Tensor | undefined
  try {
    for (let i = 0; i < operands.length; i++) {
      const x = operands[i]!
      if (typeof x !== 'number') continue
      operands[i] = scalar(x)
      made |= 1 << i
    }
    output = apply(operation, operands as readonly Tensor[] as I, attributes)
    return output
  } finally {
    for (let i = 0; made >> i !== 0; i++) {
      if (((made >> i) & 1) === 0) continue
      const x = operands[i] as Tensor
      if (output !== undefined && x.neededBy !== null) own(x, x.neededBy)
      else {
        x.offset = -1
        release(x.storage)
      }
    }
  }
}

// A number that nobody owns yet: most are given back at once, and never enter the books.
function scalar(value: number): Tensor {
  const storage = allocate(4, scalarShape)
  heapFloats()[storage.offset / 4] = value
  return new Tensor(scalarShape, 1, storage.offset, storage, null, -1, null)
}

/** An operand that must be a tensor, with memory. */
export function tensorOperand(operation: string, x: unknown): Tensor {
  if (!(x instanceof Tensor)) {
    failForeign(operation, x)
    failType(operation, `a tensor is needed, got ${kindOf(x)}`, 'wrap numbers and arrays in t.tensor')
  }
  if (isGone(x)) failDisposed(operation, x)
  return x
}

const scalarShape: Shape = Object.freeze([])
