import { valuesOf } from './apply.ts'
import { isBroken, type Move, type Slope, slopesOf, smallerSide } from './difference-quotient.ts'
import { referenceValues } from './evaluate-reference.ts'
import { failRange, failType, kindOf } from './fail.ts'
import { foldIn, type Key, key } from './key.ts'
import type { Values } from './operation.ts'
import { permutationValues, uniformValues } from './random-bits.ts'
import { type Shape, sizeOf } from './shape.ts'
import { fromValues } from './tensor.ts'
import { vjp } from './transforms/vjp.ts'
import { inScope, leaves, paths, type Tree } from './tree.ts'

/** How a gradient is checked. */
export interface CheckGradientOptions {
  /** The largest error allowed; 1e-3 by default. */
  readonly tolerance?: number
  /** The step of the central difference, relative to the input or to 1; 1e-5 by default: all is evaluated in float64. */
  readonly step?: number
  /** Checks at most so many elements of each tensor: the first, the last, and others drawn by a fixed key. All by default. */
  readonly limit?: number
  /** Whether the elements of a tensor move at once, in one random direction, and not one by one; false by default. */
  readonly fast?: boolean
  /** Paths of inputs that are not differentiated by, such as labels, with all that lies below them; none by default. */
  readonly fixed?: readonly string[]
  /** What becomes of elements at kinks: they are skipped, which is the default, or compared like the others. */
  readonly kinks?: 'skip' | 'compare'
}

/** Where the gradient was furthest from the difference quotient. */
export interface WorstError {
  /** The path of the input tensor, '' where the input is one tensor. */
  readonly input: string
  /** The place in it, in row-major order. */
  readonly index: number
  readonly analytic: number
  readonly numeric: number
}

/** What `checkGradient` found. */
export interface GradientCheck {
  readonly ok: boolean
  /** Infinity where an error is NaN. */
  readonly maxError: number
  /** null where nothing was compared, and where all elements moved together and nothing is wrong. */
  readonly worst: WorstError | null
  /** How many elements of the inputs were compared. */
  readonly compared: number
  /** How many were skipped: they lie at kinks. */
  readonly kinks: number
  /** What is wrong, in words; '' where nothing is. */
  readonly message: string
}

/**
 * Smaller derivatives than this are compared absolutely: float32 gradients that cancel to 0 keep some dust. More of it where
 * many results depend on each number of the input, and add up.
 */
const smallest = (results: number, size: number): number => 1e-2 * Math.sqrt(Math.max(1, results / size))

/** Where slopes on either side differ, these parts of the step are tried. */
const finer = [1, 1 / 30, 1 / 900]

/**
 * Whether the gradients of `f` at `inputs` are right: compared with central differences of the recorded program,
 * evaluated in float64 by the operations' references and recorded anew at each perturbed point.
 *
 * An error is |analytic - numeric| / s, where s is the largest numeric derivative of that input tensor, and at least 0.01, times
 * the root of how many results there are for each of its numbers.
 * What `f` returns may be any tree of tensors: it is projected on fixed random numbers.
 *
 * At a kink there is no derivative: where the slopes on either side differ the step is made shorter, down to a 900th or to the
 * next float32 number, and the element is skipped if they still do. Where all are skipped, nothing is known, and `ok` is false. Second derivatives are
 * checked as gradients of a gradient: `checkGradient(t.grad(f), x)`.
 *
 * `fast` takes two evaluations for each tensor in the place of two for each element: the gradient along one random direction
 * d is compared, relative to the root of the sum of (gradient d)². It may miss an error in one element out of thousands. What
 * fails is looked for by halving, so that `worst` is an element all the same.
 *
 * @param f a function of one tree, made of operations; give it a fixed key if it draws random numbers
 * @param inputs where to check
 * @param options.tolerance the largest error allowed, 1e-3 by default
 * @param options.step of the difference, relative to the input or to 1; 1e-5 by default
 * @param options.limit how many elements of each tensor are checked, all by default
 * @param options.fast whether elements move together, false by default
 * @param options.fixed paths of inputs that are not differentiated by, none by default
 * @param options.kinks 'skip', by default, or 'compare'
 * @returns `{ ok, maxError, worst: { input, index, analytic, numeric }, compared, kinks, message }`
 * @throws RangeError when an option is not positive, or names no input; TypeError when `f` returns no tensor
 * @example
 * const { ok } = checkGradient((x) => t.tanh(t.mul(x, x)), t.tensor([0.5, -1]))
 * ok // => true
 * checkGradient(t.relu, t.tensor([-1, 0, 1])).kinks // => 1
 * // What is read out of a tensor escapes the tape.
 * const half = (x) => t.mul(x, x.toArray()[0])
 * checkGradient(half, t.tensor([2])).maxError.toFixed(3) // => '0.500'
 */
