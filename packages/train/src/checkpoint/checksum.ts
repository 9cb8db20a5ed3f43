import crc32 from 'crc-32'

// The first words of every format, so that a file of any version can be checked before anything of it is believed.
const opening = '{"__metadata__":{"checksum":"'
const openingAt = 8
const checksumAt = openingAt + opening.length
const digits = 8

/** What stands in the checksum's place while the checksum is taken. */
export const noChecksum: string = '0'.repeat(digits)

// Half a millisecond each.
const pieceLength = 1 << 20

/**
 * Takes the CRC-32 of a whole file, with zeros in the place of the checksum. Yields between pieces, that others may have
 * their turn. It tells every change of up to 32 bits in a row, and of others all but one in 2^32.
 *
 * @param bytes of a file that begins as checkpoints do
 * @returns eight hexadecimal digits
 */
export function* checksum(bytes: Uint8Array): Generator<undefined, string> {
  let sum = crc32.buf(bytes.subarray(0, checksumAt))
  sum = crc32.buf(new TextEncoder().encode(noChecksum), sum)
  for (let at = checksumAt + digits; at < bytes.length; at += pieceLength) {
    yield
    sum = crc32.buf(bytes.subarray(at, at + pieceLength), sum)
  }
  return (sum >>> 0).toString(16).padStart(digits, '0')
}

/** Whether a file begins as checkpoints do. */
export function hasChecksum(bytes: Uint8Array): boolean {
  return bytes.length >= checksumAt + digits && text(bytes, openingAt, opening.length) === opening
}

/** The checksum that a file states. */
export function statedChecksum(bytes: Uint8Array): string {
  return text(bytes, checksumAt, digits)
}

/** Puts the checksum into its place. */
export function stateChecksum(bytes: Uint8Array, sum: string): void {
  bytes.set(new TextEncoder().encode(sum), checksumAt)
}

/** What a generator returns, without a pause. */
export function atOnce<R>(work: Generator<undefined, R>): R {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}

function text(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length))
}
