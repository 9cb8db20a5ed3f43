import {
  fromSnapshot,
  type Shape,
  type Snapshot,
  scope,
  sizeOf,
  type Tensor,
  tensor,
} from '@tapeflow/autodiff'
import type { Domain, Draw, OperationInfo, Sample } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'
import { expect } from 'vitest'
import { assertKernelMatchesReference, samples } from '../src/index.ts'
import { assertProperty } from './runs.ts'

const maxFloat = 3.4028234663852886e38
const smallestNormal = 2 ** -126
const smallest = 2 ** -149

/** Where IEEE 754 has rules of its own, and the numbers beside. */
const specials: readonly number[] = [
  NaN,
  Infinity,
  -Infinity,
  0,
  -0,
  smallest,
  -smallest,
  smallestNormal,
  -3 * smallest,
  maxFloat,
  -maxFloat,
  1,
  -1,
  0.5,
]

/** Halves between an odd and an even number: of one input only, since products with the largest number overflow. */
const ties: readonly number[] = [1.5, -2.5]

const tails = [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 67]

/** Draws the given shape, the lower end of integers, and the first choice. */
const fixedDraw = (shape: Shape): Draw => ({
  integer: (low) => low,
  pick: (choices) => choices[0]!,
  shape: (low) => [...new Array<number>(Math.max(0, low - shape.length)).fill(2), ...shape],
})

const domainOf = (info: OperationInfo, sample: Sample, i: number): Domain => {
  const domains = sample.domains ?? info.domains
  return domains[Math.min(i, domains.length - 1)]!
}

/** Vectors, and rows of matrices, of every length at which a loop over groups of 4 and of 16 may go wrong. */
export function tailsOfFourLanes(info: OperationInfo): void {
  for (const size of tails) {
    for (const shape of [[size], [3, size], [size, 3]]) {
      // An operation may refuse to work on nothing; its `sample` knows, and draws another size.
      const sample = info.sample(fixedDraw(shape))
      scope(() => {
        const inputs = sample.shapes.map((sizes, i) => {
          const { low, high, integer = false } = domainOf(info, sample, i)
          const count = high - low + 1
          const value = (j: number): number =>
            integer ? low + ((j * 7) % count) : low + (high - low) * ((j * 0.618 + i * 0.3) % 1)
          return tensor(
            Float32Array.from({ length: sizeOf(sizes) }, (_, j) => value(j)),
            sizes,
          )
        })
        assertKernelMatchesReference((x: readonly Tensor[]) => sample.call(...x), inputs, info)
      })
    }
  }
}

/** Every combination of special values that the inputs of one element can have, in one vector and one at a time. */
export function specialCombinations(info: OperationInfo): void {
  const arity = info.sample(fixedDraw([1])).shapes.length
  const indices = indexInputs(info)
  const taken = arity - indices.size
  const values = taken === 1 ? [...specials, ...ties] : specials
  const count = values.length ** taken
  const sample = info.sample(fixedDraw([count]))
  scope(() => {
    let place = 0
    const inputs = sample.shapes.map((shape, i) => {
      if (indices.has(i)) return tensor(new Float32Array(sizeOf(shape)), shape)
      const step = values.length ** place++
      const value = (_: unknown, j: number): number => values[Math.floor(j / step) % values.length]!
      return tensor(withBothNaNs(Float32Array.from({ length: sizeOf(shape) }, value)), shape)
    })
    assertKernelMatchesReference((x: readonly Tensor[]) => sample.call(...x), inputs, info)
    if (!sample.shapes.every((shape) => sizeOf(shape) === count)) return
    // A step without a factor in common with the number of values meets all of them at every place.
    for (let j = 0; j < count; j += 5) {
      const one = info.sample(fixedDraw([1]))
      const single = inputs.map((x, i) => tensor([x.toFloat32Array()[j]!], one.shapes[i]!))
      assertKernelMatchesReference((x: readonly Tensor[]) => one.call(...x), single, info)
    }
  })
}

/** Ordinary numbers with special ones among them, in samples of every kind. */
export function specialValuesAnywhere(info: OperationInfo): void {
  const indices = indexInputs(info)
  const property = fc.property(
    samples(info, { within: ({ low, high, integer = false }) => ({ low, high, integer }) }),
    // Every other one is NaN, so that a row often has two: the first decides.
    fc.array(fc.tuple(fc.nat(), fc.oneof(fc.constant(NaN), fc.constantFrom(...specials))), {
      minLength: 1,
      maxLength: 4,
    }),
    ({ call, inputs }, changes) => {
      scope(() => {
        const changed = inputs.map((x, i) => (indices.has(i) ? x : withChanges(x, changes)))
        assertKernelMatchesReference(
          (x: readonly Tensor[]) => call(...x),
          fromSnapshot<readonly Snapshot[]>(changed),
          info,
        )
      })
    },
  )
  assertProperty(property, 300)
}

function withChanges(x: Snapshot, changes: readonly (readonly [place: number, value: number])[]): Snapshot {
  const values = x.values.slice()
  if (values.length > 0) for (const [place, value] of changes) values[place % values.length] = value
  return { shape: x.shape, values: withBothNaNs(values) }
}

/** Every other NaN with its sign bit set, as 0 / 0 has it on some processors. */
function withBothNaNs(values: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length)
  for (const [i, value] of values.entries()) if (Number.isNaN(value) && i % 2 === 1) words[i] = 0xffc00000
  return values
}

/** The inputs that must be integers in range: they refuse NaN, by name, and are given none. */
function indexInputs(info: OperationInfo): ReadonlySet<number> {
  const sample = info.sample(fixedDraw([2]))
  const found = new Set<number>()
  for (const i of sample.shapes.keys()) {
    if (domainOf(info, sample, i).integer !== true) continue
    let refused = ''
    try {
      scope(() => {
        const inputs = sample.shapes.map((shape, k) =>
          tensor(new Float32Array(sizeOf(shape)).fill(k === i ? NaN : 0), shape),
        )
        sample.call(...inputs)
      })
    } catch (error) {
      refused = (error as Error).message
    }
    if (refused === '') continue
    expect(refused).toMatch(
      new RegExp(`^${info.operation.name}: index NaN at place 0 is not an integer from 0 to`),
    )
    found.add(i)
  }
  return found
}
