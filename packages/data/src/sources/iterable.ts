import { failType, kindOf } from '@tapeflow/autodiff'
import type { Flow } from '../flow.ts'
import { type Pull, pass } from '../pull.ts'

/** What can be read from its start to its end, at once or by and by; a function makes a new one for each epoch. */
export type Readable<T> = Iterable<T> | AsyncIterable<T> | ((epoch: number) => Iterable<T> | AsyncIterable<T>)

/**
 * The elements of an iterable. Each pass asks for a new iterator.
 *
 * @throws TypeError, at the second pass, when the source is an iterator itself and so can be read only once
 */
export function iterableSource<T>(source: Readable<T>): Flow<T> {
  let spent = false
  return {
    length: undefined,
    reorders: false,
    live: false,
    iterate(epoch) {
      if (typeof source === 'function') return read(source(epoch))
      if (spent) {
        const remedy = 'pass a function that makes a new one'
        failType('dataset', 'this source is an iterator and has been read already', remedy)
      }
      spent = isOneShot(source)
      return read(source)
    },
  }
}

function read<T>(iterable: Iterable<T> | AsyncIterable<T>): Pull<T> {
  if (isIterable<T>(iterable)) {
    const iterator = iterable[Symbol.iterator]()
    const inner: Pull<T> = { next: () => iterator.next(), return: () => void iterator.return?.() }
    return pass(inner, inner.next)
  }
  if (isAsyncIterable<T>(iterable)) {
    const iterator = iterable[Symbol.asyncIterator]()
    const inner: Pull<T> = {
      next: () => Promise.resolve(iterator.next()),
      return: async () => void (await iterator.return?.()),
    }
    return pass(inner, inner.next)
  }
  return failType('dataset', `the source function must return an iterable, got ${kindOf(iterable)}`)
}

export function isIterable<T>(value: unknown): value is Iterable<T> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value
}

export function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** An iterator answers with itself when asked for an iterator. */
function isOneShot(source: object): boolean {
  return 'next' in source && typeof source.next === 'function'
}
