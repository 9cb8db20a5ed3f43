import type { ScanAttributes } from '../compile/packing.ts'
import { ScanBody } from '../compile/scan-body.ts'
import { foldIn } from '../key.ts'
import { retain } from '../memory.ts'
import { reshape } from '../ops/reshape.ts'
import { slice } from '../ops/slice.ts'
import { own } from '../scopes.ts'
import { Tensor } from '../tensor.ts'
import { inScope, isPlain } from '../tree.ts'

/** Whether these are attributes of an operation that repeats a recorded body. */
export function isScan(attributes: unknown): attributes is ScanAttributes {
  return isPlain(attributes) && attributes.body instanceof ScanBody
}

/**
 * Runs the steps of a scan once more, operation by operation, so that each is looked at.
 *
 * @param entering is told each step, and the row that it takes
 */
export function runAgain(
  inputs: readonly Tensor[],
  { body, length, reverse, keys, firstRow }: ScanAttributes,
  entering: (step: number, row: number) => void,
): void {
  inScope(() => {
    const values = inputs.map(untraced)
    const carries = body.carry.length
    const firstCaptured = carries + body.xs.length
    const captured = values.slice(firstCaptured)
    let carry: readonly Tensor[] = values.slice(0, carries)
    for (let step = 0; step < length; step++) {
      const row = reverse ? length - 1 - step : step
      entering(step, firstRow + row)
      carry = inScope(() => {
        const xs = values
          .slice(carries, firstCaptured)
          .map((x) => reshape(slice(x, row, row + 1), x.shape.slice(1)))
        const own = keys.slice(0, body.rowKeys).map((key) => foldIn(key, firstRow + row))
        return body.again(carry, xs, [...own, ...keys.slice(body.rowKeys)], captured).carry
      })
    }
  })
}

/** The same numbers, on no tape. */
function untraced(x: Tensor): Tensor {
  const made = new Tensor(x.shape, x.size, x.offset, retain(x.storage), null, -1, null)
  own(made)
  return made
}
