import { largest, range, type Sample, sum } from './metric-row.ts'

/** The class that a sample is of, and the one that it is taken for. */
export type Pair = { readonly truth: number; readonly guess: number; readonly weight: number }
export const ofClasses = ({ prediction, target, weight }: Sample): Pair => ({
  truth: target.length === 1 ? target[0]! : largest(target),
  guess: largest(prediction),
  weight,
})
export const ofThreshold =
  (threshold: number) =>
  ({ prediction, target, weight }: Sample): Pair => ({
    truth: target[0]!,
    guess: prediction[0]! > threshold ? 1 : 0,
    weight,
  })

export const count = (pairs: readonly Pair[], holds: (pair: Pair) => boolean): number =>
  sum(pairs.filter(holds).map(({ weight }) => weight))
const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value)

export const rates = {
  precision: (pairs: readonly Pair[], k: number): number =>
    orZero(count(pairs, (p) => p.guess === k && p.truth === k) / count(pairs, (p) => p.guess === k)),
  recall: (pairs: readonly Pair[], k: number): number =>
    orZero(count(pairs, (p) => p.guess === k && p.truth === k) / count(pairs, (p) => p.truth === k)),
  f1: (pairs: readonly Pair[], k: number): number => {
    const [p, r] = [rates.precision(pairs, k), rates.recall(pairs, k)]
    return orZero((2 * p * r) / (p + r))
  },
  iou: (pairs: readonly Pair[], k: number): number =>
    orZero(
      count(pairs, (p) => p.guess === k && p.truth === k) /
        count(pairs, (p) => p.guess === k || p.truth === k),
    ),
}
export type Rate = (pairs: readonly Pair[], k: number) => number

export const macro = (pairs: readonly Pair[], classes: number, rate: Rate): number => {
  const occurring = range(classes).filter((k) => count(pairs, (p) => p.guess === k || p.truth === k) > 0)
  return sum(occurring.map((k) => rate(pairs, k))) / occurring.length
}
export const weighted = (pairs: readonly Pair[], classes: number, rate: Rate): number =>
  sum(range(classes).map((k) => count(pairs, (p) => p.truth === k) * rate(pairs, k))) /
  count(pairs, () => true)
export const right = (pairs: readonly Pair[]): number =>
  count(pairs, (p) => p.guess === p.truth) / count(pairs, () => true)
