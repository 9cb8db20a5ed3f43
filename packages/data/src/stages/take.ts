import { type Flow, requireCount, viewFlow } from '../flow.ts'
import { after, done, pass } from '../pull.ts'

/**
 * The first `count` elements of each pass, fewer if there are fewer. The source is closed as soon as one more is asked for.
 * After `shuffle` that is another choice in each epoch.
 *
 * @param count an integer of at least 0
 *
 * @example
 * assert.deepEqual(dataset([1, 2, 3]).take(2).toArray(), [1, 2])
 */
export function take<T>(flow: Flow<T>, count: number): Flow<T> {
  requireCount('take', 'the count', count, 0)
  const { view, reorders } = flow
  const length = flow.length === undefined ? undefined : Math.min(flow.length, count)
  if (view !== undefined && length !== undefined) return viewFlow(view, length, reorders)
  return {
    length,
    reorders,
    live: flow.live,
    iterate(epoch) {
      const inner = flow.iterate(epoch)
      let taken = 0
      return pass(inner, () => {
        if (taken++ < count) return inner.next()
        return after(inner.return?.(), () => done)
      })
    },
  }
}
