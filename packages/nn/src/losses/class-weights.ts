import { failRange, failType, kindOf } from '@tapeflow/autodiff'

/** Checks numbers for classes: how much a sample of each counts. */
export function checkClassWeights(operation: string, given: readonly number[] | undefined): void {
  if (given === undefined) return
  if (!Array.isArray(given))
    failType(operation, `classWeights must be an array of numbers, got ${kindOf(given)}`)
  const wrong = given.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY))
  if (wrong < 0) return
  failRange(
    operation,
    `classWeights must be finite and not negative, got ${String(given[wrong])} at ${wrong}`,
  )
}

/** Checks that there is one for each class. */
export function checkClassCount(
  operation: string,
  given: readonly number[] | undefined,
  classes: number,
): void {
  if (given === undefined || given.length === classes) return
  failRange(
    operation,
    `classWeights must be ${classes} numbers, got ${given.length}`,
    'pass one for each class',
  )
}
