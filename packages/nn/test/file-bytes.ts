import { expect } from 'vitest'

/** Bytes from numbers and texts (one byte a character), in order. */
export function bytesOf(...parts: readonly (string | readonly number[] | Uint8Array)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'string' ? Array.from(part, (character) => character.charCodeAt(0)) : [...part],
    ),
  )
}

/** A safetensors file with that header and data; `length` is what its first 8 bytes say, right by default. */
export function safetensorsOf(header: unknown, data: readonly number[] = [], length?: bigint): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const size = new Uint8Array(8)
  new DataView(size.buffer).setBigUint64(0, length ?? BigInt(text.length), true)
  return bytesOf(size, text, data)
}

/** The error of a refused file, to the letter. */
export function refusedFile(operation: string, problem: string): Error {
  return expect.objectContaining({ name: 'FileError', operation, message: `${operation}: ${problem}` })
}
