import { failRange, failType, kindOf } from '../fail.ts'
import { failForeign } from '../foreign.ts'
import type { Key } from '../key.ts'
import { sameShape, showShape } from '../shape.ts'
import { isTensor, type Tensor } from '../tensor.ts'
import { isPlain } from '../tree.ts'

/** A tree like `P`, with null in the place of tensors, or of whole parts, for which there is none. */
export type WithGaps<P> =
  | null
  | (P extends Tensor ? Tensor : P extends Key | number | null ? P : { [K in keyof P]: WithGaps<P[K]> })

/**
 * The tensors of `given`, one for each tensor of `like` in the order of `leaves`: null where null stands in its place, or in
 * the place of what it is a part of.
 *
 * @param what they are, in the singular: errors name it
 * @throws TypeError or RangeError that names the path where structure or shape differ
 */
export function tensorsLike(
  operation: string,
  what: string,
  like: unknown,
  given: unknown,
): (Tensor | null)[] {
  const found: (Tensor | null)[] = []
  match({ operation, what, found }, like, given, '')
  return found
}

interface Match {
  readonly operation: string
  readonly what: string
  readonly found: (Tensor | null)[]
}

function match(into: Match, like: unknown, given: unknown, path: string): void {
  const { operation, what, found } = into
  const place = path === '' ? '' : ` at '${path}'`
  if (isTensor(like)) {
    if (given !== null && !isTensor(given)) {
      failForeign(operation, given)
      const expected = `the ${what}${place} must be a tensor of shape ${showShape(like.shape)} or null`
      failType(operation, `${expected}, got ${kindOf(given)}`, 'null stands for none')
    }
    if (given !== null && !sameShape(given.shape, like.shape)) {
      failRange(
        operation,
        `the ${what}${place} must have its input's shape ${showShape(like.shape)}, got ${showShape(given.shape)}`,
      )
    }
    found.push(given)
    return
  }
  const keys = Array.isArray(like) ? [...like.keys()] : isPlain(like) ? Object.keys(like).sort() : null
  if (keys === null) return
  const isAlike = Array.isArray(like) ? Array.isArray(given) : isPlain(given)
  if (given !== null && !isAlike) {
    const expected = `the ${what}s${place} must be ${Array.isArray(like) ? 'an array' : 'an object'} or null`
    failType(operation, `${expected}, got ${kindOf(given)}`, 'match the structure of the inputs')
  }
  const within = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)
  const parts = like as Readonly<Record<string | number, unknown>>
  const others = given as Readonly<Record<string | number, unknown>> | null
  for (const key of keys) match(into, parts[key], others === null ? null : others[key], within(key))
  const extra = Object.keys(others ?? {}).find((key) => !Object.hasOwn(parts, key))
  if (extra === undefined) return
  failRange(
    operation,
    `there is a ${what} at '${within(extra)}', where the inputs have nothing`,
    'match the structure of the inputs',
  )
}
