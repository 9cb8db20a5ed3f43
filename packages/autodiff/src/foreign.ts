import { failType } from './fail.ts'

/**
 * Throws where something that is no tensor or key of this library is one of another copy: a tensor's offset names a place of
 * another heap. Returns where it is anything else.
 */
export function failForeign(operation: string, x: unknown): void {
  if (typeof x !== 'object' || x === null) return
  // Its class is another one, of whatever version: what a tensor has, nothing else has together.
  const isTensor = 'storage' in x && 'slot' in x && 'toFloat32Array' in x
  const isKey = 'high' in x && 'low' in x && Object.getPrototypeOf(x) !== Object.prototype
  if (!isTensor && !isKey) return
  failType(
    operation,
    `a ${isTensor ? 'tensor' : 'key'} of another copy of Tapeflow was given`,
    'install one copy (npm ls @tapeflow/autodiff)',
  )
}
