import { apply, tensorOperand } from './apply.ts'
import { failRange } from './fail.ts'
import { wasm } from './kernels/wasm.ts'
import { heapFloats } from './memory.ts'
import { defineOperation, type Operation } from './operation.ts'
import { failDisposed, isGone, type Tensor } from './tensor.ts'

/** What an error calls a number that is checked, and where it stands. */
export interface IndexWords {
  /** `'index'` by default. */
  readonly index: string
  /** `'place'` by default. */
  readonly place: string
}

/** What indices are checked for, and who asks. */
export interface IndexCheck {
  readonly operation: string
  readonly limit: number
  readonly words: IndexWords
  /** How many indices an example has, where `vmap` checks several: places are counted within each. */
  readonly each?: number
}

const indexAtPlace: IndexWords = Object.freeze({ index: 'index', place: 'place' })

/** The check as a line of a program. Not one of `ops`: its output is empty, and nothing is computed. */
export const checkIndicesOperation: Operation<IndexCheck, [Tensor]> = /*@__PURE__*/ defineOperation<
  IndexCheck,
  [Tensor]
>({
  name: 'checkIndices',
  doc: 'nothing, or an error where a number is no index below the limit',
  effect: true,
  shape: () => [0],
  reference: ([indices], check) => {
    checkNumbers(indices!.values, 0, indices!.values.length, check)
    return []
  },
  kernel: (_, [indices], check) => checkTensor(indices, check),
  vjp: [null],
})

/**
 * Checks that every number of `indices` is an index: an integer from 0 to limit - 1. While a function is recorded there are
 * no numbers yet: the check becomes a line of the program, and throws whenever that is run on numbers that are none.
 *
 * @param operation the function that refuses, as users call it
 * @param indices any shape
 * @param limit how many there are to choose from
 * @param words what the error calls an index, and the place where it stands: its number in row-major order
 * @throws RangeError that names the first one that is no index, and its place
 * @example
 * t.checkIndices('embed', t.tensor([0, 2]), 3)
 * t.checkIndices('embed', t.tensor([0, 3]), 3) // throws RangeError: embed: index 3 at place 1 is not an integer from 0 to 2; count classes from 0
 * const words = { index: 'label', place: 'row' }
 * t.checkIndices('hinge', t.tensor([-1]), 3, words) // throws RangeError: hinge: label -1 at row 0 is not an integer from 0 to 2; count classes from 0
 */
export function checkIndices(
  operation: string,
  indices: Tensor,
  limit: number,
  words: IndexWords = indexAtPlace,
): void {
  const given = tensorOperand(operation, indices)
  if (isGone(given)) failDisposed(operation, given)
  if (given.offset < 0) apply(checkIndicesOperation, [given], { operation, limit, words })
  else checkTensor(given, { operation, limit, words })
}

// The kernel finds the place, and the words are found there.
function checkTensor({ offset, size }: Tensor, check: IndexCheck): void {
  if (wasm().firstBad(offset, size, check.limit) >= 0) checkNumbers(heapFloats(), offset / 4, size, check)
}

function checkNumbers(
  numbers: ArrayLike<number>,
  first: number,
  count: number,
  { operation, limit, words, each = count }: IndexCheck,
): void {
  for (let i = 0; i < count; i++) {
    const index = numbers[first + i]!
    if (index >= 0 && index < limit && Number.isInteger(index)) continue
    failRange(
      operation,
      `${words.index} ${index} at ${words.place} ${i % each} is not an integer from 0 to ${limit - 1}`,
      'count classes from 0',
    )
  }
}
