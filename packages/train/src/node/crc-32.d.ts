// crc-32 has types for its main file alone. It is CommonJS, whose names Node cannot see from outside: hence the default.
declare module 'crc-32/crc32c.js' {
  const crc32c: {
    /** The CRC-32C of some bytes, as a signed integer. */
    buf(bytes: Uint8Array): number
  }
  export default crc32c
}
