import { type Flow, requireCount } from '../flow.ts'
import { after, type Pull, type Pulled, pass } from '../pull.ts'

/**
 * All elements `count` times over, or for ever. Pass r of epoch e reads the source as its epoch `e * count + r` (for ever:
 * `e + r`), so a shuffle before it reorders each time.
 *
 * @param count an integer of at least 0; without it the dataset has no end and its length is Infinity
 *
 * @example
 * assert.deepEqual(dataset([1, 2]).repeat(2).toArray(), [1, 2, 1, 2])
 * assert.deepEqual(dataset([1, 2]).repeat().take(5).toArray(), [1, 2, 1, 2, 1])
 */
export function repeat<T>(flow: Flow<T>, count?: number): Flow<T> {
  if (count !== undefined) requireCount('repeat', 'the count', count, 0)
  return {
    length: repeatedLength(flow.length, count),
    reorders: flow.reorders,
    live: flow.live,
    iterate(epoch) {
      let round = 0
      let given = true
      let inner: Pull<T> | undefined
      const next = (): Pulled<T> => {
        if (inner === undefined) {
          // A round without an element would never be followed by one with: stop there.
          if (!given || round === count) return { done: true, value: undefined }
          inner = flow.iterate(count === undefined ? epoch + round : epoch * count + round)
          round++
          given = false
        }
        return after(inner.next(), (result) => {
          if (result.done) {
            inner = undefined
            return next()
          }
          given = true
          return result
        })
      }
      const current: Pull<T> = { next, return: () => inner?.return?.() }
      return pass(current, next)
    },
  }
}

function repeatedLength(length: number | undefined, count: number | undefined): number | undefined {
  if (length === 0 || count === 0) return 0
  if (count === undefined) return length === undefined ? undefined : Infinity
  return length === undefined ? undefined : length * count
}
