import type { Key } from '../key.ts'
import type { ScanBody } from './scan-body.ts'

/** How a scan is run. */
export interface ScanAttributes {
  readonly body: ScanBody
  /** How many steps. */
  readonly length: number
  /** From the last row to the first. */
  readonly reverse: boolean
  /** Whether the carry that every step begins with is kept: its gradient needs them. */
  readonly saving: boolean
  /** Step i takes the child of each that is named by the number of its row. */
  readonly keys: readonly Key[]
  /** The number of the first row. */
  readonly firstRow: number
  readonly mayFail: boolean
}

/** Where the results of a scan begin in its output, in elements: the carry, what is stacked, and the carries that are kept. */
export interface Packing {
  readonly carry: readonly number[]
  readonly ys: readonly number[]
  readonly saved: readonly number[]
  readonly size: number
}

/** How the results of a scan are packed. */
export function packing({ body, length, saving }: ScanAttributes): Packing {
  let size = 0
  const next = (elements: number): number => {
    const at = size
    size += elements
    return at
  }
  const carry = body.carry.map((x) => next(x.size))
  const ys = body.result.ys.map((y) => next(y.size * length))
  const saved = saving ? body.carry.map((x) => next(x.size * length)) : []
  return { carry, ys, saved, size }
}
