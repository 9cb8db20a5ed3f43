import { failType, Key, kindOf, Tensor } from '@tapeflow/autodiff'

/**
 * Throws unless `value` can be sent as it is: data that can be cloned.
 *
 * @throws TypeError for a function, a tensor, a key or what else cannot be cloned: names the place and what to do
 */
export function requireSendable(value: unknown, path = 'options', seen: Set<object> = new Set()): void {
  const remedy = remedyFor(value)
  if (remedy !== null) {
    failType(
      'fitInWorker',
      `options must be data that can be cloned, got ${kindOf(value)} at ${path}`,
      remedy,
    )
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return
  seen.add(value)
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return
  if (value instanceof Map || value instanceof Set) {
    for (const [key, inner] of value.entries()) {
      requireSendable(key, `a key of ${path}`, seen)
      requireSendable(inner, `a value of ${path}`, seen)
    }
  } else if (isPlainOrArray(value)) {
    for (const [key, inner] of Object.entries(value)) requireSendable(inner, `${path}.${key}`, seen)
  } else requireCloneable(value, path)
}

function remedyFor(value: unknown): string | null {
  if (typeof value === 'function') return 'make it in the module, where functions can be, from what is sent'
  if (typeof value === 'symbol') return 'send a string'
  if (value instanceof Tensor) return 'its memory is of this thread: send t.toSnapshot(tensor)'
  if (value instanceof Key) return 'send the seed, and make the key in the module'
  return null
}

function isPlainOrArray(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null || Array.isArray(value)
}

// Dates, errors and the like can be; promises, weak maps and elements of a page cannot.
function requireCloneable(value: object, path: string): void {
  try {
    structuredClone(value)
  } catch {
    failType(
      'fitInWorker',
      `options must be data that can be cloned, got ${kindOf(value)} at ${path}`,
      'send plain data, and make the rest in the module',
    )
  }
}
