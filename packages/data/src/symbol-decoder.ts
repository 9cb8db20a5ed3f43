/**
 * A reader of symbols written with static probabilities, one distribution a context (range variant of asymmetric numeral
 * systems). `bytes` holds the frequencies, 256 a context that sum to 4096 or are all 0, each as seven bits and, if above
 * 127, eight more; then the state, four bytes, and the bytes that refill it.
 *
 * @returns a function that gives the next symbol, 0 to 255, of the distribution of `context`
 *
 * Duda: Asymmetric numeral systems (2013), arXiv:1311.2540; Giesen: Interleaved entropy coders (2014), arXiv:1402.3392.
 */
export function symbolDecoder(bytes: Uint8Array, contexts: number): (context: number) => number {
  const frequency = new Uint16Array(contexts * 256)
  const start = new Uint16Array(contexts * 256)
  const symbolAt = new Uint8Array(contexts * 4096)
  let position = 0
  for (let context = 0; context < contexts; context++) {
    let sum = 0
    for (let symbol = 0; symbol < 256; symbol++) {
      const first = bytes[position++]!
      const count = first < 128 ? first : ((first - 128) << 8) + bytes[position++]!
      frequency[context * 256 + symbol] = count
      start[context * 256 + symbol] = sum
      symbolAt.fill(symbol, context * 4096 + sum, context * 4096 + sum + count)
      sum += count
    }
  }
  // At most 2^30, so that engines keep it as a small integer.
  let state = 0
  for (let i = 0; i < 4; i++) state = (state << 8) | bytes[position++]!
  return (context) => {
    const slot = state & 4095
    const symbol = symbolAt[context * 4096 + slot]!
    const entry = context * 256 + symbol
    state = frequency[entry]! * (state >>> 12) + slot - start[entry]!
    while (state < 4194304) state = (state << 8) | bytes[position++]!
    return symbol
  }
}
