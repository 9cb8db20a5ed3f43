import { apply } from './apply.ts'
import { failRange, failType, kindOf } from './fail.ts'
import { wasm } from './kernels/wasm.ts'
import { heapFloats } from './memory.ts'
import { defineOperation, type Operation } from './operation.ts'
import {
  checkProbability,
  checkRange,
  fillBernoulli,
  fillNormal,
  fillPermutation,
  fillTruncatedNormal,
  fillUniform,
  type WriteBits,
} from './random-bits.ts'
import { checkShape, type Shape, sizeOf } from './shape.ts'
import { abstractOn, type Tensor, type TracedNumber } from './tensor.ts'
import { type Key, requireKey, type Words } from './threefry.ts'
import { joinTapes, recordedNumber, TracedKey } from './traced-key.ts'

/**
 * What a random tensor is drawn by. In a recording keys and numbers may be traced: before each run the host works them
 * out, and the kernel is given a copy with plain ones.
 */
export interface DrawAttributes {
  readonly keys: readonly [Readonly<Words>]
  readonly numbers: readonly (number | TracedNumber)[]
  readonly shape: Shape
}

/** A random tensor as an operation without inputs. */
export interface DrawOperation extends Operation<DrawAttributes, []> {
  /** The names of its numbers. */
  readonly parameters: readonly string[]
  /** The numbers, which are checked: all finite, and in range. */
  checked(numbers: readonly unknown[]): readonly number[]
}

type Fill = (key: Readonly<Words>, into: Float32Array, numbers: readonly number[], write?: WriteBits) => void

// Into the heap: four blocks of the generator at once.
const writeBits: WriteBits = ({ high, low }, _, into) => {
  wasm().randomBits(into.byteOffset, into.length, high, low, 0, 0)
  return into
}

/**
 * The record of a random tensor.
 *
 * @param fill writes the numbers, element i from the key and i alone; the kernel has it write into the heap
 * @param intoHeap writes the same there in a faster way
 * @param checkNumbers throws where numbers that are finite are out of range
 */
function drawing(
  name: string,
  doc: string,
  parameters: readonly string[],
  fill: Fill,
  checkNumbers?: (numbers: readonly number[]) => void,
  intoHeap?: (output: Tensor, key: Readonly<Words>, numbers: readonly number[]) => void,
): DrawOperation {
  const checked = (numbers: readonly unknown[]): readonly number[] => {
    requireNumbers(name, parameters, numbers)
    checkNumbers?.(numbers)
    return numbers
  }
  const record = defineOperation<DrawAttributes, []>({
    name,
    doc,
    shape: (_, { shape }) => shape,
    reference: (_, { keys, numbers }, shape) => {
      const values = new Float32Array(sizeOf(shape))
      fill(keys[0], values, checked(numbers))
      return values
    },
    kernel: (output, _, { keys, numbers }) => {
      if (intoHeap !== undefined) intoHeap(output, keys[0], checked(numbers))
      else {
        const from = output.offset / 4
        fill(keys[0], heapFloats().subarray(from, from + output.size), checked(numbers), writeBits)
      }
    },
    vjp: [],
  })
  return { ...record, parameters, checked }
}

const uniformOperation: DrawOperation = /*@__PURE__*/ drawing(
  'uniform',
  'numbers spread evenly over [low, high)',
  ['low', 'high'],
  (key, into, [low, high], write) => fillUniform(key, into, low!, high!, write),
  ([low, high]) => checkRange('uniform', low!, high!),
)

const normalOperation: DrawOperation = /*@__PURE__*/ drawing(
  'normal',
  'mean + standardDeviation z, z standard normal',
  ['mean', 'standardDeviation'],
  (key, into, numbers, write) => scale(fillNormal(key, into, write), numbers),
)

const truncatedNormalOperation: DrawOperation = /*@__PURE__*/ drawing(
  'truncatedNormal',
  'mean + standardDeviation z, z standard normal given that it lies in [-2, 2]',
  ['mean', 'standardDeviation'],
  (key, into, numbers, write) => scale(fillTruncatedNormal(key, into, write), numbers),
)

const bernoulliOperation: DrawOperation = /*@__PURE__*/ drawing(
  'bernoulli',
  'ones with probability p, zeros otherwise',
  ['p'],
  (key, into, [p]) => fillBernoulli(key, into, p!),
  ([p]) => checkProbability('bernoulli', p!),
  // A word is below p 2^32 where it is at most the integer before.
  ({ offset, size }, { high, low }, [p]) => {
    if (p === 0) wasm().fill(offset, size, 0)
    else wasm().randomBits(offset, size, high, low, Math.ceil(p! * 4294967296) - 1, 1)
  },
)

const permutationOperation: DrawOperation = /*@__PURE__*/ drawing(
  'permutation',
  'the integers from 0 to n - 1 in random order',
  [],
  fillPermutation,
)

