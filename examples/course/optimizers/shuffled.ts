import * as t from '@tapeflow/autodiff'

/** The numbers below `count` in another order for each epoch, one epoch after the other. */
export function shuffled(key: t.Key, count: number, epochs: number): number[] {
  return [...Array(epochs).keys()].flatMap((epoch) =>
    Array.from(t.permutationValues(t.foldIn(key, epoch), count)),
  )
}
