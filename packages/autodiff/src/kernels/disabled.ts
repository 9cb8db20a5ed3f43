const disabled = new Set<string>()

/** Whether the kernel of an operation is switched off, so that its reference runs. */
export function isDisabled(operation: string): boolean {
  return disabled.size !== 0 && disabled.has(operation)
}

/**
 * What `body` returns when it runs without the kernel of one operation: the float64 reference takes over. For tests.
 *
 * @param operation its name, as in its record
 * @example
 * withoutKernel('exp', () => t.exp(t.tensor([0])).toArray()) // => [1]
 */
export function withoutKernel<T>(operation: string, body: () => T): T {
  disabled.add(operation)
  try {
    return body()
  } finally {
    disabled.delete(operation)
  }
}
