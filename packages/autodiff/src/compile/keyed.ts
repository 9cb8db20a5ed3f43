import { apply } from '../apply.ts'
import type { Key } from '../key.ts'
import type { Operation } from '../operation.ts'
import type { Shape } from '../shape.ts'
import { knownUnder, type Tape } from '../tape.ts'
import { abstractOn, failDisposed, isGone, onTape, type Tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { isPlain } from '../tree.ts'

/** Attributes of an operation that takes keys. */
export interface Keyed {
  readonly keys: readonly Key[]
}

/** Whether an operation with such attributes takes keys. */
export function hasKeys(attributes: unknown): attributes is Keyed {
  return isPlain(attributes) && Array.isArray(attributes.keys)
}

/** Applies an operation that takes keys: a traced one counts like an operand when the tape is found. */
export function applyKeyed<A extends Keyed>(
  operation: Operation<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor {
  let tape: Tape | null = null
  for (const key of attributes.keys) {
    if (!(key instanceof TracedKey)) continue
    const other = key.openTape(operation.name)
    if (tape === null || other.depth > tape.depth) tape = other
  }
  if (tape === null) return apply(operation, inputs, attributes)
  for (const x of inputs) if (isGone(x)) failDisposed(operation.name, x)
  const shape = operation.shape(inputs, attributes)
  return recordUnder(tape, operation, inputs, attributes, shape, Number.POSITIVE_INFINITY)
}

// Ends at the tape of the key at the latest: that is abstract.
function recordUnder<A extends Keyed>(
  keyed: Tape,
  operation: Operation<A>,
  inputs: readonly Tensor[],
  attributes: A,
  shape: Shape,
  depth: number,
): Tensor {
  let tape = keyed
  for (const x of inputs) {
    const known = knownUnder(x, depth)?.tape
    if (known && known.depth > tape.depth) tape = known
  }
  const slot = tape.entries.length
  let output: Tensor
  if (tape.abstract) output = abstractOn(tape, shape, slot)
  else {
    const below = recordUnder(keyed, operation, inputs, attributes, shape, tape.depth)
    output = onTape(below, tape, slot, below)
  }
  tape.append(operation as Operation, inputs, attributes, output)
  return output
}