export function checkGradient<P>(
  f: (inputs: P) => Tree,
  inputs: P,
  options: CheckGradientOptions = {},
): GradientCheck {
  const { tolerance = 1e-3, step = 1e-5, limit = Number.POSITIVE_INFINITY } = options
  const { fast = false, fixed = [], kinks: atKinks = 'skip' } = options
  for (const [name, value] of Object.entries({ tolerance, step, limit })) {
    if (!(value > 0)) failRange('checkGradient', `${name} must be above 0, got ${value}`)
  }
  if (atKinks !== 'skip' && atKinks !== 'compare') {
    failType('checkGradient', `kinks must be 'skip' or 'compare', got ${String(atKinks)}`)
  }
  const names = paths(inputs)
  const isFree = freedom(names, fixed)
  return inScope(() => {
    const start = leaves(inputs).map(valuesOf)
    const { gradients, results } = analyticGradients(f, inputs)
    const projected = (at: readonly Values[]): number => projection(referenceValues(f, inputs, at))
    const slopeAt = slopesOf(projected, start, gradients)
    const [skips, jump] = [atKinks === 'skip', Math.max(tolerance, 1e-5)]
    const check: Check = { slopeAt, start, gradients, results, step, tolerance, jump, skips }
    let [maxError, compared, kinks] = [-1, 0, 0]
    let worst: WorstError | null = null
    for (const [tensor, { values }] of start.entries()) {
      if (!isFree[tensor]!) continue
      const places = chosen(values.length, limit)
      const found = (fast ? alongOne : oneByOne)(check, tensor, places)
      compared += places.length - found.kinks
      kinks += found.kinks
      if (found.error <= maxError) continue
      maxError = found.error
      worst = found.worst === null ? null : { input: names[tensor]!, ...found.worst }
    }
    const isUnknown = compared === 0 && kinks > 0
    const ok = maxError <= tolerance && !isUnknown
    maxError = Math.max(0, maxError)
    return { ok, maxError, worst, compared, kinks, message: ok ? '' : words(maxError, worst, kinks) }
  })
}

function words(maxError: number, worst: WorstError | null, kinks: number): string {
  if (worst === null) return `nothing was compared: there are kinks at all ${kinks} places`
  const { input, index, analytic, numeric } = worst
  return `the gradient at place ${index} of input '${input}' is ${analytic}, differences give ${numeric}: error ${maxError}`
}

/** For each tensor whether it is differentiated by. */
function freedom(names: readonly string[], fixed: readonly string[]): readonly boolean[] {
  const isBelow = (name: string, path: string): boolean => name === path || name.startsWith(`${path}.`)
  for (const path of fixed) {
    if (names.some((name) => isBelow(name, path))) continue
    const known = names.map((name) => `'${name}'`).join(', ')
    failRange('checkGradient', `fixed must name inputs, got '${path}'`, `there are ${known}`)
  }
  return names.map((name) => !fixed.some((path) => isBelow(name, path)))
}

interface Check {
  readonly slopeAt: (move: Move, step: number) => Slope
  readonly start: readonly Values[]
  readonly gradients: readonly Float32Array[]
  /** How many numbers the function returns. */
  readonly results: number
  readonly step: number
  readonly tolerance: number
  /** How far slopes on either side may differ, relative to what errors are relative to. */
  readonly jump: number
  readonly skips: boolean
}

/** The largest error of a tensor, -1 where nothing was compared, and where it is. */
interface Found {
  readonly error: number
  readonly worst: Omit<WorstError, 'input'> | null
  readonly kinks: number
}

const at = (index: number, { analytic, numeric }: Slope): Omit<WorstError, 'input'> => ({
  index,
  analytic,
  numeric,
})

// A NaN is the worst there can be, and must not pass for small.
function errorOf({ analytic, numeric }: Slope, scale: number): number {
  const relative = Math.abs(analytic - numeric) / scale
  return Number.isNaN(relative) ? Number.POSITIVE_INFINITY : relative
}

const largest = (sizes: readonly number[], floor: number): number =>
  sizes.reduce((most, size) => Math.max(most, Math.abs(size)), floor)

const elementMove = (tensor: number, place: number): Move => ({
  tensor,
  places: [place],
  direction: () => 1,
})

const reach = (x: number): number => Math.max(1, Math.abs(x))

function oneByOne(check: Check, tensor: number, places: readonly number[]): Found {
  const { values } = check.start[tensor]!
  const floor = smallest(check.results, values.length)
  const move = (place: number, part: number): Slope =>
    check.slopeAt(elementMove(tensor, place), check.step * part * reach(values[place]!))
  const first = places.map((place) => move(place, 1))
  const most = check.jump * largest(first.map(smallerSide), floor)
  const slopes = first.map((slope, i): Slope | null => {
    if (!check.skips || !isBroken(slope, most)) return slope
    const nearer = finer.slice(1).map((part) => move(places[i]!, part))
    return nearer.find((one) => !isBroken(one, most)) ?? null
  })
  const scale = largest(
    slopes.map((slope) => slope?.numeric ?? 0),
    floor,
  )
  let found: Found = { error: -1, worst: null, kinks: slopes.filter((slope) => slope === null).length }
  for (const [i, slope] of slopes.entries()) {
    if (slope === null) continue
    const error = errorOf(slope, scale)
    if (error > found.error) found = { ...found, error, worst: at(places[i]!, slope) }
  }
  return found
}

