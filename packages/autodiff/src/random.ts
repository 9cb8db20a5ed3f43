import { failRange, failType, kindOf } from './fail.ts'
import { type Key, requireKey } from './key.ts'
import { bernoulliValues, normalValues, permutationValues, uniformValues } from './random-bits.ts'
import { checkShape, type Shape, sizeOf } from './shape.ts'
import { fromValues, type Tensor } from './tensor.ts'

/**
 * Numbers spread evenly over [low, high). Element i depends on the key and i alone.
 *
 * @param low 0 by default; `high` 1 by default, never reached
 * @example
 * t.uniform(t.key(1), [2]).toArray().every((x) => x >= 0 && x < 1) // => true
 */
export function uniform(key: Key, shape: Shape, low = 0, high = 1): Tensor {
  requireKey('uniform', key)
  const checked = checkShape('uniform', shape)
  checkNumbers('uniform', { low, high })
  return fromValues(uniformValues(key, sizeOf(checked), low, high), checked)
}

/**
 * Numbers drawn from the normal distribution of the given mean and standard deviation, by inverting its distribution
 * function (Wichura 1988, AS 241). Element i depends on the key and i alone.
 *
 * @example
 * t.normal(t.key(1), [3, 2]).shape // => [3, 2]
 */
export function normal(key: Key, shape: Shape, mean = 0, standardDeviation = 1): Tensor {
  requireKey('normal', key)
  const checked = checkShape('normal', shape)
  checkNumbers('normal', { mean, standardDeviation })
  const values = normalValues(key, sizeOf(checked))
  if (mean !== 0 || standardDeviation !== 1) {
    for (let i = 0; i < values.length; i++) values[i] = mean + standardDeviation * values[i]!
  }
  return fromValues(values, checked)
}

/**
 * Ones with probability `p`, zeros otherwise.
 *
 * @throws RangeError when `p` is not between 0 and 1
 * @example
 * t.bernoulli(t.key(1), [2], 1).toArray() // => [1, 1]
 */
export function bernoulli(key: Key, shape: Shape, p = 0.5): Tensor {
  requireKey('bernoulli', key)
  const checked = checkShape('bernoulli', shape)
  checkNumbers('bernoulli', { p })
  return fromValues(bernoulliValues(key, sizeOf(checked), p), checked)
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
  const checked = checkShape('permutation', [n])
  if (n > 2 ** 24)
    failRange(
      'permutation',
      `n must be at most 2^24, got ${n}`,
      'use permutationValues, which gives integers',
    )
  return fromValues(permutationValues(key, n), checked)
}

// Arguments by position: an options object in their place would otherwise come out as NaN.
function checkNumbers(operation: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'number')
      failType(operation, `${name} must be a number, got ${kindOf(value)}`, 'pass it by position')
    if (!Number.isFinite(value)) failRange(operation, `${name} must be finite, got ${value}`)
  }
}
