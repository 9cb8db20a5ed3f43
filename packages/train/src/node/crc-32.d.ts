declare module 'crc-32/crc32c.js' {
  /** The CRC-32C of some bytes, as a signed integer. */
  export function buf(bytes: Uint8Array): number
}
