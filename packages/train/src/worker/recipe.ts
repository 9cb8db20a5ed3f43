import { failType, kindOf, type Tree } from '@tapeflow/autodiff'
import type { TrainEvent } from '../events.ts'
import type { FitOptions, GivenOptions } from '../options.ts'
import type { Model, NamedModel } from '../step.ts'

/** What `fit` takes, in one object: `const { model, ...options } = given`. */
export interface FitArguments<P = Tree, S = Tree> extends FitOptions {
  readonly model: Model<P, S>
}

/** What else `fit` takes, likewise: models on several tensors, steps of one's own. */
export type RunArguments<P = Tree, S = Tree> = GivenOptions<P, S> & {
  readonly model: Model<P, S> | NamedModel<P, S>
}

/**
 * What a module exports for `fitInWorker`: a function from data to what `fit` takes. It is called inside of the worker, where
 * everything that cannot be sent is made: model, dataset, optimizer, callbacks. It is an ordinary function, which a page can call too:
 * `const { model, ...rest } = recipe(options); fit(model, rest)` is the same run, with the same bits.
 *
 * @typeParam O the options: anything that can be cloned
 */
export type Recipe<O = never, P = Tree, S = Tree> = (
  options: O,
) => RunArguments<P, S> | Promise<RunArguments<P, S>>

/** The events of a recipe's run. */
export type EventsOf<R extends Recipe> =
  Awaited<ReturnType<R>> extends {
    readonly model: { init(...from: never): { readonly params: infer P; readonly state: infer S } }
  }
    ? TrainEvent<Known<P>, Known<S>>
    : TrainEvent

// Nothing is known of what may be any tree.
type Known<P> = Tree extends P ? unknown : P

/** @throws TypeError unless it is a function */
export function requireRecipe(operation: string, recipe: unknown, whose: string): Recipe<unknown> {
  // What a function takes cannot be known; the recipe checks its options itself.
  if (typeof recipe === 'function') return recipe as Recipe<unknown>
  return failType(
    operation,
    `${whose} must be a function, got ${kindOf(recipe)}`,
    'write export default (options) => ({ model, data, loss, optimizer, epochs })',
  )
}

/** @throws TypeError unless it is an object with a model; the rest is for `fit` to check */
export function requireArguments(given: unknown): RunArguments {
  if (typeof given === 'object' && given !== null && 'model' in given) return given as RunArguments
  return failType(
    'fitInWorker',
    `the module must return an object with a model, got ${kindOf(given)}`,
    'return { model, data, loss, optimizer, epochs }',
  )
}
