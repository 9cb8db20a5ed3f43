import type { Tensor, Tree } from '@tapeflow/autodiff'
import type { Control, Hyper, Slots } from './optimizer.ts'

/** What a transform makes of updates: new trees, the old ones untouched. */
export interface Transformed<K extends string, P> {
  readonly updates: P
  readonly slots: Slots<K, P>
  /**
   * A scalar, 1 or 0: whether what follows in the chain takes place. Where it is 0, the parameters and the slots of all that
   * follows stay as they were. Left out, it does.
   */
  readonly applies?: Tensor
}

/**
 * A link of a `chain`: it turns updates (at first the gradients) into other updates, and remembers what it needs in slots. Pure,
 * and written with tensor operations, as an optimizer is.
 *
 * @typeParam K the names of its slots; `never` where it remembers nothing
 */
export interface Transform<K extends string> {
  readonly name: string
  /** The names that `overrides` may have. */
  readonly hyperparameters: readonly string[]
  /** Slots before the first update. */
  init<P extends Tree>(params: P): Slots<K, P>
  /**
   * Updates and slots after this link.
   *
   * @param updates a tree like `params`: gradients, or what the links before made of them
   * @param hyper what `hyper` returned for this step
   * @throws RangeError where trees or shapes differ: names the tree and the path
   */
  update<P extends Tree>(updates: P, slots: Slots<K, P>, params: P, hyper: Hyper): Transformed<K, P>
  /** The numbers of one update, as those of an optimizer. */
  hyper(step: number, control?: Control): Hyper
  /** How many updates those that follow have done before this step; all of them where it is left out. */
  readonly stepAfter?: (step: number) => number
  /** Its slots once the new parameters are known, for what it remembers of those; left out where that is nothing. */
  settle?<P extends Tree>(slots: Slots<K, P>, params: P, hyper: Hyper): Slots<K, P>
}
