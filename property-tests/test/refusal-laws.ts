import * as t from '@tapeflow/autodiff'
import { expect } from 'vitest'
import type { Row } from './matrix.ts'

/** Calls of functions that are composed of operations, which they must refuse, and how the words begin. */
const refused: readonly (readonly [name: string, call: () => unknown, words: string])[] = [
  ['split', () => t.split(t.zeros([4]), 3), 'split: axis 0 of shape [4] has no 3 equal parts;'],
  ['split', () => t.split(t.zeros([4]), 0), 'split: axis 0 of shape [4] has no 0 equal parts;'],
  ['split', () => t.split(t.zeros([4]), [1, 2]), 'split: sizes [1,2] do not add up to axis 0 of shape [4];'],
  [
    'split',
    () => t.split(t.zeros([4]), [5, -1]),
    'split: sizes [5,-1] do not add up to axis 0 of shape [4];',
  ],
  ...[[1, 0] as const, [0, 1] as const].map(
    (outputPadding) =>
      [
        'convTranspose2d',
        () =>
          t.convTranspose2d(t.zeros([1, 3, 3, 2]), t.zeros([2, 2, 3, 2]), {
            stride: 2,
            outputPadding,
            padding: 'same',
          }),
        "convTranspose2d: outputPadding goes with padding in numbers, got 'same'",
      ] as const,
  ),
  [
    'namedScope',
    () => t.namedScope('', () => null),
    'namedScope: the name must be a text, got an empty one;',
  ],
  [
    'namedScope',
    () => t.namedScope(3 as never, () => null),
    'namedScope: the name must be a text, got a number;',
  ],
]

/** The law that what cannot be is refused, in words that say why. */
export const refusalLaws: readonly Row[] = refused.map(([name, call, words], i) => ({
  name,
  laws: {
    [`refuses ${i}`]: () => {
      t.scope(() => {
        expect(call).toThrow(words)
      })
    },
  },
}))
