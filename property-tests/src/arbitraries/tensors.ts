import { failRange, type Shape, type Snapshot, sizeOf } from '@tapeflow/autodiff'
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
const most = steps + 8
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
  const number = numbers(domain)
  const of = (sizes: Shape): fc.Arbitrary<Snapshot> => {
    const size = sizeOf(sizes)
    return fc
      .array(number, { minLength: size, maxLength: size })
      .map((values) => ({ shape: sizes, values: placed(Float32Array.from(values), domain) }))
  }
  return isShape(shape) ? of(shape) : shape.chain(of)
}

const isShape = (shape: Shape | fc.Arbitrary<Shape>): shape is Shape => Array.isArray(shape)

function numbers({ low, high, integer = false, distinct = false }: Domain): fc.Arbitrary<number> {
  if (!(low < high)) failRange('tensors', `low must be below high, got ${low} and ${high}`)
  if (integer && distinct)
    failRange('tensors', 'integers cannot be spread apart, got integer and distinct', 'leave one out')
  if (integer) return fc.integer({ min: Math.ceil(low), max: Math.floor(high) })
  if (low < 0 && high > 0) {
    return fc
      .integer({ min: -most, max: most })
      .map((k) => Math.sign(k) * sized(Math.abs(k), k < 0 ? -low : high))
  }
  return fc.integer({ min: 0, max: steps }).map((k) => low + ((high - low) * k) / steps)
}

/** The size of a number, up to `limit`: what shrinks becomes whole, to be read; what is drawn from the far end is tiny. */
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
