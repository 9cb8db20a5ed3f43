/**
 * A file is refused: it is damaged, hostile, of another kind, or does not fit what it is loaded into. Nothing was changed.
 * `operation` names the function that refused it; the message reads `operation: what is wrong; what to do`.
 *
 * @example
 * fromSafetensors(new Uint8Array(3)) // throws FileError: fromSafetensors: the file has 3 bytes, at least 8 are needed
 */
export class FileError extends Error {
  override readonly name = 'FileError'
  readonly operation: string
  constructor(operation: string, problem: string, remedy?: string, options?: ErrorOptions) {
    super(remedy === undefined ? `${operation}: ${problem}` : `${operation}: ${problem}; ${remedy}`, options)
    this.operation = operation
  }
}

/** Throws a FileError: `operation: problem; remedy`. */
export function failFile(operation: string, problem: string, remedy?: string): never {
  throw new FileError(operation, problem, remedy)
}

const longestShown = 120

/**
 * A name out of a file in the words of an error: quoted, cut where it is long, on one line.
 *
 * @example
 * shownName('layers.0.weight') // => "'layers.0.weight'"
 */
export function shownName(name: string): string {
  // Control characters and quotes must not forge the rest of a message.
  const plain = JSON.stringify(name).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")
  return plain.length > longestShown ? `'${plain.slice(0, longestShown)}…'` : `'${plain}'`
}
