import { type Flow, requireCount, viewFlow } from '../flow.ts'
import { pass, pullUntil } from '../pull.ts'

/**
 * What comes after the first `count` elements of each pass.
 *
 * @param count an integer of at least 0
 *
 * @example
 * assert.deepEqual(dataset([1, 2, 3]).skip(2).toArray(), [3])
 */
export function skip<T>(flow: Flow<T>, count: number): Flow<T> {
  requireCount('skip', 'the count', count, 0)
  const { view, reorders } = flow
  const length = flow.length === undefined ? undefined : Math.max(0, flow.length - count)
  if (view !== undefined && length !== undefined) {
    const order = (epoch: number) => {
      const from = view.order(epoch)
      return (position: number) => from(position + count)
    }
    return viewFlow({ source: view.source, order }, length, reorders)
  }
  return {
    length,
    reorders,
    live: flow.live,
    iterate(epoch) {
      const inner = flow.iterate(epoch)
      let passed = 0
      return pass(inner, () =>
        pullUntil(inner, (result) => (result.done || passed++ >= count ? result : undefined)),
      )
    },
  }
}
