import type { Draw } from '@tapeflow/autodiff/testing'
import fc from 'fast-check'

// The smallest that says something comes first; then what ends inside, at and behind groups of 4 and of 16 lanes; then none.
const sizes = [1, 2, 3, 5, 4, 17, 8, 33, 16, 0]
const mostElements = 300

/**
 * Whatever `use` draws, as an arbitrary: the draws come from an array of natural numbers and shrink with it to the
 * smallest sample, where every integer is its lower end and every pick the first choice.
 *
 * @param use calls `integer`, `pick` and `shape` of its argument at most 24 times; later draws are the smallest
 * @example
 * const dice = draws((draw) => [draw.integer(1, 6), draw.integer(1, 6)])
 * fc.sample(dice, 9).every(([a, b]) => a >= 1 && a <= 6 && b >= 1 && b <= 6) // => true
 */
export function draws<T>(use: (draw: Draw) => T): fc.Arbitrary<T> {
  // 27720 has every divisor to 12, so that small ranges are drawn from evenly.
  return fc
    .array(fc.integer({ min: 0, max: 27719 }), { minLength: 24, maxLength: 24 })
    .map((numbers) => use(drawFrom(numbers)))
}

/**
 * A source of small numbers that reads them off a list: the same list gives the same sample. Where it ends, zeros follow.
 *
 * @param numbers integers from 0 on
 * @example
 * const draw = drawFrom([7, 1])
 * draw.integer(0, 4) // => 2
 * draw.pick(['a', 'b']) // => 'b'
 * draw.shape(1, 3) // => [1]
 */
export function drawFrom(numbers: readonly number[]): Draw {
  let next = 0
  const integer = (low: number, high: number): number =>
    low + ((numbers[next++] ?? 0) % Math.max(1, high - low + 1))
  const pick = <T>(choices: readonly T[]): T => choices[integer(0, choices.length - 1)]!
  const shape = (low: number, high: number): number[] => {
    let elements = 1
    return Array.from({ length: integer(low, high) }, () => {
      const size = pick(sizes)
      const fitting = [size, 2, 1].find((fits) => elements * fits <= mostElements) ?? 1
      elements *= fitting
      return fitting
    })
  }
  return { integer, pick, shape }
}
