import { rekey } from '../../compile/again.ts'
import { hasKeys } from '../../compile/keyed.ts'
import { partOperation } from '../../compile/part.ts'
import { foldIn, type Key } from '../../key.ts'
import type { Batch, Operation } from '../../operation.ts'
import { reshape } from '../../ops/reshape.ts'
import { currentOrigin, originWithin, type Scope, setOrigin } from '../../scopes.ts'
import { type Entry, slotOn, Tape } from '../../tape.ts'
import { alias, Tensor } from '../../tensor.ts'
import { TracedKey } from '../../traced-key.ts'
import { inScope } from '../../tree.ts'
import { refuseAsynchronous } from '../functions.ts'
import { byExample, exampleOf } from './by-example.ts'
import { Mapped } from './mapped.ts'

/** Does an operation for several examples at once, as `Batch` says. */
export type BatchingRule = (
  ...given: Parameters<Batch<unknown, readonly Tensor[]>>
) => Tensor | readonly Tensor[] | null

/** The rule of an operation, null where it has none: it is applied example by example then. */
export type RuleOf = (operation: Operation) => BatchingRule | null

/** What a function is mapped over. */
export interface Examples {
  readonly size: number
  /** With the examples along the first axis. */
  readonly inputs: readonly Tensor[]
  /** Example i is given the child of each that is named i. */
  readonly keys: readonly Key[]
}

/** A function that has been run on all examples. */
export interface MappedRun<R> {
  /** What it returned when it was recorded on one example. */
  readonly returned: R
  /** What stands for a tensor in there: with the examples along the first axis; null where it is the same for all. */
  valueOf(x: Tensor): Tensor | null
}

/**
 * Records `f` once on the shapes of one example, and applies what was recorded to all of them, on the tapes around.
 *
 * @param operation what errors begin with
 * @param scope of its own, which must stay open until the values are used
 * @param outputs the tensors in what `f` returns
 */
export function mapExamples<R>(
  operation: string,
  scope: Scope,
  f: (inputs: readonly Tensor[], keys: readonly Key[]) => R,
  outputs: (returned: R) => readonly Tensor[],
  { size, inputs, keys }: Examples,
  ruleOf: RuleOf,
): MappedRun<R> {
  const tape = new Tape(scope, true)
  const example = inputs.map(({ shape }) => tape.abstractInput(shape.slice(1)))
  const exampleKeys = keys.map((_, i) => TracedKey.input(tape, i))
  let returned: R
  try {
    returned = f(example, exampleKeys)
  } finally {
    tape.open = false
  }
  refuseAsynchronous(operation, returned)
  const readers = lastReaders(tape, outputs(returned))
  const values: Mapped[] = inputs.map((whole) => new Mapped(whole.shape.slice(1), { whole }))
  const known = (x: Tensor): Mapped | null => {
    const slot = slotOn(x, tape)
    return slot < 0 ? null : values[slot]!
  }
  const rekeyed = Array.from({ length: hasKeyed(tape) ? size : 0 }, (_, i) => {
    return new Map<Key, Key>(exampleKeys.map((key, k) => [key, foldIn(keys[k]!, i)]))
  })
  const keyOf = (i: number) => (key: Key) => rekey(key, rekeyed[i]!, tape)
  const around = currentOrigin()
  try {
    for (const [slot, entry] of tape.entries.entries()) {
      if (entry === null || readers[slot] === undefined) continue
      setOrigin(originWithin(around, entry.origin))
      values[slot] = mapEntry(entry, entry.inputs.map(known), size, keyOf, ruleOf)
      for (const x of new Set(entry.inputs.map((input) => slotOn(input, tape)))) {
        if (x >= inputs.length && readers[x] === slot) values[x]!.dispose()
      }
    }
  } finally {
    setOrigin(around)
  }
  return { returned, valueOf: (x) => known(x)?.whole ?? null }
}

function hasKeyed(tape: Tape): boolean {
  return tape.entries.some((entry) => entry !== null && hasKeys(entry.attributes))
}

/** By slot, the last entry that reads it, or a number beyond all for outputs; undefined where nothing depends on it. */
function lastReaders(tape: Tape, outputs: readonly Tensor[]): readonly (number | undefined)[] {
  const { entries } = tape
  const readers: (number | undefined)[] = new Array(entries.length)
  for (const x of outputs) {
    const slot = slotOn(x, tape)
    if (slot >= 0) readers[slot] = entries.length
  }
  for (const [slot, entry] of [...entries.entries()].reverse()) {
    if (entry === null) continue
    if (entry.operation.effect) readers[slot] ??= slot
    if (readers[slot] === undefined) continue
    for (const x of entry.inputs) {
      const from = slotOn(x, tape)
      if (from >= 0) readers[from] ??= slot
    }
  }
  return readers
}

function mapEntry(
  { operation, inputs, attributes, output }: Entry,
  mapped: readonly (Mapped | null)[],
  size: number,
  keyOf: (i: number) => (key: Key) => Key,
  ruleOf: RuleOf,
): Mapped {
  const { shape } = output
  const packed = operation === partOperation ? mapped[0] : null
  if (packed?.parts !== undefined) {
    return new Mapped(shape, { whole: alias('vmap', packed.parts[operation.part!(attributes)]!) })
  }
  // The part of an example is taken from that: gradients go through it, and not through a whole of all.
  const isKeyed = hasKeys(attributes) && attributes.keys.length > 0
  const rule = isKeyed || packed?.examples !== undefined ? null : ruleOf(operation)
  if (rule !== null) {
    const wholes = inputs.map((x, k) => mapped[k]?.whole ?? x)
    const isBatched = mapped.map((x) => x !== null)
    const found = inScope(() => {
      const made = rule(wholes, attributes, isBatched, size)
      const [whole] = made === null || made instanceof Tensor ? [made] : made.length === 1 ? made : []
      // Under a name of its own where it has that shape: each value is disposed of by itself.
      return whole ? reshape(whole, [size, ...shape]) : (made as readonly Tensor[] | null)
    })
    if (found !== null)
      return new Mapped(shape, found instanceof Tensor ? { whole: found } : { parts: found })
  }
  // Made before, where they must be: what is made for one entry alone is freed with it.
  const operands = mapped.map((x) => x?.examples ?? x?.whole)
  const operandOf = (k: number, i: number): Tensor => {
    const found = operands[k] ?? inputs[k]!
    return found instanceof Tensor ? (mapped[k] === null ? found : exampleOf(found, i)) : found[i]!
  }
  const examples = inScope(() => byExample(operation, inputs.length, attributes, size, operandOf, keyOf))
  return new Mapped(shape, { examples })
}
