import * as t from '@tapeflow/autodiff'
import { at, type Context } from '../layer.ts'
import { checkTensor } from '../targets.ts'

/** What attention looks from, into, and what it sees. */
export interface Attended {
  /** What looks: `[…, queries, features]`. */
  readonly query: t.Tensor
  /** What is looked at: `[…, keys, features]`, the queries where it is left out. */
  readonly key?: t.Tensor
  /** What is found there: `[…, keys, features]`, the keys where it is left out. */
  readonly value?: t.Tensor
  /** 1 where a query sees a key, 0 where not; broadcasts to `[…, queries, keys]`, for all heads. */
  readonly mask?: t.Tensor
  /** 1 for keys that are there, 0 for padding, whatever stands there: `[…, keys]`. */
  readonly keyMask?: t.Tensor
  /** Query i sees keys 0 to i only; what the layer was made with where it is left out. */
  readonly causal?: boolean
}

/** Queries, keys and values, that fit each other. */
export function checkAttended(
  operation: string,
  { query, key = query, value = key, mask, keyMask }: Attended,
  ctx: Context,
): [t.Tensor, t.Tensor, t.Tensor] {
  checkTensor(operation, 'query', query)
  const { rank } = query
  const wrong = (text: string, hint: string): never =>
    t.failRange(operation, text.replace('#', at(ctx)), hint)
  const keys = key.shape.slice(0, -1)
  if (
    rank < 2 ||
    !t.sameShape(query.shape.slice(0, -2), keys.slice(0, -1)) ||
    !t.sameShape(keys, value.shape.slice(0, -1))
  ) {
    const given = [query, key, value].map((x) => t.showShape(x.shape))
    const shown = key === query && value === key ? given[0] : `${given[0]}, ${given[1]} and ${given[2]}`
    wrong(
      `the layer# takes queries […, queries, features] and as many keys as values, of the same batch, got ${shown}`,
      'give them three axes: [rows, length, features]',
    )
  }
  const scores = [...query.shape.slice(0, -1), keys[rank - 2]!]
  if (mask !== undefined && !broadcasts(mask.shape, scores)) {
    wrong(
      `the mask of the layer# must broadcast to ${t.showShape(scores)}, got ${t.showShape(mask.shape)}`,
      'pass 1 where a query sees a key; what hides keys from all queries is a keyMask',
    )
  }
  if (keyMask !== undefined && !t.sameShape(keyMask.shape, keys)) {
    wrong(
      `the keyMask of the layer# must have shape ${t.showShape(keys)}, got ${t.showShape(keyMask.shape)}`,
      'pass 1 for each key that is there, 0 for padding',
    )
  }
  return [query, key, value]
}

/** Keys or values with zeros for padding: as a product with a weight of 0, NaN would stay. */
export function withoutPadding(x: t.Tensor, { keyMask }: Attended): t.Tensor {
  return keyMask === undefined ? x : t.where(t.expandDims(keyMask, -1), x, 0)
}

/** Both masks as one, with an axis for heads. */
export function attentionMask({ mask, keyMask }: Attended): t.Tensor | undefined {
  const ofScores = mask !== undefined && mask.rank > 2 ? t.expandDims(mask, -3) : mask
  if (keyMask === undefined) return ofScores
  const ofKeys = t.expandDims(keyMask, [-3, -2])
  return ofScores === undefined ? ofKeys : t.mul(ofScores, ofKeys)
}

function broadcasts(shape: t.Shape, to: t.Shape): boolean {
  const missing = to.length - shape.length
  return missing >= 0 && shape.every((size, axis) => size === 1 || size === to[axis + missing])
}
