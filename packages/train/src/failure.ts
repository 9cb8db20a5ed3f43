/**
 * The error of a part of a run: of the kind that its cause is, naming the part, with the cause's own words behind.
 *
 * @param part what failed: `step 12 of epoch 0`, `callback 'earlyStopping'`
 */
export function failureOf(part: string, cause: unknown): Error {
  const words = cause instanceof Error ? cause.message.replace(/^fit: /, '') : String(cause)
  const Kind = cause instanceof RangeError ? RangeError : cause instanceof TypeError ? TypeError : Error
  return Object.assign(new Kind(`fit: ${part} failed: ${words}`, { cause }), { operation: 'fit' })
}
