import { type Flow, type Indexed, requireCount, viewFlow } from '../flow.ts'

/**
 * The elements of a source that can be asked for any of them, in order of their index.
 *
 * @param source an array, or `{ length, at(index) }`; `at` may answer with a promise
 */
export function indexedSource<T>(source: Indexed<T>): Flow<T> {
  requireCount('dataset', 'the length', source.length, 0)
  return viewFlow({ source, order: () => (position) => position }, source.length, false)
}

/** An array as an indexed source: a negative index does not count from the end, a hole is an element. */
export function arraySource<T>(array: readonly T[]): Indexed<T> {
  return { length: array.length, at: (index) => array[index] as T }
}
