/** The error that a refused call throws: kind, exact words, and the operation that they begin with. */
export function refusal(kind: typeof RangeError | typeof TypeError, message: string): Error {
  return Object.assign(new kind(message), { operation: message.slice(0, message.indexOf(':')) })
}
