import { type Flow, requireFunction, viewFlow } from '../flow.ts'
import { after, item, pass } from '../pull.ts'

/**
 * `f(element)` for each element, computed when it is pulled, and again in each epoch.
 *
 *     in   a ---- b ---- c |
 *     out  f(a) - f(b) - f(c) |
 *
 * @param f may answer with a promise; the pass is asynchronous then. It must depend on its element alone.
 *
 * @example
 * assert.deepEqual(dataset([1, 2, 3]).map((n) => n * n).toArray(), [1, 4, 9])
 */
export function map<T, U>(flow: Flow<T>, f: (element: T) => U | Promise<U>): Flow<U> {
  requireFunction('map', f)
  const { view, length, reorders } = flow
  if (view !== undefined && length !== undefined) {
    const { source, order } = view
    const mapped = { length: source.length, at: (index: number) => after(source.at(index), f) }
    return viewFlow({ source: mapped, order }, length, reorders)
  }
  return {
    length,
    reorders,
    live: flow.live,
    iterate(epoch) {
      const inner = flow.iterate(epoch)
      return pass(inner, () =>
        after(inner.next(), (result): IteratorResult<U, undefined> | Promise<IteratorResult<U, undefined>> =>
          result.done ? result : after(f(result.value), item<U>),
        ),
      )
    },
  }
}
