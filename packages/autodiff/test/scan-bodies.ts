import fc from 'fast-check'
import * as t from '../src/index.ts'
import type { Ways } from './scan-loop.ts'

/** A random body: numbers that choose among the values so far, so that every list of them is one. */
export interface BodySpec {
  readonly carry: readonly t.Shape[]
  readonly xs: readonly t.Shape[]
  readonly captured: readonly t.Shape[]
  readonly constants: readonly t.Shape[]
  readonly lines: readonly { readonly call: number; readonly a: number; readonly b: number }[]
  /** Which value each part of the next carry is. */
  readonly next: readonly number[]
  /** Which values are stacked; null for none. */
  readonly ys: readonly number[] | null
  readonly length: number
  readonly reverse: boolean
}

const shapes = fc.constantFrom<t.Shape>([], [], [3], [3], [5], [17], [0], [1], [3, 5], [5, 3])
const choice = fc.nat(200)

export const bodySpecs: fc.Arbitrary<BodySpec> = fc.record({
  carry: fc.array(shapes, { maxLength: 3 }),
  xs: fc.array(shapes, { maxLength: 2 }),
  captured: fc.array(shapes, { maxLength: 3 }),
  constants: fc.array(shapes, { maxLength: 1 }),
  lines: fc.array(fc.record({ call: choice, a: choice, b: choice }), { maxLength: 7 }),
  next: fc.array(choice, { minLength: 3, maxLength: 3 }),
  ys: fc.option(fc.array(choice, { maxLength: 4 }), { freq: 6 }),
  length: fc.constantFrom(0, 1, 2, 3, 3, 7, 7, 50),
  reverse: fc.boolean(),
})

/** A value of a body: what it is called, and whether it depends on the carry or on a row. */
interface Known {
  readonly x: t.Tensor
  readonly isMade: boolean
  readonly name: string
}

const flat = (x: t.Tensor): t.Tensor => t.reshape(x, [x.size])

/**
 * `b` in a shape that goes with that of `a`. Nothing is computed from captured values alone: a scan would do that once,
 * before its loop.
 */
function fitting(a: t.Tensor, { x: b, isMade }: Known): t.Tensor {
  if (b.rank === 0 || t.sameShape(a.shape, b.shape)) return b
  if (isMade) return t.tanh(t.sum(b))
  return t.tanh(t.sum(t.mul(b, t.sum(a))))
}

type Line = (a: t.Tensor, b: Known, ways: Ways, key: t.Key, name: string) => t.Tensor

const calls: readonly Line[] = [
  (a, b) => t.add(a, fitting(a, b)),
  (a, b) => t.sub(fitting(a, b), a),
  (a, b) => t.mul(t.tanh(a), fitting(a, b)),
  (a, b) => t.maximum(a, fitting(a, b)),
  (a, b) => t.where(t.greater(a, fitting(a, b)), t.mul(a, 0.5), fitting(a, b)),
  (a) => t.tanh(a),
  (a) => t.sigmoid(a),
  (a) => t.relu(a),
  (a) => t.square(t.tanh(a)),
  (a) => t.exp(t.neg(t.square(a))),
  (a) => t.sum(a),
  (a) => t.reshape(a, [a.size, 1]),
  (a) => (a.rank > 0 && a.size > 0 ? t.softmax(a) : t.neg(a)),
  (a) => (a.rank > 1 ? t.transpose(a) : t.mul(a, 0.5)),
  (a) => (a.rank > 0 ? t.slice(a, a.shape[0]! >> 1) : t.add(a, 1)),
  (a, b) => t.concat([flat(a), flat(t.mul(a, fitting(a, b)))]),
  (a, { x: b }) =>
    b.rank === 2 && a.size === b.shape[0] ? flat(t.matmul(t.reshape(a, [1, a.size]), b)) : t.neg(a),
  (a) => (a.rank > 0 && a.shape[0]! > 0 ? t.gather(a, t.tensor([a.shape[0]! - 1, 0, 0])) : t.neg(a)),
  (a, b) => {
    const by = fitting(a, b)
    return t.grad((z: t.Tensor) => t.sum(t.mul(t.tanh(z), t.add(z, by))))(a)
  },
  (a, b, { scan }) => {
    const total = t.sum(a)
    const first = t.tanh(t.sum(t.mul(a, fitting(a, b))))
    const inner = (c: t.Tensor, x: t.Tensor): { carry: t.Tensor; y: t.Tensor } => {
      const y = t.mul(c, x)
      return { carry: t.tanh(t.add(t.mul(c, 0.5), t.mul(x, total))), y }
    }
    return scan(inner, first, flat(a)).ys
  },
  (a, b, { checkpoint }, _, name) => {
    const by = fitting(a, b)
    return checkpoint((z: t.Tensor) => t.mul(t.tanh(z), b.name === name ? 0.5 : by))(a)
  },
  (a, b, { compile }) => {
    const by = fitting(a, b)
    return compile((z: t.Tensor) => t.mul(t.sigmoid(z), by))(a)
  },
  (a, _, __, key) => t.mul(a, t.normal(t.foldIn(key, a.size), a.shape)),
]

