import { failFile, shownName } from './file-error.ts'
import type { StoredArray } from './stored-array.ts'

/** The names that safetensors gives to the types of elements that are read here. */
export type ElementType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'U64'
  | 'I32'
  | 'U32'
  | 'I16'
  | 'U16'
  | 'I8'
  | 'U8'
  | 'BOOL'

/** How many bytes an element takes. A Map, so that no name out of a file finds a method of objects. */
export const widths: ReadonlyMap<string, number> = /*@__PURE__*/ new Map<ElementType, number>([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['U64', 8],
  ['I32', 4],
  ['U32', 4],
  ['I16', 2],
  ['U16', 2],
  ['I8', 1],
  ['U8', 1],
  ['BOOL', 1],
])

/** Whether a type is one that is read here. */
export function isElementType(type: unknown): type is ElementType {
  return typeof type === 'string' && widths.has(type)
}

/** What becomes of a number that float32 does not hold: refused, or rounded to the nearest that it does. */
export type Inexact = 'refuse' | 'round'

/**
 * The elements as float32. Those of F32, F16 and BF16 keep all bits of theirs, also of NaNs; integers and F64 must be
 * numbers that float32 holds, unless rounding is asked for; BOOL becomes 0 and 1.
 */
export function asFloat32(
  operation: string,
  stored: StoredArray,
  inexact: Inexact,
): Float32Array<ArrayBuffer> {
  const { type, bytes } = stored
  const count = bytes.length / widths.get(type)!
  const values = new Float32Array(count)
  if (type === 'F32') {
    new Uint8Array(values.buffer).set(bytes)
    return values
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (type === 'F16' || type === 'BF16') {
    // Bits, not numbers: arithmetic may change a NaN.
    const bits = new Uint32Array(values.buffer)
    for (let i = 0; i < count; i++) {
      const half = view.getUint16(2 * i, true)
      bits[i] = type === 'BF16' ? half << 16 : float32Bits(half)
    }
    return values
  }
  for (let i = 0; i < count; i++) {
    const value = elementAt(operation, stored, view, i, inexact)
    values[i] = value
    if (values[i] !== value && !Number.isNaN(value) && inexact === 'refuse')
      failInexact(operation, stored, value, i)
  }
  return values
}

/** The only element of an array of shape [], as a number of JavaScript. */
export function asNumber(operation: string, stored: StoredArray, inexact: Inexact): number {
  const { type, bytes } = stored
  if (type === 'F32' || type === 'F16' || type === 'BF16') return asFloat32(operation, stored, inexact)[0]!
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return elementAt(operation, stored, view, 0, inexact)
}

function elementAt(
  operation: string,
  stored: StoredArray,
  view: DataView,
  i: number,
  inexact: Inexact,
): number {
  switch (stored.type) {
    case 'F64':
      return view.getFloat64(8 * i, true)
    case 'I64':
    case 'U64': {
      const whole = stored.type === 'I64' ? view.getBigInt64(8 * i, true) : view.getBigUint64(8 * i, true)
      const value = Number(whole)
      if (BigInt(value) !== whole && inexact === 'refuse') failInexact(operation, stored, whole, i)
      return value
    }
    case 'I32':
      return view.getInt32(4 * i, true)
    case 'U32':
      return view.getUint32(4 * i, true)
    case 'I16':
      return view.getInt16(2 * i, true)
    case 'U16':
      return view.getUint16(2 * i, true)
    case 'I8':
      return view.getInt8(i)
    case 'BOOL':
      if (view.getUint8(i) > 1) {
        failFile(
          operation,
          `${shownName(stored.name)} holds ${view.getUint8(i)} where BOOL has 0 and 1, at ${i}`,
        )
      }
      return view.getUint8(i)
    default:
      return view.getUint8(i)
  }
}

function failInexact(
  operation: string,
  { name, type }: StoredArray,
  value: number | bigint,
  i: number,
): never {
  failFile(
    operation,
    `${shownName(name)} holds ${type} numbers that float32 does not, the first is ${value} at ${i}`,
    "pass { inexact: 'round' } to round them",
  )
}

// IEEE 754 half precision: 1 sign bit, 5 of the exponent (bias 15), 10 of the fraction.
function float32Bits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 31
  let fraction = half & 1023
  if (exponent === 31) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // A subnormal half is a normal float.
  let shifted = 113
  while ((fraction & 1024) === 0) {
    fraction <<= 1
    shifted--
  }
  return sign | (shifted << 23) | ((fraction & 1023) << 13)
}
