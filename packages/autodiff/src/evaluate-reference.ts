import { valuesOf } from './apply.ts'
import { failRange, failType, kindOf } from './fail.ts'
import type { Values } from './operation.ts'
import { slotOn, type Tape } from './tape.ts'
import { type Tensor, tensor } from './tensor.ts'
import { record } from './transforms/vjp.ts'
import { inScope, leaves, mapTensors } from './tree.ts'

/**
 * The values of a recorded program in double precision, by slot: every entry evaluated by its operation's reference.
 *
 * @param inputs float64 numbers for the slots of the program's inputs; constants are read from the heap
 */
function evaluateReference(tape: Tape, inputs: ReadonlyMap<number, Values>): readonly Values[] {
  const found: Values[] = []
  const known = (x: Tensor): Values => {
    const slot = slotOn(x, tape)
    return slot < 0 ? valuesOf(x) : found[slot]!
  }
  for (const [slot, entry] of tape.entries.entries()) {
    if (entry === null) {
      found.push(inputs.get(slot)!)
      continue
    }
    const { operation, attributes, output } = entry
    const values = operation.reference(entry.inputs.map(known), attributes, output.shape)
    if (values.length !== output.size) {
      failRange(
        operation.name,
        `its reference must fill shape [${output.shape.join(',')}], got ${values.length} values`,
        'let `shape` and `reference` agree',
      )
    }
    found.push({ shape: output.shape, values })
  }
  return found
}

/**
 * What `f` returns at `inputs` in double precision: `f` is recorded, and every operation on the tape evaluated by its
 * float64 reference. Nothing is rounded in between, so it is what a kernel, or a gradient, is to be compared with.
 *
 * @param f a function of one tree of tensors, made of operations; it returns a tree of tensors
 * @param inputs the tree
 * @param at float64 numbers for the tensors of `inputs`, in the order of `leaves`: `f` is recorded at the nearest float32
 * point and evaluated there; what `inputs` holds by default
 * @returns shape and float64 numbers of each tensor that `f` returns, in the order of `leaves`
 * @throws TypeError when `f` returns no tensor; RangeError when `at` has not one entry for each tensor
 * @example
 * const [third] = referenceValues((x: t.Tensor) => t.div(x, 3), t.tensor([1]))
 * third.values[0] // => 0.3333333333333333
 */
export function referenceValues<P>(
  f: (inputs: P) => unknown,
  inputs: P,
  at: readonly Values[] = leaves(inputs).map(valuesOf),
): readonly Values[] {
  return inScope((scope) => {
    const count = leaves(inputs).length
    if (at.length !== count) {
      failRange(
        'referenceValues',
        `${count} inputs need numbers, got ${at.length}`,
        'pass one entry for each tensor',
      )
    }
    let next = 0
    const nearest = mapTensors(inputs, (x) => tensor(Float32Array.from(at[next++]!.values), x.shape)) as P
    const { tape, traced, returned } = record('referenceValues', scope, f, nearest, true)
    const found = evaluateReference(tape, new Map(leaves(traced).map((x, i) => [x.slot, at[i]!] as const)))
    const outputs = leaves(returned)
    if (outputs.length === 0)
      failType('referenceValues', `the function must return tensors, got ${kindOf(returned)}`)
    return outputs.map((output) => {
      const slot = slotOn(output, tape)
      return slot < 0 ? valuesOf(output) : found[slot]!
    })
  })
}
