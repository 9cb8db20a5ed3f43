import type { Optimizer } from '@tapeflow/optim'

/** What a reference may look at beside parameters and gradients. */
export interface Surroundings {
  /** The loss and its gradient at other parameters, in float64. */
  readonly evaluate: (params: readonly number[]) => {
    readonly value: number
    readonly gradient: readonly number[]
  }
  /** How many of the flat parameters are of each tensor, in order. */
  readonly sizes: readonly number[]
  /** The shape of each tensor, and its path. */
  readonly shapes: readonly (readonly number[])[]
  readonly paths: readonly string[]
}

/** One update of flat parameters in plain float64, written from the paper; it keeps its own memory. */
export type Reference = (
  params: readonly number[],
  gradients: readonly number[],
  step: number,
  surroundings: Surroundings,
) => number[]

/** An optimizer with some options, as all tests take it: a new one is a row. */
export interface Row {
  readonly name: string
  /** @param rate one at which plain gradient descent does not blow up */
  readonly optimizer: (rate: number) => Optimizer<string>
  /** The same in float64; what it returns starts anew. */
  readonly reference: (rate: number) => Reference
  /** What the trajectories of PyTorch's are called in golden/pytorch.json, where PyTorch has it. */
  readonly golden?: string
  /** How far a trajectory may be off, as a share of 1 + |value|; 2e-5 by default. Say why where it is more. */
  readonly tolerance?: number
  /** The same for problems by name, where it is more on some of them only. */
  readonly tolerances?: Readonly<Record<string, number>>
  /** How many trees like the parameters an eager update makes in between; 0 by default. */
  readonly trees?: number
  /** Why its derivative by the learning rate is not compared with differences, where it is not. */
  readonly notDifferentiated?: string
  /** Why permuted leaves do not give permuted results, where they do not. */
  readonly byPath?: string
  /** The numbers of its `hyper` that are the rates; `learningRate` by default. */
  readonly rates?: readonly string[]
  /** Which numbers of its `hyper` tensors cannot stand for: keys are made of them. */
  readonly mustBeNumbers?: readonly string[]
}

/** The same rate at every step. */
export const constantly = (rate: number) => (): number => rate
