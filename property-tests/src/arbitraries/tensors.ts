import { failRange, type Shape, type Snapshot, showShape, sizeOf } from '@tapeflow/autodiff'
import type { Domain } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { shapes } from './shapes.ts'

/** What tensors to make. */
export interface TensorsOptions {
  /** One shape, or an arbitrary of them; `shapes()` by default. */
  readonly shape?: Shape | fc.Arbitrary<Shape>
  /** Where numbers lie; between -3 and 3 by default. */
  readonly domain?: Domain
}

// A prime near 2^24: the quotients have full mantissas, so that every product and sum must round.
const steps = 16777213
// fast-check draws from both ends and from around 0 more often than not.
const most = steps + 4
const wholes = 2 ** 16

/**
 * Tensors as plain data, `{ shape, values }`: laws make tensors of them inside the property, so that nothing leaks.
 * They shrink to smaller shapes, then to zeros and small whole numbers, or to the low end of a domain without 0.
 *
 * `kinks` are kept away from by 1/32 of the domain's width, `distinct` numbers are spread evenly over it in random order,
 * and `integer` ones are whole.
 *
 * @param options.shape a shape, or an arbitrary of shapes
 * @param options.domain `{ low, high, integer?, distinct?, kinks? }`
 * @throws RangeError when the domain is empty, or asks for integers that are distinct
 * @example
 * fc.assert(fc.property(tensors({ shape: [2, 3] }), ({ values }) => values.length === 6))
 * fc.sample(tensors({ domain: { low: 1, high: 2 } }), 9).every((x) => x.values.every((v) => v >= 1 && v <= 2)) // => true
 */
export function tensors(options: TensorsOptions = {}): fc.Arbitrary<Snapshot> {
  const { shape = shapes(), domain = { low: -3, high: 3 } } = options
  return new Tensors(isShape(shape) ? fc.constant(shape) : shape, numbers(domain), domain)
}

const isShape = (shape: Shape | fc.Arbitrary<Shape>): shape is Shape => Array.isArray(shape)

/** Numbers by integers, which shrink towards `least`. */
interface Numbers {
  readonly least: number
  readonly drawn: fc.Arbitrary<number>
  readonly from: (k: number) => number
}

interface Drawn {
  readonly shape: fc.Value<Shape>
  readonly integers: fc.Value<number[]>
}

/** What `chain` would be, but for this: a smaller shape keeps numbers, and is tried again when numbers have shrunk. */
class Tensors extends fc.Arbitrary<Snapshot> {
  private readonly shape: fc.Arbitrary<Shape>
  private readonly numbers: Numbers
  private readonly domain: Domain
  constructor(shape: fc.Arbitrary<Shape>, given: Numbers, domain: Domain) {
    super()
    this.shape = shape
    this.numbers = given
    this.domain = domain
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<Snapshot> {
    const shape = this.shape.generate(random, bias)
    return this.of({ shape, integers: this.list(sizeOf(shape.value)).generate(random, bias) })
  }

  // What it is made from is not known then.
  override canShrinkWithoutContext(_: unknown): _ is Snapshot {
    return false
  }

  override shrink(_: Snapshot, context: unknown): fc.Stream<fc.Value<Snapshot>> {
    const drawn = context as Drawn | undefined
    return drawn === undefined ? fc.Stream.nil() : fc.stream(this.smaller(drawn))
  }

  private *smaller({ shape, integers }: Drawn): IterableIterator<fc.Value<Snapshot>> {
    const seen = new Set([showShape(shape.value)])
    for (const next of this.shape.shrink(shape.value, shape.context)) {
      if (seen.has(showShape(next.value))) continue
      seen.add(showShape(next.value))
      for (const kept of windows(integers.value, sizeOf(next.value), this.numbers.least))
        yield this.of({ shape: next, integers: new fc.Value(kept, undefined) })
    }
    for (const next of this.list(integers.value.length).shrink(integers.value, integers.context))
      yield this.of({ shape, integers: next })
  }

  private list(size: number): fc.Arbitrary<number[]> {
    return fc.array(this.numbers.drawn, { minLength: size, maxLength: size })
  }

  private of(drawn: Drawn): fc.Value<Snapshot> {
    const values = Float32Array.from(drawn.integers.value, this.numbers.from)
    return new fc.Value({ shape: drawn.shape.value, values: placed(values, this.domain) }, drawn)
  }
}

/** So many of some integers: the first ones, the last, and those from the largest on. More are filled up with the least. */
function windows(integers: readonly number[], size: number, least: number): number[][] {
  if (size >= integers.length) {
    return [[...integers, ...Array.from({ length: size - integers.length }, () => least)]]
  }
  const last = integers.length - size
  const largest = integers.reduce((most, k, i) => (Math.abs(k) > Math.abs(integers[most]!) ? i : most), 0)
  const starts = new Set([0, last, Math.min(largest, last)])
  return size === 0 ? [[]] : Array.from(starts, (start) => integers.slice(start, start + size))
}

function numbers({ low, high, integer = false, distinct = false }: Domain): Numbers {
  if (!(low < high)) failRange('tensors', `low must be below high, got ${low} and ${high}`)
  if (integer && distinct)
    failRange('tensors', 'integers cannot be spread apart, got integer and distinct', 'leave one out')
  if (integer) {
    const [min, max] = [Math.ceil(low), Math.floor(high)]
    return { least: Math.min(Math.max(0, min), max), drawn: fc.integer({ min, max }), from: (k) => k }
  }
  if (low < 0 && high > 0) {
    const from = (k: number): number => Math.sign(k) * sized(Math.abs(k), k < 0 ? -low : high)
    return { least: 0, drawn: fc.integer({ min: -most, max: most }), from }
  }
  return {
    least: 0,
    drawn: fc.integer({ min: 0, max: steps }),
    from: (k) => low + ((high - low) * k) / steps,
  }
}

/** The size of a number, up to `limit`: what shrinks becomes whole, to be read; what is drawn from the far end is small. */
function sized(k: number, limit: number): number {
  if (k > steps) return limit * 8 ** (steps - k)
  const isWhole = k > 0 && k <= wholes && limit >= 1
  return isWhole ? 1 + ((k - 1) % Math.floor(limit)) : (limit * k) / steps
}

function placed(values: Float32Array<ArrayBuffer>, domain: Domain): Float32Array<ArrayBuffer> {
  const { low, high, distinct = false, kinks = [] } = domain
  const width = high - low
  if (distinct) {
    const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]! || a - b)
    for (const [rank, i] of order.entries()) values[i] = low + (width * (rank + 0.5)) / values.length
  }
  for (const kink of kinks) {
    for (const [i, x] of values.entries()) {
      if (Math.abs(x - kink) >= width / 32) continue
      const above = x >= kink ? kink + width / 32 <= high : kink - width / 32 < low
      values[i] = above ? kink + width / 32 : kink - width / 32
    }
  }
  return values
}
