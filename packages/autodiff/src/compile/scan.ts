import { failRange, failType, kindOf } from '../fail.ts'
import { Key } from '../key.ts'
import { checkFlag, checkOptions } from '../options.ts'
import { showShape } from '../shape.ts'
import { isTensor, type Tensor } from '../tensor.ts'
import { checkFunction } from '../transforms/functions.ts'
import { inScope, mapTree, visitLeaves } from '../tree.ts'
import type { Step } from './scan-body.ts'
import { scanSteps } from './scan-operation.ts'

/** How `scan` goes over the rows. */
export interface ScanOptions {
  /** How many steps, where `xs` has no tensor to tell. */
  readonly length?: number
  /** From the last row to the first; what is stacked stands where its row was. Off by default. */
  readonly reverse?: boolean
}

/** What a scan comes to: the last carry, and what the steps gave beside, stacked along a new leading axis. */
export type Scanned<C, Y> = { readonly carry: C; readonly ys: Y }

/**
 * A loop over the leading axis of `xs` that carries something on: `{ carry, y } = body(carry, x)` for each row x, from the
 * given carry on. The body is recorded once, whatever the number of rows, and run row by row from memory of fixed places.
 *
 * It equals the loop written out, rows stacked when that is done, bit for bit. A gradient keeps the carry of every step and
 * makes everything else again on the way back; the body is not called for it. What the body uses from closures gets
 * gradients too, and what it makes of closures alone is made once, before the first step. A key in `xs` gives row i the
 * key `foldIn(key, i)`.
 *
 * Gradients are those of the loop bit for bit as well, but for the sign of zeros in that of `xs`, and for the order of
 * additions where one tensor of the loop goes by several names here: carried in two places, carried or stacked though it
 * comes from a closure, or stacked and passed on as it came; and where something is made of closures alone.
 *
 * @param body a pure function of trees; it must return a carry of the same structure and shapes, and may return null for `y`
 * @param carry a tree of tensors
 * @param xs a tree of tensors of one leading size, and of keys; null for none, with `options.length`
 * @param options.length how many steps; needed only where `xs` holds no tensor
 * @param options.reverse from the last row to the first; false by default
 * @returns the carry after the last step, and every `y`, stacked: `[rows, …]` for `[…]`
 * @throws RangeError where leading sizes differ or the carry changes its shapes; TypeError for other leaves; RecordingError where
 * the body reads a value
 * @example
 * const { carry, ys } = t.scan((sum: t.Tensor, x: t.Tensor) => {
 *   const next = t.add(sum, x)
 *   return { carry: next, y: t.square(next) }
 * }, t.tensor(0), t.tensor([1, 2, 3]))
 * carry.item() // => 6
 * ys.toArray() // => [1, 9, 36]
 */
export function scan<C, X, Y>(
  body: (carry: C, x: X) => { readonly carry: C; readonly y: Y },
  carry: C,
  xs: X,
  options: ScanOptions = {},
): Scanned<C, Y> {
  checkFunction('scan', body)
  checkOptions('scan', options, ['length', 'reverse'])
  const reverse = checkFlag('scan', 'reverse', options.reverse)
  const carried = flatten('the carry', carry, false)
  const rows = flatten('xs', xs, true)
  const length = lengthOf(rows.tensors, options.length)
  let ys: Flat | undefined
  const step: Step = (given) => {
    const returned: unknown = body(carried.tree(given.carry, []) as C, rows.tree(given.xs, given.keys) as X)
    if (typeof returned !== 'object' || returned === null || !('carry' in returned) || !('y' in returned)) {
      return failType('scan', `the body must return { carry, y }, got ${kindOf(returned)}`, 'y may be null')
    }
    const next = flatten('the carry', returned.carry, false)
    if (next.places !== carried.places) {
      failRange(
        'scan',
        `the carry must keep its structure, got ${next.places} for ${carried.places}`,
        'return a carry like the one that came in',
      )
    }
    ys = flatten('y', returned.y, false)
    return { carry: next.tensors, ys: ys.tensors }
  }
  return inScope(() => {
    const order = { length, reverse, keys: rows.keys, firstRow: 0 }
    const given = { carry: carried.tensors, xs: rows.tensors, whole: [] }
    const result = scanSteps('scan', step, given, order)
    // Trees of the structures that came in, and that the body returned.
    return { carry: carried.tree(result.carry, []) as C, ys: ys!.tree(result.ys, []) as Y }
  })
}

/** A tree as lists. */
interface Flat {
  readonly tensors: readonly Tensor[]
  readonly keys: readonly Key[]
  /** Where its tensors are, in words. */
  readonly places: string
  tree(tensors: readonly Tensor[], keys: readonly Key[]): unknown
}

function flatten(what: string, tree: unknown, takesKeys: boolean): Flat {
  const tensors: Tensor[] = []
  const keys: Key[] = []
  const paths: string[] = []
  visitLeaves(tree, (leaf, path) => {
    if (leaf === null) return
    paths.push(path)
    if (isTensor(leaf)) tensors.push(leaf)
    else if (takesKeys && leaf instanceof Key) keys.push(leaf)
    else {
      const [got, remedy] =
        leaf instanceof Key
          ? ['a Key', 'pass it in xs, or use it from a closure']
          : ['a number', 'wrap it in t.tensor, or use it from a closure']
      const place = path === '' ? '' : ` at '${path}'`
      const allowed = takesKeys ? 'tensors, keys and null' : 'tensors and null'
      failType('scan', `${what} must hold ${allowed}, got ${got}${place}`, remedy)
    }
  })
  return {
    tensors,
    keys,
    places: inWords(paths),
    tree: (newTensors, newKeys) => {
      let [tensor, key] = [0, 0]
      return mapTree(tree, (leaf) => {
        if (leaf === null) return null
        return leaf instanceof Key ? newKeys[key++] : newTensors[tensor++]
      })
    },
  }
}

function inWords(paths: readonly string[]): string {
  if (paths.length === 0) return 'no tensor'
  return paths[0] === '' ? 'a tensor' : `tensors at '${paths.join("', '")}'`
}

function lengthOf(xs: readonly Tensor[], given: number | undefined): number {
  let length = given
  for (const { shape } of xs) {
    const size = shape[0]
    if (size === undefined) {
      failRange('scan', 'a scalar in xs has no leading axis', 'use it from a closure, or put it in the carry')
    }
    length ??= size
    if (size !== length) {
      failRange('scan', `leading sizes differ, got ${showShape(shape)} where ${length} steps are made`)
    }
  }
  if (length === undefined) {
    failRange('scan', 'xs has no tensor to tell the number of steps', 'pass { length }')
  }
  if (!Number.isInteger(length) || length < 0) {
    failRange('scan', `length must be an integer from 0 on, got ${length}`)
  }
  return length
}
