import type { Tensor, Tree } from '@tapeflow/autodiff'

/** What an optimizer remembers: for each of its names a tree like the parameters, `{ m: params, v: params }`. */
export type Slots<K extends string, P> = { [k in K]: P }

/**
 * The numbers of one update by name. Rates and bias corrections are computed in float64 on the host; a scalar tensor
 * in a number's place is differentiated through, or stands for one while a function is recorded. So `update` neither
 * computes with them but by operations, nor decides by their values: what is not wanted, `hyper` leaves out.
 */
export type Hyper = Record<string, number | Tensor>

/** Number of updates done so far -> rate: pure, in float64. The first update has step 0. */
export type Schedule = (step: number) => number

/** How a run is steered from outside; the state of `machine` is one. */
export interface Control {
  /** Multiplies what the schedule says. */
  readonly rateScale: number
  /** Hyperparameters by name that are not what the options say. `learningRate` here is taken as it is, unscaled. */
  readonly overrides: Readonly<Record<string, number>>
}

/** What an update returns: new trees, the old ones untouched. */
export interface Updated<K extends string, P> {
  readonly params: P
  readonly slots: Slots<K, P>
}

/** The loss and its gradients at other parameters, for optimizers that look around before they step. */
export type Evaluate<P> = (params: P) => { readonly value: Tensor; readonly gradients: P }

/**
 * An update rule as pure functions, written with tensor operations: it can be compiled and differentiated.
 *
 * @typeParam K the names of its slots; `never` where it remembers nothing
 * @example
 * const optimizer = sgd({ learningRate: 0.5 })
 * const params = { w: t.tensor([1, 2]) }
 * const gradients = { w: t.tensor([2, 2]) }
 * const next = optimizer.update(gradients, optimizer.init(params), params, optimizer.hyper(0))
 * next.params.w.toArray() // => [0, 1]
 */
export interface Optimizer<K extends string> {
  readonly name: string
  /** The names that `overrides` may have. */
  readonly hyperparameters: readonly string[]
  /** Whether it reads values while it decides, so that its update can be neither recorded nor compiled. */
  readonly eager?: true
  /** Slots before the first update: zeros, or what its doc comment says. */
  init<P extends Tree>(params: P): Slots<K, P>
  /**
   * Parameters and slots after one update.
   *
   * @param gradients a tree like `params`
   * @param slots what `init` or the last update returned
   * @param hyper what `hyper` returned for this step
   * @throws RangeError where trees or shapes differ: names the tree and the path
   */
  update<P extends Tree>(
    gradients: P,
    slots: Slots<K, P>,
    params: P,
    hyper: Hyper,
    evaluate?: Evaluate<P>,
  ): Updated<K, P>
  /**
   * The numbers of one update.
   *
   * @param step number of updates done before, from 0 on
   * @param control nothing scaled or overridden where it is left out
   * @throws RangeError where a number is out of range or an override has a name that is not in `hyperparameters`
   */
  hyper(step: number, control?: Control): Hyper
}
