import * as t from '@tapeflow/autodiff'
import { at, type SizePreserving } from '../layer.ts'

/**
 * A layer that adds to each place of a sequence waves that tell it from others: y = x + P with P[p, 2i] = sin(p / 10000^(2i / d))
 * and P[p, 2i + 1] = cos(p / 10000^(2i / d)), of places p counted from 0 and d features. Attention does not see the order of what
 * it attends to; with this it can. Nothing is trained, and any length goes.
 *
 * The paper multiplies embeddings of variance 1 / d by sqrt(d) before; those of `embedding` have variance 1 as they are.
 *
 * @returns a layer `[rows, …, length, features]` -> the same
 * @throws RangeError in `init` and `apply` where there are no two such axes: names the layer's path
 * @example
 * const { y } = sinusoidalPositions().apply(null, null, t.zeros([1, 2, 2]), { training: true, path: '' })
 * y.toArray() // => [[[0, 1], [Math.fround(Math.sin(1)), Math.fround(Math.cos(1))]]]
 *
 * Vaswani et al.: Attention is all you need (NIPS 2017)
 */
export function sinusoidalPositions(): SizePreserving<null, null> {
  return {
    name: 'sinusoidalPositions',
    config: { type: 'sinusoidalPositions' },
    init: (_key, inputShape) => {
      checkSequence('sinusoidalPositions', inputShape, 'samples must be')
      return { params: null, state: null, outputShape: inputShape }
    },
    apply: (_params, state, x, ctx) => {
      const [length, features] = checkSequence(
        'sinusoidalPositions',
        x.shape,
        `the layer${at(ctx)} takes sequences`,
      )
      return { y: t.scope(() => t.add(x, waves(length, features))), state }
    },
  }
}

/** The length and the features of sequences: the last two axes. */
export function checkSequence(operation: string, shape: t.Shape, takes: string): [number, number] {
  const [length, features] = shape.slice(-2)
  if (length !== undefined && features !== undefined) return [length, features]
  return t.failRange(
    operation,
    `${takes} [length, features], got shape ${t.showShape(shape)}`,
    'put an embedding before it',
  )
}

function waves(length: number, features: number): t.Tensor {
  const values = Float32Array.from({ length: length * features }, (_, i) => {
    const feature = i % features
    const angle = Math.floor(i / features) / 10000 ** ((feature - (feature % 2)) / features)
    return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
  })
  return t.tensor(values, [length, features])
}
