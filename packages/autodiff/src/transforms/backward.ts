import { add } from '../ops/add.ts'
import { currentOrigin, currentWatcher, setOrigin } from '../scopes.ts'
import { slotOn, type Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'

/**
 * The cotangent of every slot of a closed tape, from those of its outputs: the reverse walk. A vjp runs only for
 * inputs that lie on the tape, so constants cost nothing; what several entries read is added up in the order of the walk.
 *
 * What is recorded or looked at meanwhile stands where the entry stands that it comes from, in the backward pass.
 *
 * @param seeds cotangents by slot that others are added to
 * @returns by slot; undefined where the outputs do not depend on it
 */
export function backward(
  tape: Tape,
  outputs: readonly Tensor[],
  cotangents: readonly (Tensor | undefined)[],
  seeds: readonly (Tensor | undefined)[] = [],
): readonly (Tensor | undefined)[] {
  const found: (Tensor | undefined)[] = new Array(tape.entries.length)
  for (let slot = 0; slot < seeds.length; slot++) found[slot] = seeds[slot]
  /** Of entries with several results: the cotangent of each. */
  let parts: Map<number, (Tensor | undefined)[]> | undefined
  for (let i = 0; i < outputs.length; i++) {
    const cotangent = cotangents[i]
    if (cotangent !== undefined) accumulate(found, slotOn(outputs[i]!, tape), cotangent)
  }
  // Who records or looks asks where; nobody does where values are made and nothing else.
  const isTold = currentWatcher() !== null || [outputs, cotangents, seeds].some(hasOnlyShapes)
  const around = currentOrigin()
  try {
    for (let slot = tape.entries.length - 1; slot >= 0; slot--) {
      const entry = tape.entries[slot]
      if (entry === null || entry === undefined) continue
      if (isTold) setOrigin({ ...entry.origin, backwardOf: entry.operation.name })
      const { operation, inputs, attributes, output } = entry
      if (operation.pull !== undefined) {
        const whole = found[slot]
        const given = whole === undefined ? parts?.get(slot) : [whole]
        if (given === undefined) continue
        const slots = inputs.map((input) => slotOn(input, tape))
        const wanted = slots.map((into) => into >= 0)
        // Of inputs that are one value the last one takes it on.
        const before = slots.map((into, i) => (slots.lastIndexOf(into) === i ? found[into] : undefined))
        for (const into of slots) if (into >= 0) found[into] = undefined
        const pulled = operation.pull(given, output, inputs, attributes, wanted, before)
        for (let i = slots.length - 1; i >= 0; i--) {
          const cotangent = pulled[i]
          if (cotangent) accumulate(found, slots[i]!, cotangent)
        }
        continue
      }
      const cotangent = found[slot]
      if (cotangent === undefined) continue
      if (operation.part !== undefined) {
        const into = slotOn(inputs[0]!, tape)
        parts ??= new Map()
        const given = parts.get(into) ?? []
        accumulate(given, operation.part(attributes), cotangent)
        parts.set(into, given)
        continue
      }
      const { vjp } = operation
      for (let i = 0; i < inputs.length; i++) {
        const into = slotOn(inputs[i]!, tape)
        if (into < 0) continue
        const rule = typeof vjp === 'function' ? vjp : vjp[i]
        if (rule) accumulate(found, into, rule(cotangent, output, inputs, attributes, i))
      }
    }
  } finally {
    setOrigin(around)
  }
  return found
}

function hasOnlyShapes(values: readonly (Tensor | undefined)[]): boolean {
  return values.some((x) => x !== undefined && x.offset < 0)
}

function accumulate(found: (Tensor | undefined)[], slot: number, cotangent: Tensor): void {
  if (slot < 0) return
  const before = found[slot]
  found[slot] = before === undefined ? cotangent : add(before, cotangent)
}
