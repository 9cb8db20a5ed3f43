import { type Key, key } from '@tapeflow/autodiff'
import fc from 'fast-check'

/**
 * Random keys, of any 32-bit seed. They shrink to `key(0)`.
 *
 * @example
 * const noise = (k) => t.scope(() => t.normal(k, [3]).toArray())
 * fc.assert(fc.property(keys(), (k) => String(noise(k)) === String(noise(k))))
 */
export function keys(): fc.Arbitrary<Key> {
  return fc.integer({ min: 0, max: 0xffffffff }).map((seed) => key(seed))
}
