import * as t from '@tapeflow/autodiff'

/** How fast rotary positions turn. */
export interface RotaryPositionsOptions {
  /** Pair i turns by base^(-2i / features) at each place: 10000 by default. */
  readonly base?: number
}

/**
 * Queries or keys turned by their places: of features (2i, 2i + 1) at place p, counted from 0, the pair is turned by the angle
 * p base^(-2i / features). The product of a turned query and a turned key then depends on how far their places are apart and on
 * nothing else of them. Nothing is trained. `multiHeadAttention` does it to each head with `rotary: true`.
 *
 * Programs that turn features (i, i + features / 2) instead do the same to features in another order.
 *
 * @param x `[…, length, features]`, with an even number of features
 * @param options.base 10000 by default; larger ones for long sequences
 * @returns the shape of `x`
 * @throws RangeError when there are no two axes, features are odd, or the base is not a finite number above 0
 * @example
 * const [first, second] = rotaryPositions(t.tensor([[1, 0], [1, 0]])).toArray()
 * first // => [1, 0]
 * second // => [Math.fround(Math.cos(1)), Math.fround(Math.sin(1))]
 *
 * Su et al.: RoFormer: enhanced transformer with rotary position embedding (2021)
 */
export function rotaryPositions(x: t.Tensor, options: RotaryPositionsOptions = {}): t.Tensor {
  const { base = 10000 } = t.knownOptions('rotaryPositions', options, 'base')
  const [length, features] = x.shape.slice(-2)
  if (length === undefined || features === undefined || features % 2 !== 0) {
    return t.failRange(
      'rotaryPositions',
      `x must be […, length, features] with an even number of features, got shape ${t.showShape(x.shape)}`,
      'turn pairs of features',
    )
  }
  if (!(base > 0 && base < Number.POSITIVE_INFINITY)) {
    t.failRange(
      'rotaryPositions',
      `base must be a finite number above 0, got ${base}`,
      'leave it out for 10000',
    )
  }
  // (a, b) becomes (a cos - b sin, b cos + a sin): each times the cosine, plus the other times the sine or its negative.
  const table = (of: (angle: number, second: boolean) => number): t.Tensor => {
    const values = Float32Array.from({ length: length * features }, (_, i) => {
      const feature = i % features
      const second = feature % 2 === 1
      return of(Math.floor(i / features) / base ** ((feature - (second ? 1 : 0)) / features), second)
    })
    return t.tensor(values, [length, features / 2, 2])
  }
  return t.scope(() => {
    const pairs = t.reshape(x, [...x.shape.slice(0, -1), features / 2, 2])
    const straight = t.mul(pairs, table(Math.cos))
    const crossed = t.mul(
      t.flip(pairs, { axis: -1 }),
      table((angle, second) => (second ? 1 : -1) * Math.sin(angle)),
    )
    return t.reshape(t.add(straight, crossed), x.shape)
  })
}
