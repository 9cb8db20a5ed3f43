import * as t from '@tapeflow/autodiff'
import { checkLayer } from '../combine/check-layer.ts'
import type { Chain } from '../combine/sizes.ts'
import { type AnyLayer, type Layer, nameOf, type ParamsOf, type StateOf } from '../layer.ts'

/** Parameters and state outside of the heap, as `fit` gives them, and `t.toSnapshot`. */
export interface Trained<P, S> {
  readonly params: t.Replaced<P, t.Snapshot>
  readonly state: t.Replaced<S, t.Snapshot>
}

/**
 * The same layer, which begins with given parameters and state in the place of drawn ones: to go on from what was trained.
 *
 * @param layer any layer, or a whole model
 * @param trained its parameters and state as snapshots: what `await result(fit(…))` gives, or `t.toSnapshot`
 * @returns a layer whose `init` gives copies of these
 * @throws RangeError in `init`, where they have other paths or shapes than the layer: names the first
 * @throws TypeError when the first argument is no layer
 * @example
 * const layer = linear(2, 1)
 * const trained = { params: t.toSnapshot({ weight: t.tensor([[1], [2]]), bias: t.tensor([3]) }), state: null }
 * startFrom(layer, trained).init(t.key(1), [2]).params.weight.toArray() // => [[1], [2]]
 */
export function startFrom<const L extends AnyLayer>(
  layer: L,
  trained: Trained<ParamsOf<L>, StateOf<L>>,
): Chain<readonly [L], ParamsOf<L>, StateOf<L>>
export function startFrom<P, S>(layer: Layer<P, S>, trained: Trained<P, S>): Layer<P, S> {
  checkLayer('startFrom', 'the first argument', layer)
  return {
    ...layer,
    init: (key, inputShape) =>
      t.scope(() => {
        const made = layer.init(key, inputShape)
        const restored = { params: t.fromSnapshot(trained.params), state: t.fromSnapshot(trained.state) }
        for (const what of ['params', 'state'] as const) {
          checkSame(`the ${what} of ${nameOf(layer)}`, shapesOf(made[what]), shapesOf(restored[what]))
        }
        // Snapshots of a P have become tensors in the same places.
        return { ...(restored as { params: P; state: S }), outputShape: made.outputShape }
      }),
  }
}

function shapesOf(tree: unknown): ReadonlyMap<string, string> {
  const [paths, leaves] = [t.paths(tree), t.leaves(tree)]
  return new Map(paths.map((path, i) => [path, t.showShape(leaves[i]!.shape)]))
}

function checkSame(
  what: string,
  wanted: ReadonlyMap<string, string>,
  given: ReadonlyMap<string, string>,
): void {
  for (const path of new Set([...wanted.keys(), ...given.keys()])) {
    const [want, got] = [wanted.get(path), given.get(path)]
    if (want === got) continue
    t.failRange(
      'startFrom',
      `${what} at '${path}' must be ${want ?? 'nothing'}, got ${got ?? 'nothing'}`,
      'pass what was trained of the same layer',
    )
  }
}
