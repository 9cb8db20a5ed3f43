/** An error raised by Tapeflow: `operation` names the function that refused its input. */
export interface OperationError extends Error {
  readonly operation: string
}

const name = <E extends Error>(error: E, operation: string): E & OperationError =>
  Object.assign(error, { operation })

const words = (operation: string, problem: string, remedy?: string): string =>
  remedy === undefined ? `${operation}: ${problem}` : `${operation}: ${problem}; ${remedy}`

/**
 * Throws a RangeError for a number or shape out of range: `operation: problem; remedy`.
 *
 * @param operation the public function that refuses, as users call it
 * @param problem what is wrong, and what came: `inner sizes differ, got [2,3] and [4,5]`
 * @param remedy what to do about it
 * @example
 * t.failRange('dropout', 'p must be below 1, got 1', 'pass a probability') // throws RangeError: dropout: p must be below 1, got 1; pass a probability
 */
export function failRange(operation: string, problem: string, remedy?: string): never {
  throw name(new RangeError(words(operation, problem, remedy)), operation)
}

/**
 * Throws a TypeError for a value of the wrong kind: `operation: problem; remedy`.
 *
 * @example
 * t.failType('relu', 'a tensor is needed, got a string') // throws TypeError: relu: a tensor is needed, got a string
 */
export function failType(operation: string, problem: string, remedy?: string): never {
  throw name(new TypeError(words(operation, problem, remedy)), operation)
}

/** A tensor was used after its memory was given back. */
export class DisposedError extends Error {
  override readonly name = 'DisposedError'
  readonly operation: string
  constructor(operation: string, problem: string, remedy: string) {
    super(words(operation, problem, remedy))
    this.operation = operation
  }
}

/** A value was read that is only a shape: its function is being recorded. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError'
  readonly operation: string
  constructor(operation: string, problem: string, remedy: string) {
    super(words(operation, problem, remedy))
    this.operation = operation
  }
}

/**
 * Says what kind of value came, in the words of an error.
 *
 * @example
 * t.kindOf([1]) // => 'an array'
 * t.kindOf(null) // => 'null'
 */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  const made = value.constructor?.name
  // Generators have a constructor without a name.
  if (!made || made === 'Object') return 'an object'
  return `a${/^[AEIO]/.test(made) ? 'n' : ''} ${made}`
}

/**
 * What came, in the words of an error: numbers as they are, arrays in brackets, of everything else its kind.
 *
 * @example
 * shown([1, [2.5], '3']) // => '[1,[2.5],a string]'
 */
export function shown(value: unknown, depth = 0): string {
  if (typeof value === 'number') return String(value)
  if (!Array.isArray(value) || depth > 2) return kindOf(value)
  // Array.from, not map, which leaves holes out.
  const items = Array.from(value.slice(0, 16), (item) => shown(item, depth + 1))
  return `[${items.join(',')}${value.length > 16 ? ',…' : ''}]`
}
