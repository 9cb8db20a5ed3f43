import type { Tensor } from '@tapeflow/autodiff'

/**
 * Something that is measured over a stream of batches: three pure functions over a state of plain numbers, which holds no
 * tensor. Batches of any sizes give what one large batch would. `update` may read what it is given, so it is called beside
 * a function that is recorded and not inside.
 *
 * A measure of one number is a `Metric`: those are what `fit` takes. Others come out as a matrix, a curve, a report.
 *
 * @typeParam S the state: a plain object of numbers and arrays of them
 * @typeParam R what comes out
 * @example
 * const largest = {
 *   name: 'largest',
 *   init: () => [],
 *   update: (state, prediction) => [...state, t.max(prediction).item()],
 *   result: (state) => state,
 * }
 * largest.result(largest.update(largest.init(), t.tensor([1, 3]))) // => [3]
 */
export interface Measure<S = unknown, R = unknown> {
  /** Under which name it is reported. `{ ...accuracy(), name: 'share' }` goes by another one. */
  readonly name: string
  /** The state before the first batch. */
  init(): S
  /**
   * The state after another batch: a new object.
   *
   * @param weights `[rows]`, how much each sample counts: as many times as if it were there that often
   */
  update(state: S, prediction: Tensor, target: Tensor, weights?: Tensor): S
  /** What the batches so far come to; NaN where nothing was measured. */
  result(state: S): R
}

/**
 * A number that is measured over a stream of batches: what `fit` reports in its events, under the metric's name.
 *
 * @typeParam S the state: a plain object of numbers
 * @example
 * const errors = {
 *   name: 'errors',
 *   init: () => 0,
 *   update: (count, prediction, target) => count + t.sum(t.sub(1, t.equal(t.argMax(prediction), target))).item(),
 *   result: (count) => count,
 * }
 * errors.result(errors.update(errors.init(), t.tensor([[0, 1], [0, 1]]), t.tensor([1, 0]))) // => 1
 */
export interface Metric<S = unknown> extends Measure<S, number> {}
