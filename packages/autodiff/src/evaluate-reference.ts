import { valuesOf } from './apply.ts'
import type { Values } from './operation.ts'
import { slotOn, type Tape } from './tape.ts'
import type { Tensor } from './tensor.ts'

/**
 * The values of a recorded program in double precision, by slot: every entry evaluated by its operation's reference.
 *
 * @param inputs float64 numbers for the slots of the program's inputs; constants are read from the heap
 */
export function evaluateReference(tape: Tape, inputs: ReadonlyMap<number, Values>): readonly Values[] {
  const found: Values[] = []
  const known = (x: Tensor): Values => {
    const slot = slotOn(x, tape)
    return slot < 0 ? valuesOf(x) : found[slot]!
  }
  for (const [slot, entry] of tape.entries.entries()) {
    if (entry === null) {
      const given = inputs.get(slot)
      if (given === undefined) throw new RangeError(`evaluateReference: input slot ${slot} has no value`)
      found.push(given)
    } else {
      const { operation, attributes, output } = entry
      const values = operation.reference(entry.inputs.map(known), attributes, output.shape)
      found.push({ shape: output.shape, values })
    }
  }
  return found
}
