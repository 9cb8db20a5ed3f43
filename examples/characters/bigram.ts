import type { Text } from './text.ts'

/**
 * Bits per character of the held-out text under a model that knows one character back: p(b | a) = (pairs a b + 1) / (a's + size
 * of the alphabet), counted on the training text (Laplace's smoothing).
 */
export function bigramBits({ alphabet, train, heldOut }: Text): number {
  const size = alphabet.length
  const pairs = new Float64Array(size * size).fill(1)
  const singles = new Float64Array(size).fill(size)
  for (let i = 1; i < train.length; i++) {
    pairs[train[i - 1]! * size + train[i]!]!++
    singles[train[i - 1]!]!++
  }
  let bits = 0
  for (let i = 1; i < heldOut.length; i++) {
    const before = heldOut[i - 1]!
    bits -= Math.log2(pairs[before * size + heldOut[i]!]! / singles[before]!)
  }
  return bits / (heldOut.length - 1)
}
