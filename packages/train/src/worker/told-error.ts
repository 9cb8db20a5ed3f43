import { DisposedError, RecordingError } from '@tapeflow/autodiff'
import { StaleSnapshotError } from '../watched.ts'
import type { ToldError } from './messages.ts'

// Causes of causes: further down nothing helps.
const depthAtMost = 8

/** An error as plain data, with its stack and causes. What was thrown and is no error becomes one. */
export function told(thrown: unknown, depth = 0): ToldError {
  if (!(thrown instanceof Error)) {
    const message = typeof thrown === 'string' ? thrown : `${String(thrown)} was thrown, which is no error`
    return { name: 'Error', message, stack: undefined, operation: undefined, cause: undefined }
  }
  const { name, message, stack, cause } = thrown
  const operation: unknown = Reflect.get(thrown, 'operation')
  return {
    name: String(name),
    message: String(message),
    stack: stack === undefined ? undefined : String(stack),
    operation: typeof operation === 'string' ? operation : undefined,
    cause: cause === undefined || depth === depthAtMost ? undefined : toldCause(cause, depth),
  }
}

function toldCause(cause: unknown, depth: number): ToldError['cause'] {
  if (cause instanceof Error) return told(cause, depth + 1)
  try {
    return { value: structuredClone(cause) }
  } catch {
    return { value: String(cause) }
  }
}

// Those that callers tell apart; a class of the module's own is known by its name alone.
const kinds: Readonly<Record<string, new (...args: never) => Error>> = {
  RangeError,
  TypeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
  DisposedError,
  RecordingError,
  StaleSnapshotError,
}

/** The error again, of its kind, with the stack that it had inside. */
export function revived({ name, message, stack, operation, cause }: ToldError): Error {
  const options = cause === undefined ? {} : { cause: 'value' in cause ? cause.value : revived(cause) }
  const Kind = Object.hasOwn(kinds, name) ? kinds[name]! : Error
  // Made as a plain one, with the prototype of its kind: the constructors of named kinds take other arguments.
  const error: Error = Reflect.construct(Error, [message, options], Kind)
  const hidden = { configurable: true, writable: true, enumerable: false }
  if (error.name !== name) Object.defineProperty(error, 'name', { ...hidden, value: name })
  if (stack !== undefined) Object.defineProperty(error, 'stack', { ...hidden, value: stack })
  return operation === undefined ? error : Object.assign(error, { operation })
}
