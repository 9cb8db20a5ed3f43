import { failType } from './fail.ts'

/**
 * Throws where something that is no tensor of this library is one of another copy: its offset names a place of another heap.
 * Returns where it is anything else.
 */
export function failForeign(operation: string, x: unknown): void {
  if (typeof x !== 'object' || x === null) return
  // Its class is another one, of whatever version: what a tensor has, nothing else has together.
  if (!('storage' in x && 'slot' in x && 'toFloat32Array' in x)) return
  failType(
    operation,
    'a tensor of another copy of Tapeflow was given',
    'install one copy (npm ls @tapeflow/autodiff)',
  )
}
