/** CRC-32 bit by bit, from its definition: the polynomial 0xedb88320, reflected. */
export function crcOf(bytes: Uint8Array): number {
  let sum = -1
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ~sum >>> 0
}

/** Where a checkpoint has its checksum: behind the length of the header and `{"__metadata__":{"checksum":"`. */
export const checksumAt: number = 8 + 29

/** The same file with the checksum that is right for it. */
export function checksummed(file: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(file)
  bytes.fill(0x30, checksumAt, checksumAt + 8)
  const digits = crcOf(bytes).toString(16).padStart(8, '0')
  bytes.set(new TextEncoder().encode(digits), checksumAt)
  return bytes
}
