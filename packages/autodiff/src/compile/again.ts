import { apply } from '../apply.ts'
import { child, type Key } from '../key.ts'
import type { Operation } from '../operation.ts'
import type { Tape } from '../tape.ts'
import type { Tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { applyKeyed, hasKeys } from './keyed.ts'

/** Applies an operation as it was recorded, with other keys in the place of those that it was recorded with. */
export function applyAgain(
  operation: Operation,
  inputs: readonly Tensor[],
  attributes: unknown,
  rekeyed: (key: Key) => Key,
): Tensor {
  if (!hasKeys(attributes)) return apply(operation, inputs, attributes)
  const again = { ...attributes, keys: attributes.keys.map(rekeyed) }
  // A scan keeps its carries where it is differentiated now, whatever was the case when it was recorded.
  const saving = 'saving' in again && { saving: again.saving || inputs.some(isDifferentiated) }
  return applyKeyed(operation, inputs, { ...again, ...saving })
}

/**
 * The key that stands for a key of `tape`: known, or derived from what stands for the one that it was derived from.
 *
 * @param rekeyed what stands for keys that are known; others are added
 */
export function rekey(key: Key, rekeyed: Map<Key, Key>, tape: Tape): Key {
  const known = rekeyed.get(key)
  if (known !== undefined || !(key instanceof TracedKey) || key.tape !== tape) return known ?? key
  const { source } = key
  if (source.kind === 'input' || typeof source.count !== 'number') return key
  const made = child('foldIn', rekey(source.parent, rekeyed, tape), source.count, source.use)
  rekeyed.set(key, made)
  return made
}

/** Whether a gradient may be taken by `x`. */
export function isDifferentiated(x: Tensor): boolean {
  for (let known: Tensor | null = x; known !== null; known = known.below) {
    if (known.tape?.open && !known.tape.abstract) return true
  }
  return false
}
