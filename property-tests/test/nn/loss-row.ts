import type * as t from '@tapeflow/autodiff'
import type { Loss, Reduction } from '@tapeflow/nn'

/** What an element costs, and how much it counts beside its row's weight: 1 but for classes with weights of their own. */
export type Element = readonly [loss: number, count: number]

/** A loss in the table of laws. */
export interface LossRow {
  /** As a sentence would name it: 'huber, delta 0.5'. */
  readonly name: string
  readonly make: (options: { readonly reduction: Reduction }) => Loss
  /** Draws what is predicted for some rows. */
  readonly prediction: (key: t.Key, rows: number) => t.Tensor
  /** Draws what it is compared with. */
  readonly target: (key: t.Key, rows: number) => t.Tensor
  /** Whether the target is no variable: labels, classes. */
  readonly fixed?: boolean
  /** The definition for one row, in float64: its elements, of which it is the mean. */
  readonly reference: (prediction: readonly number[], target: readonly number[]) => readonly Element[]
  /** Rows at the ends of what float32 holds, or probabilities 0 and 1. */
  readonly extremes: readonly (readonly [prediction: readonly number[], target: readonly number[]])[]
}
