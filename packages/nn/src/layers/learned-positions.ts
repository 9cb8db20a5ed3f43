import * as t from '@tapeflow/autodiff'
import { checkCount } from '../counts.ts'
import { drawParameter } from '../initializers/draw-parameter.ts'
import type { Initializer } from '../initializers/initializer.ts'
import { standardNormal } from '../initializers/standard-normal.ts'
import { at, type SizePreserving } from '../layer.ts'
import { checkSequence } from './sinusoidal-positions.ts'

/** Parameters of learned positions: weight `[length, features]`, a row for each place. */
export type LearnedPositionsParams = { readonly weight: t.Tensor }

/** How learned positions start. */
export interface LearnedPositionsOptions {
  /** Draws the weight; standard normal numbers by default, as an embedding's. */
  readonly weight?: Initializer
}

/**
 * A layer that adds to each place of a sequence a vector of its own, which is trained: y = x + W[0 … length of x]. Shorter
 * sequences use the first rows; longer ones than it was made for are refused.
 *
 * W begins with standard normal numbers, like the embedding that it is added to (BERT and GPT-2 draw both with a deviation of
 * 0.02), from the key's child `weight`.
 *
 * @param length how many places there are at most
 * @param options.weight initializer of W `[length, features]`, standard normal by default
 * @returns a layer `[rows, …, length or less, features]` -> the same
 * @throws RangeError when the length is no integer from 1 on; in `init` and `apply` for longer sequences, in `apply` for another
 * number of features: names the layer's path
 * @example
 * const layer = learnedPositions(3)
 * const params = { weight: t.tensor([[1], [2], [3]]) }
 * layer.apply(params, null, t.tensor([[[10], [10]]]), { training: true, path: '' }).y.toArray() // => [[[11], [12]]]
 *
 * Gehring, Auli, Grangier, Yarats, Dauphin: Convolutional sequence to sequence learning (ICML 2017)
 */
export function learnedPositions(
  length: number,
  options: LearnedPositionsOptions = {},
): SizePreserving<LearnedPositionsParams, null> {
  const { weight = standardNormal } = t.knownOptions('learnedPositions', options, 'weight')
  checkCount('learnedPositions', 'places', length)
  const checkLength = (given: number, where: string): void => {
    if (given <= length) return
    t.failRange(
      'learnedPositions',
      `the layer${where} has ${length} places, got a sequence of ${given}`,
      'cut the sequence, or make the layer longer',
    )
  }
  return {
    name: `learnedPositions ${length}`,
    config: { type: 'learnedPositions', length },
    init: (key, inputShape) => {
      const [places, features] = checkSequence('learnedPositions', inputShape, 'samples must be')
      checkLength(places, '')
      const fans = [length, features] as const
      return {
        params: {
          weight: drawParameter('learnedPositions', key, 'weight', weight, [length, features], fans),
        },
        state: null,
        outputShape: inputShape,
      }
    },
    apply: (params, state, x, ctx) => {
      const place = at(ctx)
      const [places, features] = checkSequence(
        'learnedPositions',
        x.shape,
        `the layer${place} takes sequences`,
      )
      checkLength(places, place)
      if (features !== params.weight.shape[1]) {
        t.failRange(
          'learnedPositions',
          `the layer${place} takes ${params.weight.shape[1]} features, got an input of shape ${t.showShape(x.shape)}`,
          'pass samples like those of init',
        )
      }
      return { y: t.scope(() => t.add(x, t.slice(params.weight, 0, places))), state }
    },
  }
}