function alongOne(check: Check, tensor: number, places: readonly number[]): Found {
  const { values } = check.start[tensor]!
  const drawn = notSmall(foldIn(key(1), tensor), values.length)
  const direction = (place: number): number => drawn[place]! * reach(values[place]!)
  const along = (some: readonly number[], part: number): Slope =>
    check.slopeAt({ tensor, places: some, direction }, check.step * part)
  const squares = places.map((place) => (check.gradients[tensor]![place]! * direction(place)) ** 2)
  const scale = largest(
    [Math.sqrt(squares.reduce((sum, square) => sum + square, 0))],
    smallest(check.results, values.length),
  )
  const parts: { readonly places: readonly number[]; readonly slope: Slope; readonly part: number }[] = []
  let kinks = 0
  // What breaks is cut in halves, until the kinks are alone.
  const gather = (some: readonly number[]): void => {
    if (some.length === 0) return
    for (const part of some.length === 1 ? finer : [finer.at(0)!, finer.at(-1)!]) {
      const slope = along(some, part)
      if (check.skips && isBroken(slope, check.jump * Math.max(scale, smallerSide(slope)))) continue
      parts.push({ places: some, slope, part })
      return
    }
    if (some.length === 1) kinks++
    else for (const half of halves(some)) gather(half)
  }
  gather(places)
  if (parts.length === 0) return { error: -1, worst: null, kinks }
  const total = (side: 'analytic' | 'numeric'): number =>
    parts.reduce((sum, { slope }) => sum + slope[side], 0)
  const numeric = total('numeric')
  const whole: Slope = { analytic: total('analytic'), numeric, left: numeric, right: numeric }
  const error = errorOf(whole, Math.max(scale, Math.abs(numeric)))
  if (error <= check.tolerance) return { error, worst: null, kinks }
  const off = ({ slope }: { readonly slope: Slope }): number => errorOf(slope, 1)
  let suspect = parts.reduce((a, b) => (off(b) > off(a) ? b : a))
  while (suspect.places.length > 1) {
    const { part } = suspect
    const [a, b] = halves(suspect.places).map((some) => ({ places: some, slope: along(some, part), part }))
    suspect = off(b!) > off(a!) ? b! : a!
  }
  const place = suspect.places[0]!
  const step = check.step * suspect.part * reach(values[place]!)
  return { error, worst: at(place, check.slopeAt(elementMove(tensor, place), step)), kinks }
}

function halves(places: readonly number[]): readonly (readonly number[])[] {
  const middle = places.length >> 1
  return [places.slice(0, middle), places.slice(middle)]
}

function chosen(size: number, limit: number): number[] {
  const all = Array.from({ length: size }, (_, i) => i)
  if (size <= limit) return all
  const inner = Array.from(permutationValues(key(size), size)).filter((i) => i !== 0 && i !== size - 1)
  return [size - 1, 0, ...inner].slice(0, Math.ceil(limit))
}

const weights = (output: number, size: number): Float32Array => notSmall(foldIn(key(0), output), size)

/** Random numbers of either sign, from 0.5 to 1.5 in size: what is multiplied by one near 0 would not be seen. */
function notSmall(from: Key, size: number): Float32Array {
  return uniformValues(from, size, -1, 1).map((x) => (x < 0 ? x - 0.5 : x + 0.5))
}

function projection(outputs: readonly Values[]): number {
  let sum = 0
  for (const [i, { values }] of outputs.entries()) {
    const by = weights(i, values.length)
    for (let j = 0; j < values.length; j++) sum += by[j]! * values[j]!
  }
  return sum
}

function analyticGradients<P>(
  f: (inputs: P) => Tree,
  inputs: P,
): { gradients: readonly Float32Array[]; results: number } {
  // The shapes of the outputs are known once f has run: the cotangent is made from a first run.
  const outputs = inScope((): Shape[] => {
    const returned = f(inputs)
    const shapes = leaves(returned).map((x) => x.shape)
    if (shapes.length === 0)
      failType('checkGradient', `the function must return tensors, got ${kindOf(returned)}`)
    return shapes
  })
  const cotangents = outputs.map((shape, i) => fromValues(weights(i, sizeOf(shape)), shape))
  const { gradients } = vjp((p: P) => leaves(f(p)), inputs, cotangents)
  return {
    gradients: leaves(gradients).map((x) => x.toFloat32Array()),
    results: cotangents.reduce((sum, { size }) => sum + size, 0),
  }
}
