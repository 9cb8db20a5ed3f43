/**
 * What is wrong with a checkpoint.
 *
 * - `damaged`: its checksum is not that of its bytes, or it is no checkpoint at all: one that was torn, or has rotted
 * - `newer`: of a format that this version does not know
 * - `unreadable`: intact, and yet not what a checkpoint holds
 * - `unwritable`: it, or its place, could not be written
 */
export type CheckpointProblem = 'damaged' | 'newer' | 'unreadable' | 'unwritable'

/**
 * A checkpoint that cannot be read or written. `operation` names the function that says so; the message reads `operation: what is
 * wrong; what to do`.
 *
 * @example
 * fromCheckpoint(new Uint8Array(0)) // throws CheckpointError: fromCheckpoint: the file of 0 bytes is no checkpoint of a run, or its beginning is damaged
 */
export class CheckpointError extends Error {
  override readonly name = 'CheckpointError'
  readonly operation: string
  readonly problem: CheckpointProblem
  constructor(
    operation: string,
    problem: CheckpointProblem,
    what: string,
    remedy?: string,
    options?: ErrorOptions,
  ) {
    super(remedy === undefined ? `${operation}: ${what}` : `${operation}: ${what}; ${remedy}`, options)
    this.operation = operation
    this.problem = problem
  }
}
