import { type Flow, requireFunction } from '../flow.ts'
import { pass, pullUntil } from '../pull.ts'

/**
 * The elements for which `keep(element)` is true, in their order. The length is unknown then.
 *
 *     in   1 - 2 - 3 - 4 |
 *     out  ----2 ----- 4 |        keep = even
 *
 * @example
 * assert.deepEqual(dataset([1, 2, 3, 4]).filter((n) => n % 2 === 0).toArray(), [2, 4])
 */
export function filter<T>(flow: Flow<T>, keep: (element: T) => boolean): Flow<T> {
  requireFunction('filter', keep)
  return {
    length: undefined,
    reorders: flow.reorders,
    live: flow.live,
    iterate(epoch) {
      const inner = flow.iterate(epoch)
      return pass(inner, () =>
        pullUntil(inner, (result) => (result.done || keep(result.value) ? result : undefined)),
      )
    },
  }
}
