import {
  failRange,
  knownOptions,
  leaves,
  mapTensors,
  RecordingError,
  reshape,
  scope,
  type Tensor,
  tensor,
} from '@tapeflow/autodiff'
import { failWithoutEvaluate } from '../check-optimizer.ts'
import { checkSettings, hyperOf, namesOf, scalar } from '../hyper.ts'
import { leafwise, zeroSlots } from '../leafwise.ts'
import type { Evaluate, Hyper, Optimizer, Schedule, Slots } from '../optimizer.ts'
import { checkNumber, positiveCount, type Range } from '../range.ts'
import { strongWolfe } from '../strong-wolfe.ts'
import { directionOf, dot, isZero, type Vectors } from '../two-loop.ts'

/** What `lbfgs` takes. */
export interface LbfgsOptions {
  /** lr: the first length that is tried along a direction, or, without a line search, the length; 1 by default. */
  readonly learningRate?: number | Schedule
  /** How many pairs of steps and changes of gradient are remembered, from 1 on; 10 by default. */
  readonly history?: number
  /** How the length of a step is found: 'strongWolfe' looks along the direction, 'none' takes the rate. 'strongWolfe' by default. */
  readonly lineSearch?: 'strongWolfe' | 'none'
  /** c1: what share of the fall that the slope promises has to come true, between 0 and `curvature`; 1e-4 by default. */
  readonly decrease?: number
  /** c2: what share of the slope may be left, between `decrease` and 1; 0.9 by default. Small ones make the search exact. */
  readonly curvature?: number
}

const between: Range = { above: 0, below: 1 }
const name = 'lbfgs'
// As PyTorch has it: a search ends where no parameter would move farther.
const closest = 1e-9
// Losses are float32: in sums of many, a millionth is rounding.
const rounding = 1e-6

/**
 * Newton's method with a Hessian that is guessed from the last steps: for losses over all data, not for batches that change.
 *
 *     s, y = the last step, and how the gradient changed over it; remembered where y·s > 1e-10
 *     d = -H g, with H from the remembered pairs, beginning with (y·s / y·y) I: the two-loop recursion
 *     W = W + t d
 *
 * t is found by a line search that satisfies the strong Wolfe conditions and asks `evaluate` for loss and gradient along d, mostly
 * once or twice, beside once for the loss at W. Before there is a pair, t is sought from min(1, 1/‖g‖₁) lr on. One update is one
 * iteration of PyTorch's LBFGS (`max_iter=1`, tolerances 0; its `history_size` is 100, and it searches only if told to).
 *
 * It is eager: it reads values, and computes on the host in float64. `fit` then runs eagerly; its update can be neither compiled nor
 * differentiated. Where the batch changes between steps, y compares gradients of different losses: steps then go astray. In a `chain`
 * the line search sees the loss as it is, whatever links made of its gradients.
 *
 * @returns an optimizer with the slots `point` and `gradient`, where it was last, and `s0`, `y0`, … `s9`, `y9`, the latest pair first
 * @throws RangeError where a number is out of range; TypeError where it is none, or, at an update that searches, where `evaluate` is
 * missing; RecordingError at an update that is recorded or differentiated
 * @example
 * const optimizer = lbfgs()
 * const look = t.valueAndGrad((w: t.Tensor) => t.sum(t.mul(t.square(t.sub(w, 3)), t.tensor([1, 10]))))
 * let now = { params: t.tensor([0, 0]), slots: optimizer.init(t.tensor([0, 0])) }
 * for (let step = 0; step < 8; step++) {
 *   now = optimizer.update(look(now.params).gradients, now.slots, now.params, optimizer.hyper(step), look)
 * }
 * now.params.toArray().map((w) => w.toFixed(4)) // => ['3.0000', '3.0000']
 *
 * Nocedal 1980, Updating quasi-Newton matrices with limited storage; Nocedal & Wright 2006, Numerical optimization, Algorithm 7.4.
 */
