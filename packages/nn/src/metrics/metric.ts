import type { Tensor } from '@tapeflow/autodiff'

/**
 * A number that is measured over a stream of batches: three pure functions over a state of plain numbers, which holds no
 * tensor. Batches of any sizes give what one large batch would. `update` may read what it is given, so it is called beside
 * a function that is recorded and not inside.
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
export interface Metric<S = unknown> {
  /** Under which name it is reported. */
  readonly name: string
  /** The state before the first batch. */
  init(): S
  /**
   * The state after another batch: a new object.
   *
   * @param weights `[rows]`, how much each sample counts
   */
  update(state: S, prediction: Tensor, target: Tensor, weights?: Tensor): S
  /** The number so far; NaN where nothing was measured. */
  result(state: S): number
}
