import { RecordingError } from '@tapeflow/autodiff'

/**
 * The error of a part of a run: of the kind that its cause is, naming the part, with the cause's own words behind.
 *
 * @param part what failed: `step 12 of epoch 0`, `callback 'earlyStopping'`
 * @param operation what was called
 */
export function failureOf(part: string, cause: unknown, operation = 'fit'): Error {
  const prefix = new RegExp(`^(fit|${operation}): `)
  const words = cause instanceof Error ? cause.message.replace(prefix, '') : String(cause)
  const Kind = cause instanceof RangeError ? RangeError : cause instanceof TypeError ? TypeError : Error
  return Object.assign(new Kind(`${operation}: ${part} failed: ${words}`, { cause }), { operation })
}

/** The error of a step or validation: one that reads a value while it is recorded is told how it may. */
export function stepFailureOf(part: string, cause: unknown, compiled: boolean, operation = 'fit'): Error {
  if (!compiled || !(cause instanceof RecordingError)) return failureOf(part, cause, operation)
  const remedy = `or pass compile: false to ${operation}, which then runs model and loss eagerly at every step`
  return Object.assign(new RecordingError(operation, `${part} failed: ${cause.message}`, remedy), { cause })
}