export function lbfgs(options: LbfgsOptions = {}): Optimizer<string> {
  const {
    learningRate = 1,
    history = 10,
    lineSearch = 'strongWolfe',
    decrease = 1e-4,
    curvature = 0.9,
  } = knownOptions(name, options, 'learningRate history lineSearch decrease curvature')
  checkNumber(name, 'history', history, positiveCount)
  if (lineSearch !== 'strongWolfe' && lineSearch !== 'none')
    failRange(name, `lineSearch must be 'strongWolfe' or 'none', got ${String(lineSearch)}`)
  const isSearching = lineSearch === 'strongWolfe'
  const all = { decrease, curvature }
  const ranges = { decrease: between, curvature: between }
  const settings = checkSettings({
    operation: name,
    learningRate,
    values: isSearching ? all : ({} as typeof all),
    ranges,
  })
  if (isSearching) checkOrder(all)
  const numbers = hyperOf(settings)
  const slotNames = [
    'point',
    'gradient',
    ...Array.from({ length: history }, (_, i) => [`s${i}`, `y${i}`]).flat(),
  ]

  return {
    name,
    hyperparameters: namesOf(settings),
    eager: true,
    init: (params) => zeroSlots(slotNames, params),
    update: (gradients, slots, given, hyper, evaluate) => {
      if (isSearching && evaluate === undefined) failWithoutEvaluate(name)
      return scope(() => {
        leafwise(name, slotNames, gradients, slots, given, (...tensors) => {
          for (const x of tensors) checkReadable(x)
          return tensors
        })
        // Keys in order, as snapshots have them: sums over all leaves round otherwise in another. Each tensor is its own: still a P.
        const params = mapTensors(given, (x) => x) as typeof given
        const vectors = vectorsOf(params, gradients, slots)
        const rate = numberOf(hyper, 'learningRate')
        // Where the gradient is 0 all stays, what is remembered too.
        if (isZero(vectors.gradient))
          return leafwise(name, slotNames, gradients, slots, params, (w, _, ...own) => [w, ...own].map(again))
        const { direction, isFirst, pair } = directionOf(vectors, history)
        const first = isFirst ? rate * Math.min(1, 1 / sumOfMagnitudes(vectors.gradient)) : rate
        const slope = dot(vectors.gradient, direction)
        const length = (): number => {
          if (slope > 0) return 0
          if (!isSearching || !(slope < 0) || !(first > 0)) return first
          return searched(params, vectors.params, direction, first, slope, evaluate!, hyper)
        }
        const moved = stepped(vectors.params, direction, length())
        let from = 0
        return leafwise(name, slotNames, gradients, slots, params, (w, g, _point, _gradient, ...pairs) => {
          const [start, end] = [from, (from += w.size)]
          const made = (values: Float32Array): Tensor => tensor(values.subarray(start, end), w.shape)
          const latest = pair === null ? [] : [made(pair.s), made(pair.y)]
          const older = pairs.slice(0, pairs.length - latest.length)
          return [made(moved), again(w), again(g), ...latest, ...older.map(again)]
        })
      })
    },
    hyper: (step, control) => {
      const now = numbers(step, control)
      if (isSearching) checkOrder(now)
      return now
    },
  }
}

function vectorsOf(params: unknown, gradients: unknown, slots: Slots<string, unknown>): Vectors {
  return {
    params: concatenated(params),
    gradient: concatenated(gradients),
    point: concatenated(slots.point),
    gradientThere: concatenated(slots.gradient),
    pair: (index) => ({ s: concatenated(slots[`s${index}`]), y: concatenated(slots[`y${index}`]) }),
  }
}

/** How far to go along a direction, by a line search. */
function searched<P>(
  params: P,
  from: Float32Array,
  direction: Float64Array,
  first: number,
  slope: number,
  evaluate: Evaluate<P>,
  hyper: Hyper,
): number {
  const probe = (at: number): { value: number; slope: number } =>
    scope(() => {
      const values = stepped(from, direction, at)
      let used = 0
      const there = leafwise(name, [], params, {}, params, (w) => [
        tensor(values.subarray(used, (used += w.size)), w.shape),
      ]).params
      const found = evaluate(there)
      // For its checks alone.
      leafwise(name, [], found.gradients, {}, params, (w) => [w])
      return { value: found.value.item(), slope: dot(concatenated(found.gradients), direction) }
    })
  const value = scope(() => evaluate(params).value.item())
  return strongWolfe(
    probe,
    { value, slope },
    {
      first,
      decrease: numberOf(hyper, 'decrease'),
      curvature: numberOf(hyper, 'curvature'),
      rounding,
      closest: closest / largest(direction),
    },
  )
}

/** The values of all leaves, in the order of `leaves`. */
function concatenated(tree: unknown): Float32Array {
  const tensors = leaves(tree)
  const all = new Float32Array(tensors.reduce((sum, { size }) => sum + size, 0))
  let from = 0
  for (const x of tensors) {
    all.set(x.toFloat32Array(), from)
    from += x.size
  }
  return all
}

function stepped(from: Float32Array, direction: Float64Array, length: number): Float32Array {
  const to = new Float32Array(from.length)
  for (let i = 0; i < to.length; i++) to[i] = from[i]! + length * direction[i]!
  return to
}

function sumOfMagnitudes(x: Float32Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += Math.abs(x[i]!)
  return sum
}

function largest(x: Float64Array): number {
  let most = 0
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i]!))
  return most
}

/** The same memory under a name of its own, which is freed at another time. */
function again(x: Tensor): Tensor {
  return reshape(x, x.shape)
}

/** A number of `hyper`, not rounded to a tensor where it is one. */
function numberOf(hyper: Hyper, key: string): number {
  const value = hyper[key]
  if (typeof value === 'number') return value
  const tensor = scalar(name, hyper, key)
  checkReadable(tensor)
  return tensor.item()
}

function checkReadable(x: Tensor): void {
  if (x.tape?.open !== true) return
  throw new RecordingError(
    name,
    'it reads values while it decides, so that its update can be neither recorded nor differentiated',
    'run it eagerly, without t.compile, as fit does where compile is left out',
  )
}

function checkOrder({ decrease, curvature }: Readonly<Record<'decrease' | 'curvature', number>>): void {
  if (decrease < curvature) return
  failRange(name, `decrease must be below curvature, got ${decrease} and ${curvature}`)
}
