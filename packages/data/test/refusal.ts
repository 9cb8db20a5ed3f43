/** The error a refused call throws: the words, and the name of the function they start with. */
export const refusal = (kind: typeof RangeError | typeof TypeError, text: string): Error =>
  Object.assign(new kind(text), { operation: text.split(':')[0] })
