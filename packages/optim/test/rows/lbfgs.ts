import { lbfgs } from '@tapeflow/optim'
import type { Reference, Row, Surroundings } from './row.ts'

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0)
const along = (from: readonly number[], direction: readonly number[], length: number): number[] =>
  from.map((x, i) => x + length * direction[i]!)

interface Pair {
  readonly s: readonly number[]
  readonly y: readonly number[]
}

/** H g with H as a matrix, by (6.17) and (7.16) of Nocedal & Wright 2006: H' = (I - ρ s yᵀ) H (I - ρ y sᵀ) + ρ s sᵀ, oldest first. */
function newtonDirection(gradient: readonly number[], pairs: readonly Pair[]): number[] {
  const last = pairs.at(-1)
  const scale = last === undefined ? 1 : dot(last.s, last.y) / dot(last.y, last.y)
  let h = gradient.map((_, r) => gradient.map((_, c) => (r === c ? scale : 0)))
  for (const { s, y } of pairs) {
    const rho = 1 / dot(s, y)
    const left = s.map((_, r) => s.map((_, c) => (r === c ? 1 : 0) - rho * s[r]! * y[c]!))
    const half = left.map((row) => s.map((_, c) => row.reduce((sum, x, k) => sum + x * h[k]![c]!, 0)))
    h = half.map((row, r) => s.map((_, c) => dot(row, left[c]!) + rho * s[r]! * s[c]!))
  }
  return h.map((row) => -dot(row, gradient))
}

type Place = { readonly at: number; readonly value: number; readonly slope: number }

/** (3.59) of Nocedal & Wright 2006, kept within bounds. */
function cubic(a: Place, b: Place, low: number, high: number): number {
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.at - b.at)
  const inside = d1 * d1 - a.slope * b.slope
  if (!(inside >= 0)) return (low + high) / 2
  const d2 = Math.sign(b.at - a.at) * Math.sqrt(inside)
  const lowest = b.at - ((b.at - a.at) * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2)
  return Math.min(Math.max(lowest, low), high)
}

/** Algorithms 3.5 and 3.6, with the safeguards of minFunc: tenfold at most, and away from the ends every other time. */
function wolfe(f: (at: number) => Place, start: Place, first: number, size: number): number {
  const falls = (x: Place): boolean => x.value <= start.value + 1e-4 * x.at * start.slope
  const flat = (x: Place): boolean => Math.abs(x.slope) <= -0.9 * start.slope
  let [old, now] = [start, f(first)]
  let count = 0
  let [low, high] = [start, start]
  for (; ; count++) {
    if (count === 25) return falls(now) ? now.at : 0
    if (falls(now) && now.value < old.value) {
      if (flat(now)) return now.at
      if (now.slope < 0) {
        const next = f(cubic(old, now, now.at + 0.01 * (now.at - old.at), 10 * now.at))
        old = now
        now = next
        continue
      }
    }
    ;[low, high] = falls(now) && now.value < old.value ? [now, old] : [old, now]
    break
  }
  for (let close = false; count < 25; count++) {
    const [left, right] = [Math.min(low.at, high.at), Math.max(low.at, high.at)]
    if ((right - left) * size < 1e-9) break
    let at = cubic(low, high, left, right)
    const tenth = (right - left) / 10
    const atEnd = Math.min(right - at, at - left) < tenth
    if (atEnd && (close || at <= left || at >= right)) {
      at = right - at < at - left ? right - tenth : left + tenth
      close = false
    } else close = atEnd
    const x = f(at)
    if (!falls(x) || x.value >= low.value) {
      high = x
      continue
    }
    if (flat(x)) return x.at
    high = x.slope * (high.at - low.at) >= 0 ? low : high
    low = x
  }
  return low.at
}

/** Nocedal & Wright 2006, Algorithm 7.5, with matrices in the place of the two loops. */
function reference(rate: number, { history = 10, search = true } = {}): Reference {
  const pairs: Pair[] = []
  let before: { readonly params: readonly number[]; readonly gradient: readonly number[] } | null = null
  const step = (
    params: readonly number[],
    gradient: readonly number[],
    evaluate: Surroundings['evaluate'],
  ): number[] => {
    const length =
      before === null ? rate * Math.min(1, 1 / gradient.reduce((sum, g) => sum + Math.abs(g), 0)) : rate
    if (before !== null) {
      const pair = { s: along(params, before.params, -1), y: along(gradient, before.gradient, -1) }
      if (dot(pair.s, pair.y) > 1e-10) pairs.push(pair)
      if (pairs.length > history) pairs.shift()
    }
    before = { params, gradient }
    const direction = newtonDirection(gradient, pairs)
    const slope = dot(gradient, direction)
    if (slope > 0) return [...params]
    if (!search) return along(params, direction, length)
    const f = (at: number): Place => {
      const found = evaluate(along(params, direction, at))
      return { at, value: found.value, slope: dot(found.gradient, direction) }
    }
    const size = Math.max(...direction.map(Math.abs))
    return along(params, direction, wolfe(f, { at: 0, value: evaluate(params).value, slope }, length, size))
  }
  return (params, gradients, _, { evaluate }) =>
    gradients.every((g) => g === 0) ? [...params] : step(params, gradients, evaluate)
}

const notDifferentiated = 'it computes on the host'

// Newton's steps across a curved valley, and those of pairs out of two batches, amplify what is rounded: in float64, a start that is
// 1e-8 off ends 1e-5 off on Rosenbrock, a thousandfold.
const amplified = {
  rosenbrock: 1e-2,
  'noisy linear regression, another batch at each step': 1e-4,
}

export const rows: readonly Row[] = [
  {
    name: 'lbfgs',
    optimizer: () => lbfgs(),
    reference: () => reference(1),
    golden: 'lbfgs',
    notDifferentiated,
    tolerances: amplified,
    trees: 16,
  },
  {
    name: 'lbfgs with a history of 2',
    optimizer: () => lbfgs({ history: 2, learningRate: 0.5 }),
    reference: () => reference(0.5, { history: 2 }),
    golden: 'lbfgs with a history of 2',
    notDifferentiated,
    tolerances: amplified,
    trees: 16,
  },
  {
    name: 'lbfgs without a line search',
    optimizer: (rate) => lbfgs({ learningRate: rate, lineSearch: 'none' }),
    reference: (rate) => reference(rate, { search: false }),
    golden: 'lbfgs without a line search',
    notDifferentiated,
    tolerances: amplified,
  },
]
