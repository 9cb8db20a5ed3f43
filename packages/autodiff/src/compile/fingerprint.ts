/**
 * A text in 64 bits, as 16 hexadecimal digits: other texts have others, but by chance of one in 2^64 (FNV-1a, twice over UTF-16).
 *
 * @example
 * fingerprint('add') === fingerprint('sub') // => false
 */
export function fingerprint(text: string): string {
  let low = 0x811c9dc5
  let high = 0xc9dc5118
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit ^ (low >>> 24), 0x01000193)
  }
  return digits(high) + digits(low)
}

function digits(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
