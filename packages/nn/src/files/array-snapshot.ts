import { failRange, type Shape, showShape } from '@tapeflow/autodiff'
import { asFloat32, widths } from './element-type.ts'
import { shownName } from './file-error.ts'
import { countOf, type StoredArray } from './stored-array.ts'

const kinds = {
  F64: Float64Array,
  F32: Float32Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
} as const

/** Numbers in an array of their own, outside of the heap. */
export type NumberArray =
  | Float64Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>

/** An array outside of the heap, row-major. A `Snapshot` of autodiff is one, of float32. */
export interface ArraySnapshot {
  readonly shape: Shape
  readonly values: NumberArray
}

function kindOfValues(values: unknown): keyof typeof kinds | null {
  for (const [type, kind] of Object.entries(kinds)) {
    // The keys are those of `kinds`.
    if (values instanceof kind) return type as keyof typeof kinds
  }
  return null
}

/** Whether a branch of a tree is `{ shape, values }` with numbers that are no tensor. */
export function isArraySnapshot(tree: unknown): tree is ArraySnapshot {
  if (typeof tree !== 'object' || tree === null || !('shape' in tree) || !('values' in tree)) return false
  return Array.isArray(tree.shape) && kindOfValues(tree.values) !== null
}

/** As it lies in a file: a view of its values. */
export function storedOf(operation: string, name: string, { shape, values }: ArraySnapshot): StoredArray {
  if (countOf(operation, name, shape) !== values.length) {
    failRange(
      operation,
      `${shownName(name)} has ${values.length} values for the shape ${showShape(shape)}`,
      'pass what toSnapshot gives',
    )
  }
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
  return { name, type: kindOfValues(values)!, shape, bytes }
}

/**
 * A copy of an array of a file: numbers of F16 and BF16 as float32 with the same values, BOOL as uint8, of 0 and 1; others as they
 * stand there.
 */
export function snapshotOf(operation: string, stored: StoredArray): ArraySnapshot {
  const { type, shape, bytes } = stored
  if (type === 'F16' || type === 'BF16') return { shape, values: asFloat32(operation, stored, 'refuse') }
  if (type === 'BOOL') return { shape, values: Uint8Array.from(asFloat32(operation, stored, 'refuse')) }
  const values = new kinds[type](bytes.length / widths.get(type)!)
  new Uint8Array(values.buffer).set(bytes)
  return { shape, values }
}
