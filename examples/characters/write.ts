import * as t from '@tapeflow/autodiff'
import type { AnyLayer } from '@tapeflow/nn'

/**
 * A text that a model writes: what it begins with, then character after character drawn from what the model gives each.
 *
 * @param model one that keeps its state for one row, so that each call reads a single character more
 * @param begin characters of the alphabet, at least one
 */
export function written(
  model: AnyLayer,
  params: unknown,
  alphabet: readonly string[],
  begin: string,
  count: number,
  key: t.Key,
): string {
  const context = { training: false, path: '' }
  const next = t.compile((state: unknown, character: t.Tensor) => {
    const { y, state: after } = model.apply(params, state, character, context)
    return { chances: t.softmax(t.reshape(y, [alphabet.length])), state: after }
  })
  let result = begin
  t.scope(() => {
    const { state } = model.init(key, [1])
    const read = [...begin].map((character) => alphabet.indexOf(character))
    t.fold(
      { state, place: read[0]! },
      Array.from({ length: begin.length + count - 1 }, (_, i) => i),
      (at, i) => {
        const { chances, state: after } = next(at.state, t.tensor([[at.place]]))
        const given = read[i + 1]
        const place = given ?? drawn(chances.toFloat32Array(), t.uniform(t.foldIn(key, i), []).item())
        if (given === undefined) result += alphabet[place]!
        return { state: after, place }
      },
    )
    return null
  })
  next.dispose()
  return result
}

function drawn(chances: Float32Array, lot: number): number {
  let sum = 0
  const place = chances.findIndex((chance) => {
    sum += chance
    return lot < sum
  })
  return place === -1 ? chances.length - 1 : place
}
