import { add } from '../ops/add.ts'
import { slotOn, type Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'

/**
 * The cotangent of every slot of a closed tape, from those of its outputs: the reverse walk. A vjp runs only for
 * inputs that lie on the tape, so constants cost nothing; what several entries read is added up in the order of the walk.
 *
 * @returns by slot; undefined where the outputs do not depend on it
 */
export function backward(
  tape: Tape,
  outputs: readonly Tensor[],
  cotangents: readonly Tensor[],
): readonly (Tensor | undefined)[] {
  const found: (Tensor | undefined)[] = new Array(tape.entries.length)
  for (let i = 0; i < outputs.length; i++) accumulate(found, slotOn(outputs[i]!, tape), cotangents[i]!)
  for (let slot = tape.entries.length - 1; slot >= 0; slot--) {
    const entry = tape.entries[slot]
    const cotangent = found[slot]
    if (entry === null || entry === undefined || cotangent === undefined) continue
    const { operation, inputs, attributes, output } = entry
    for (let i = 0; i < inputs.length; i++) {
      const into = slotOn(inputs[i]!, tape)
      if (into < 0) continue
      const rule = typeof operation.vjp === 'function' ? operation.vjp : operation.vjp[i]
      if (rule) accumulate(found, into, rule(cotangent, output, inputs, attributes, i))
    }
  }
  return found
}

function accumulate(found: (Tensor | undefined)[], slot: number, cotangent: Tensor): void {
  if (slot < 0) return
  const before = found[slot]
  found[slot] = before === undefined ? cotangent : add(before, cotangent)
}
