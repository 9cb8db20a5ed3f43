import { duplicateKey } from './duplicate-key.ts'
import { isElementType, widths } from './element-type.ts'
import { FileError, failFile, shownName } from './file-error.ts'
import { checkName, countOf, type StoredArray } from './stored-array.ts'

/** What a safetensors file holds. */
export interface SafetensorsFile {
  readonly metadata: Readonly<Record<string, string>>
  /** In the order in which they lie in the file. Their bytes are views. */
  readonly arrays: readonly StoredArray[]
}

/** Of a header, in bytes: more than 50,000 arrays. Python's library reads ten times as much. */
const longestHeader = 10_000_000

type Fields = { readonly [key: string]: unknown }

/** Reads a safetensors file and checks all of it but the numbers. */
export function readSafetensors(operation: string, bytes: Uint8Array): SafetensorsFile {
  const length = headerLength(operation, bytes)
  const header = parseHeader(operation, bytes.subarray(8, 8 + length))
  const data = bytes.subarray(8 + length)
  const arrays: (StoredArray & { begin: number })[] = []
  let metadata: Readonly<Record<string, string>> = {}
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') metadata = checkMetadata(operation, entry)
    else arrays.push(readEntry(operation, name, entry, data))
  }
  // Arrays without elements take no room, and stand before what begins where they do.
  arrays.sort((a, b) => a.begin - b.begin || a.bytes.length - b.bytes.length)
  let end = 0
  for (const { name, begin, bytes: own } of arrays) {
    if (begin !== end) {
      const what = begin < end ? 'overlaps the array before it' : 'leaves a gap before it'
      failFile(operation, `${shownName(name)} ${what}, it begins at ${begin} and not at ${end}`)
    }
    end = begin + own.length
  }
  if (end !== data.length) {
    failFile(
      operation,
      `the arrays end at byte ${end} of the data, which has ${data.length}`,
      'the file is damaged',
    )
  }
  return {
    metadata,
    arrays: arrays.map(({ name, type, shape, bytes: own }) => ({ name, type, shape, bytes: own })),
  }
}

function headerLength(operation: string, bytes: Uint8Array): number {
  if (bytes.length < 8) {
    failFile(
      operation,
      `the file has ${bytes.length} bytes, at least 8 are needed`,
      'is it a safetensors file?',
    )
  }
  const length = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(longestHeader)) {
    failFile(
      operation,
      `the header would have ${length} bytes, at most 10 MB are read`,
      'is it a safetensors file?',
    )
  }
  if (Number(length) > bytes.length - 8) {
    failFile(
      operation,
      `the header has ${length} bytes, but only ${bytes.length - 8} follow`,
      'the file is truncated',
    )
  }
  return Number(length)
}

function parseHeader(operation: string, bytes: Uint8Array): Fields {
  if (bytes[0] !== 0x7b) failFile(operation, 'the header does not begin with {', 'is it a safetensors file?')
  let text: string
  let header: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    header = JSON.parse(text)
  } catch (cause) {
    throw new FileError(operation, 'the header is no JSON in UTF-8', 'the file is damaged', { cause })
  }
  const twice = duplicateKey(text)
  if (twice !== null) failFile(operation, `the header names ${shownName(twice)} twice`)
  return header as Fields
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Checks metadata that is read or about to be written: names and texts. */
export function checkMetadata(operation: string, metadata: unknown): Readonly<Record<string, string>> {
  if (!isFields(metadata)) return failFile(operation, 'the metadata are no object of texts')
  for (const [key, value] of Object.entries(metadata)) {
    checkName(operation, key)
    if (typeof value !== 'string')
      failFile(operation, `the metadata ${shownName(key)} are no text`, 'store JSON')
  }
  return metadata as Readonly<Record<string, string>>
}

function readEntry(
  operation: string,
  name: string,
  entry: unknown,
  data: Uint8Array,
): StoredArray & { begin: number } {
  checkName(operation, name)
  if (!isFields(entry)) return failFile(operation, `${shownName(name)} is not described by an object`)
  // Only what is the entry's own: a header's text cannot reach prototypes, and neither do we.
  const own = (key: string): unknown => (Object.hasOwn(entry, key) ? entry[key] : undefined)
  const [type, shape, offsets] = [own('dtype'), own('shape'), own('data_offsets')]
  if (!isElementType(type)) {
    const got = typeof type === 'string' ? shownName(type) : 'none'
    return failFile(
      operation,
      `${shownName(name)} has a dtype that is not read, got ${got}`,
      'save it as F32',
    )
  }
  if (!Array.isArray(shape)) return failFile(operation, `${shownName(name)} has no shape`)
  const wanted = countOf(operation, name, shape) * widths.get(type)!
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? (offsets as unknown[]) : []
  if (!isOffset(begin) || !isOffset(end) || begin > end || end > data.length) {
    return failFile(
      operation,
      `${shownName(name)} has data_offsets that are not in the ${data.length} bytes of data`,
      'the file is truncated or damaged',
    )
  }
  if (end - begin !== wanted) {
    failFile(operation, `${shownName(name)} takes ${wanted} bytes by its shape and dtype, got ${end - begin}`)
  }
  return { name, type, shape: shape as number[], bytes: data.subarray(begin, end), begin }
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
