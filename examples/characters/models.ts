import type { Tree } from '@tapeflow/autodiff'
import { embedding, gru, type Layer, layerNorm, linear, sequential, transformerBlock } from '@tapeflow/nn'

/** A layer from characters `[rows, steps]` to a score for each that may follow, at every step: `[rows, steps, characters]`. */
export type CharacterModel = Layer<Tree, Tree>

/**
 * A gru over the characters before.
 *
 * @param characters how many there are
 * @param statefulRows keeps what it has read between calls, for so many rows
 */
export function gruModel(characters: number, statefulRows?: number): CharacterModel {
  return sequential(
    embedding(characters, 32),
    gru(32, 128, { returnSequences: true, ...(statefulRows === undefined ? {} : { statefulRows }) }),
    linear(128, characters),
  )
}

/** A block of attention to the characters before. */
export function transformerModel(characters: number): CharacterModel {
  return sequential(
    embedding(characters, 64),
    transformerBlock(64, 4, { causal: true, rotary: true }),
    layerNorm(),
    linear(64, characters),
  )
}
