import { failFile } from './file-error.ts'

/** How many bytes stand behind the last entry of an archive's directory: its end, and a comment of 65,535 bytes at most. */
const [endLength, longestComment] = [22, 65_535]
/** How many bytes stand before the data of a file, at least. */
const localLength = 30

/**
 * The CRC-32 that a zip archive states for each of its files, in the order of its directory.
 *
 * @throws FileError without a directory, and where two files share bytes: a small archive may else unfold to any size
 */
export function zipChecksums(operation: string, bytes: Uint8Array): readonly number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const word = (at: number): number =>
    at >= 0 && at + 4 <= bytes.length ? view.getUint32(at, true) : Number.NaN
  let end = bytes.length - endLength
  const first = Math.max(0, end - longestComment)
  while (end >= first && word(end) !== 0x06054b50) end--
  const damaged = (): never => failFile(operation, 'the archive has no directory', 'is it an .npz file?')
  if (end < first) return damaged()
  let count = view.getUint16(end + 8, true)
  let at = word(end + 16)
  // A directory of more than 65,535 files, or behind 4 GiB, stands elsewhere.
  const wide = word(end - 20) === 0x07064b50 ? word(end - 12) : Number.NaN
  if (word(wide) === 0x06064b50) [count, at] = [word(wide + 32), word(wide + 48)]
  const checksums: number[] = []
  const ranges: { readonly from: number; readonly to: number }[] = []
  for (let i = 0; i < count; i++) {
    if (word(at) !== 0x02014b50 || at + 46 > bytes.length) return damaged()
    checksums.push(word(at + 16))
    const from = word(at + 42)
    // Where an archive is larger than 4 GiB the numbers stand elsewhere.
    if (from !== 0xffffffff) ranges.push({ from, to: from + localLength + word(at + 20) })
    at += 46 + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
  }
  ranges.sort((a, b) => a.from - b.from)
  if (ranges.some(({ from }, i) => i > 0 && from < ranges[i - 1]!.to))
    failFile(operation, 'files of the archive overlap', 'the file is damaged')
  return checksums
}

/** CRC-32 as zip archives have it: of the polynomial 0xedb88320, reflected. */
export function crc32(bytes: Uint8Array): number {
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0)
    return rest
  })
  let sum = -1
  for (let i = 0; i < bytes.length; i++) sum = (sum >>> 8) ^ table[(sum ^ bytes[i]!) & 255]!
  return ~sum >>> 0
}
