import { type ElementType, widths } from './element-type.ts'
import { failFile, shownName } from './file-error.ts'
import { countOf, type StoredArray } from './stored-array.ts'

/** Types as NumPy writes them: byte order, kind, bytes. */
const typesByDescription: ReadonlyMap<string, ElementType> = /*@__PURE__*/ new Map<string, ElementType>([
  ['<f8', 'F64'],
  ['<f4', 'F32'],
  ['<f2', 'F16'],
  ['<i8', 'I64'],
  ['<u8', 'U64'],
  ['<i4', 'I32'],
  ['<u4', 'U32'],
  ['<i2', 'I16'],
  ['<u2', 'U16'],
  ['|i1', 'I8'],
  ['|u1', 'U8'],
  ['|b1', 'BOOL'],
])

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** The bytes of a .npy file, version 1.0: header in Python's words, padded so that the data begin at a multiple of 64. */
export function writeNpy({ type, shape, bytes }: StoredArray): Uint8Array<ArrayBuffer> {
  const description = [...typesByDescription].find(([, named]) => named === type)![0]
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const text = `{'descr': '${description}', 'fortran_order': False, 'shape': (${sizes}), }`
  const begin = Math.ceil((10 + text.length + 1) / 64) * 64
  const file = new Uint8Array(begin + bytes.length).fill(0x20, 10, begin)
  file.set([...magic, 1, 0])
  new DataView(file.buffer).setUint16(8, begin - 10, true)
  file.set(new TextEncoder().encode(text), 10)
  file[begin - 1] = 0x0a
  file.set(bytes, begin)
  return file
}

/** Reads a .npy file of version 1, 2 or 3. One in Fortran's order is put into ours. */
export function readNpy(operation: string, name: string, bytes: Uint8Array): StoredArray {
  const { text, begin } = headerOf(operation, name, bytes)
  const fields = fieldsOf(operation, name, text)
  const description = fields.get('descr')!.slice(1, -1)
  const type = typesByDescription.get(description)
  if (type === undefined) return failType(operation, name, description)
  const shape = shapeOf(operation, name, fields.get('shape')!)
  const wanted = countOf(operation, name, shape) * widths.get(type)!
  const data = bytes.subarray(begin)
  if (data.length !== wanted) {
    failFile(
      operation,
      `${shownName(name)} takes ${wanted} bytes by its shape and type, got ${data.length}`,
      'the file is damaged',
    )
  }
  const isFortran = fields.get('fortran_order') === 'True' && shape.length > 1
  return { name, type, shape, bytes: isFortran ? rowMajor(data, shape, widths.get(type)!) : data }
}

function headerOf(operation: string, name: string, bytes: Uint8Array): { text: string; begin: number } {
  const version = bytes[6]!
  if (bytes.length < 12 || magic.some((byte, i) => bytes[i] !== byte)) {
    failFile(operation, `${shownName(name)} is no .npy file`)
  }
  if (version < 1 || version > 3)
    failFile(operation, `${shownName(name)} is a .npy file of version ${version}, 1 to 3 are read`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const begin = version === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true)
  if (begin > Math.min(bytes.length, 65_546)) {
    failFile(
      operation,
      `${shownName(name)} has a header of ${begin} bytes, the file has ${bytes.length}`,
      'at most 64 KiB are read',
    )
  }
  // As Latin-1, in which NumPy writes versions 1 and 2: what is read of it is ASCII.
  return { text: String.fromCharCode(...bytes.subarray(version === 1 ? 10 : 12, begin)), begin }
}

const entry = /\s*'(descr|fortran_order|shape)'\s*:\s*('[^'\\]*'|True|False|\([\d\s,]*\))\s*(,|$)/y

/** The three entries of the header, a dictionary in Python's words. Anything else is refused: nothing is ever evaluated. */
function fieldsOf(operation: string, name: string, text: string): ReadonlyMap<string, string> {
  const inner = /^\{(.*)\}\s*$/s.exec(text)?.[1]?.trim() ?? ''
  const fields = new Map<string, string>()
  let at = 0
  while (at < inner.length) {
    entry.lastIndex = at
    const [all, key, value] = entry.exec(inner) ?? []
    if (all === undefined || fields.has(key!)) break
    fields.set(key!, value!)
    at += all.length
  }
  const begins = { descr: /^'/, fortran_order: /^[TF]/, shape: /^\(/ }
  const isRight = Object.entries(begins).every(([key, begin]) => begin.test(fields.get(key) ?? ''))
  if (at >= inner.length && isRight) return fields
  return failFile(
    operation,
    `${shownName(name)} has a header that is not read`,
    'arrays of one plain type are, not records or objects',
  )
}

function shapeOf(operation: string, name: string, text: string): number[] {
  const inner = text.slice(1, -1).trim()
  // (3) is a number to Python, (3,) a shape.
  if (inner !== '' && !/^\d+\s*,(\s*\d+\s*,)*(\s*\d+)?$/.test(inner)) {
    failFile(operation, `${shownName(name)} has a shape that is none, got ${text}`)
  }
  return inner
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number)
}

function failType(operation: string, name: string, description: string): never {
  const shown = `${shownName(name)} has elements of type ${shownName(description)}`
  if (description.startsWith('>'))
    failFile(operation, `${shown}, which is big-endian`, "save x.astype('<f4')")
  if (description.startsWith('|O'))
    failFile(operation, `${shown}, Python objects, which are never read`, "save x.astype('<f4')")
  return failFile(operation, `${shown}, which is not read`, "save x.astype('<f4')")
}

function rowMajor(data: Uint8Array, shape: readonly number[], width: number): Uint8Array {
  const ordered = new Uint8Array(data.length)
  const index = shape.map(() => 0)
  for (let to = 0; to < data.length; to += width) {
    let from = 0
    for (let axis = shape.length - 1; axis >= 0; axis--) from = from * shape[axis]! + index[axis]!
    ordered.set(data.subarray(from * width, (from + 1) * width), to)
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return ordered
}