/** What a body is run on. */
export interface Given {
  readonly carry: readonly t.Tensor[]
  readonly xs: readonly t.Tensor[]
  readonly captured: readonly t.Tensor[]
  readonly key: t.Key
}

export interface Result {
  readonly carry: readonly t.Tensor[]
  readonly ys: readonly t.Tensor[] | null
}

/** Where the values of a step come from, by place: `c0`, `x0`, `w0`, `k0`, and `%0` for what is computed. */
export interface Origins {
  readonly next: readonly string[]
  readonly ys: readonly string[]
}

/** The values of one step, and what they are called. */
function step(
  spec: BodySpec,
  ways: Ways,
  carry: readonly t.Tensor[],
  xs: readonly t.Tensor[],
  captured: readonly t.Tensor[],
  key: t.Key,
): { next: readonly t.Tensor[]; y: readonly t.Tensor[] | null; origins: Origins } {
  const known: Known[] = []
  const add = (x: t.Tensor, isMade: boolean, name: string): void => void known.push({ x, isMade, name })
  for (const [i, x] of carry.entries()) add(x, true, `c${i}`)
  for (const [i, x] of xs.entries()) add(x, true, `x${i}`)
  for (const [i, x] of captured.entries()) add(x, false, `w${i}`)
  for (const [i, shape] of spec.constants.entries()) add(t.full(shape, 0.75), false, `k${i}`)
  for (const [i, { call, a, b }] of spec.lines.entries()) {
    const made = known.filter(({ isMade }) => isMade)
    if (made.length === 0) break
    // The latest ones more often than not.
    const near = made.slice(-4)
    const from = a % 2 === 0 ? near : made
    const operand = from[a % from.length]!
    const made2 = calls[call % calls.length]!(operand.x, known[b % known.length]!, ways, key, operand.name)
    add(made2, true, `%${i}`)
  }
  const pick = (n: number): Known | undefined => known[known.length - 1 - (n % known.length)]
  const nextNames: string[] = []
  const next = carry.map((c, i) => {
    const found = pick(spec.next[i]!)!
    const fits = t.sameShape(found.x.shape, c.shape)
    nextNames.push(fits ? found.name : `n${i}`)
    return fits ? found.x : t.tanh(t.add(c, fitting(c, found)))
  })
  const stacked = (spec.ys ?? []).map(pick).filter((found) => found !== undefined)
  return {
    next,
    y: spec.ys === null ? null : stacked.map(({ x }) => x),
    origins: { next: nextNames, ys: stacked.map(({ name }) => name) },
  }
}

/** Runs a body over its rows. */
export function run(spec: BodySpec, ways: Ways, { carry, xs, captured, key }: Given): Result {
  const result = ways.scan(
    (c: readonly t.Tensor[], { x, key: rowKey }: { x: readonly t.Tensor[]; key: t.Key }) => {
      const { next, y } = step(spec, ways, c, x, captured, rowKey)
      return { carry: next, y }
    },
    carry,
    { x: xs, key },
    { length: spec.length, reverse: spec.reverse },
  )
  return result as Result
}

/** Where the results of a step come from. */
export function originsOf(spec: BodySpec, ways: Ways): Origins {
  return t.scope(() => {
    const [carry, xs, captured] = [spec.carry, spec.xs, spec.captured].map((list) =>
      list.map((s) => t.zeros(s)),
    )
    return step(spec, ways, carry!, xs!, captured!, t.key(1)).origins
  })
}

/**
 * Whether gradients are the loop's to the bit: not where one tensor of the loop is several here, so that sums of three and
 * more are added up in another order.
 */
export function isOneForOne({ next, ys }: Origins): boolean {
  const isRepeated = new Set(next).size < next.length
  const takesCaptured = [...next, ...ys].some((name) => name.startsWith('w'))
  const changesPlaces = next.some((name, i) => name.startsWith('c') && name !== `c${i}`)
  const stacksPassed = next.some((name) => name.startsWith('c') && ys.includes(name))
  const stacksBoth = next.some((name, i) => {
    const [now, then] = [name, `c${i}`].map((one) => ys.filter((y) => y === one).length)
    return now! > 0 && then! > 0 && now! + then! > 2
  })
  return !isRepeated && !takesCaptured && !changesPlaces && !stacksPassed && !stacksBoth
}
