import { failType, kindOf, type Shape } from '@tapeflow/autodiff'
import type { ElementType } from './element-type.ts'
import { failFile, shownName } from './file-error.ts'

/** An array as it lies in a file: row-major, little-endian. */
export interface StoredArray {
  readonly name: string
  readonly type: ElementType
  readonly shape: Shape
  readonly bytes: Uint8Array
}

const forbidden = /(^|\.)(__proto__|constructor|prototype)(\.|$)/

/** Checks the name of an array, in a file that is read or about to be written. */
export function checkName(operation: string, name: string): void {
  if (forbidden.test(name)) {
    failFile(
      operation,
      `the name ${shownName(name)} is refused`,
      'it would reach into the prototypes of objects',
    )
  }
  if (/\p{Surrogate}/u.test(name)) {
    failFile(
      operation,
      `the name ${shownName(name)} is no valid Unicode text`,
      'it holds half of a surrogate pair',
    )
  }
}

/** Checks that what should be the bytes of a file is a Uint8Array. */
export function checkBytes(operation: string, bytes: unknown): asserts bytes is Uint8Array {
  if (bytes instanceof Uint8Array) return
  failType(
    operation,
    `the bytes must be a Uint8Array, got ${kindOf(bytes)}`,
    'wrap an ArrayBuffer: new Uint8Array(buffer)',
  )
}

/** How many elements an array of that shape holds; refuses what no computer holds. */
export function countOf(operation: string, name: string, shape: readonly unknown[]): number {
  let count = 1
  for (const size of shape) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
      failFile(operation, `${shownName(name)} has a shape that is none`, 'sizes must be integers from 0 on')
    }
    count *= size
    if (!Number.isSafeInteger(count))
      failFile(operation, `${shownName(name)} has a shape whose size overflows`)
  }
  return count
}