/**
 * Numbers spread evenly over [low, high). Element i depends on the key and i alone.
 *
 * @param low 0 by default; `high` 1 by default, never reached
 * @throws RangeError when `low < high` does not hold, one is not finite, or no float32 number lies between them
 * @example
 * t.uniform(t.key(1), [2]).toArray().every((x) => x >= 0 && x < 1) // => true
 * t.uniform(t.key(1), [2], 1, 1) // throws RangeError: uniform: low must be below high and both finite, got low 1 and high 1
 */
export function uniform(key: Key, shape: Shape, low = 0, high = 1): Tensor {
  return draw(uniformOperation, key, shape, [low, high])
}

/**
 * Numbers drawn from the normal distribution of the given mean and standard deviation, by inverting its distribution
 * function (Wichura 1988, AS 241). Element i depends on the key and i alone.
 *
 * @example
 * t.normal(t.key(1), [3, 2]).shape // => [3, 2]
 */
export function normal(key: Key, shape: Shape, mean = 0, standardDeviation = 1): Tensor {
  return draw(normalOperation, key, shape, [mean, standardDeviation])
}

/**
 * Numbers drawn from the normal distribution of the given mean and standard deviation, given that they lie within two
 * standard deviations of the mean: by inverting the distribution function between there. Element i depends on the key
 * and i alone.
 *
 * What comes out varies less than the distribution that was cut: its standard deviation is 0.8796 `standardDeviation`.
 *
 * @param standardDeviation of the whole normal distribution; 1 by default
 * @example
 * t.truncatedNormal(t.key(1), [100], 5, 0.5).toFloat32Array().every((x) => x >= 4 && x <= 6) // => true
 */
export function truncatedNormal(key: Key, shape: Shape, mean = 0, standardDeviation = 1): Tensor {
  return draw(truncatedNormalOperation, key, shape, [mean, standardDeviation])
}

/**
 * Ones with probability `p`, zeros otherwise.
 *
 * @throws RangeError when `p` is not between 0 and 1
 * @example
 * t.bernoulli(t.key(1), [2], 1).toArray() // => [1, 1]
 * t.bernoulli(t.key(1), [2], 1.5) // throws RangeError: bernoulli: the probability must lie in [0, 1], got 1.5
 */
export function bernoulli(key: Key, shape: Shape, p = 0.5): Tensor {
  return draw(bernoulliOperation, key, shape, [p])
}

/**
 * The integers from 0 to n - 1 in random order, every order equally likely.
 *
 * @throws RangeError when `n` is above 2^24: float32 holds no larger integers exactly
 * @example
 * t.permutation(t.key(1), 4).toArray().sort() // => [0, 1, 2, 3]
 */
export function permutation(key: Key, n: number): Tensor {
  requireKey('permutation', key)
  const shape = checkShape('permutation', [n])
  if (n > 2 ** 24)
    failRange(
      'permutation',
      `n must be at most 2^24, got ${n}`,
      'use permutationValues, which gives integers',
    )
  return draw(permutationOperation, key, shape, [])
}

// Computed now; where the key or a number is known only when a recorded function runs, a line of its tape.
function draw(operation: DrawOperation, key: Key, shape: Shape, given: readonly unknown[]): Tensor {
  const { name, parameters } = operation
  requireKey(name, key)
  const checkedShape = checkShape(name, shape)
  let tape = key instanceof TracedKey ? key.openTape(name) : null
  const numbers = given.map((value, i) => {
    const recorded = recordedNumber(name, parameters[i]!, value)
    if (recorded === null) return requireNumber(name, parameters[i]!, value)
    tape = joinTapes(name, tape, recorded.tape)
    return recorded.input
  })
  // Numbers that are known are checked now, also where the key is not.
  if (numbers.every((value) => typeof value === 'number')) operation.checked(numbers)
  const attributes: DrawAttributes = { keys: [key], numbers, shape: checkedShape }
  if (tape === null) return apply(operation, [], attributes)
  const output = abstractOn(tape, checkedShape, tape.entries.length)
  tape.append(operation, [], attributes, output)
  return output
}

// The second rounding is part of the numbers that seeds give.
function scale(values: Float32Array, [mean, standardDeviation]: readonly number[]): void {
  if (mean === 0 && standardDeviation === 1) return
  for (let i = 0; i < values.length; i++) values[i] = mean! + standardDeviation! * values[i]!
}

function requireNumbers(
  operation: string,
  names: readonly string[],
  values: readonly unknown[],
): asserts values is readonly number[] {
  for (let i = 0; i < values.length; i++) requireNumber(operation, names[i]!, values[i])
}

// Arguments by position: an options object in their place would otherwise come out as NaN.
function requireNumber(operation: string, name: string, value: unknown): number {
  if (typeof value !== 'number')
    failType(operation, `${name} must be a number, got ${kindOf(value)}`, 'pass it by position')
  if (!Number.isFinite(value)) failRange(operation, `${name} must be finite, got ${value}`)
  return value
}
