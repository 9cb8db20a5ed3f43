import { failRange, failType, kindOf } from '@tapeflow/autodiff'
import { type Flow, type Indexed, requireCount } from './flow.ts'
import { done, type Pull } from './pull.ts'
import { type Batch, isRow, type Row, type Stacked } from './row.ts'
import { columnsSource } from './sources/columns.ts'
import { arraySource, indexedSource } from './sources/indexed.ts'
import { isAsyncIterable, isIterable, iterableSource, type Readable } from './sources/iterable.ts'
import { type BatchOptions, batch } from './stages/batch.ts'
import { filter } from './stages/filter.ts'
import { map } from './stages/map.ts'
import { repeat } from './stages/repeat.ts'
import { type ShuffleOptions, shuffle } from './stages/shuffle.ts'
import { skip } from './stages/skip.ts'
import { split } from './stages/split.ts'
import { take } from './stages/take.ts'

/**
 * A recipe for passes over elements. Each stage gives a new dataset and changes nothing; reading starts with `iterate`, as
 * often as wanted, and computes an element when it is pulled.
 */
export interface Dataset<T> {
  /** How many elements a pass gives, Infinity if it never ends, undefined if only reading tells. */
  readonly length?: number | undefined
  /** Whether elements come as they happen (`fromObservable`): then a pass is never read again. */
  readonly live: boolean
  /** Starts a pass. Epochs (0 by default) differ where a stage says so, such as in the order of `shuffle`. */
  iterate(epoch?: number): Pull<T>
  map<U>(f: (element: T) => U | Promise<U>): Dataset<U>
  filter(keep: (element: T) => boolean): Dataset<T>
  shuffle(options: ShuffleOptions): Dataset<T>
  batch(size: number, options?: BatchOptions): Dataset<Stacked<T>>
  take(count: number): Dataset<T>
  skip(count: number): Dataset<T>
  repeat(count?: number): Dataset<T>
  split<K extends string>(parts: { readonly [name in K]: number }): Record<K, Dataset<T>>
  /** All elements of a pass: at once, or as a promise if the source or a stage is asynchronous. */
  toArray(epoch?: number): T[] | Promise<T[]>
  /** `for (const element of dataset)` reads epoch 0. Throws a TypeError if the source or a stage is asynchronous. */
  [Symbol.iterator](): Iterator<T, undefined>
  /** `for await (const element of dataset)` reads epoch 0. */
  [Symbol.asyncIterator](): AsyncIterator<T, undefined>
}

/**
 * A dataset over a source: a record of arrays with the same leading size (its rows), an array, `{ length, at(index) }`, an
 * iterable, an asynchronous iterable, or a function of the epoch that makes one of these two.
 *
 * Prefer the record of arrays: batches are gathered from it directly. A source is read in place and read anew in each pass.
 *
 * @throws TypeError when the source is none of these
 * @throws RangeError when the arrays of a record do not fill their shapes or differ in their number of rows
 *
 * @example
 * const points = dataset({
 *   x: { shape: [3, 2], values: Float32Array.of(0, 1, 2, 3, 4, 5) },
 *   y: { shape: [3], values: Float32Array.of(0, 1, 1) },
 * })
 * assert.equal(points.length, 3)
 * const [, second] = points.batch(2)
 * assert.deepEqual(second, {
 *   x: { shape: [1, 2], values: Float32Array.of(4, 5) },
 *   y: { shape: [1], values: Float32Array.of(1) },
 * })
 */
export function dataset<T>(list: readonly T[]): Dataset<T>
export function dataset<T>(source: Readable<T>): Dataset<T>
export function dataset<T>(source: Indexed<T>): Dataset<T>
export function dataset<C extends { readonly [name in keyof C]: Batch }>(columns: C): Dataset<Stacked<C>>
export function dataset<T>(source: readonly T[] | Indexed<T> | Readable<T> | Row): Dataset<T> | Dataset<Row> {
  if (Array.isArray(source)) return withStages(indexedSource(arraySource<T>(source)))
  if (isIndexed<T>(source)) return withStages(indexedSource(source))
  if (isRow(source)) return withStages(indexedSource(columnsSource(source)))
  if (typeof source === 'function' || isIterable<T>(source) || isAsyncIterable<T>(source)) {
    return withStages(iterableSource<T>(source))
  }
  return failType(
    'dataset',
    `cannot read from ${kindOf(source)}`,
    'pass arrays { x: { shape, values } }, a list, { length, at }, an iterable or a function that makes one',
  )
}

/** A dataset: what a flow gives, and the stages on it. */
export function withStages<T>(flow: Flow<T>): Dataset<T> {
  const iterate = (epoch = 0): Pull<T> => {
    requireCount('iterate', 'the epoch', epoch, 0)
    return flow.iterate(epoch)
  }
  return {
    length: flow.length,
    live: flow.live,
    iterate,
    map: (f) => withStages(map(flow, f)),
    filter: (keep) => withStages(filter(flow, keep)),
    shuffle: (options) => withStages(shuffle(flow, options)),
    batch: (size, options) => withStages(batch(flow, size, options)),
    take: (count) => withStages(take(flow, count)),
    skip: (count) => withStages(skip(flow, count)),
    repeat: (count) => withStages(repeat(flow, count)),
    split<K extends string>(parts: { readonly [name in K]: number }) {
      const flows = Object.entries<Flow<T>>(split(flow, parts))
      return Object.fromEntries(flows.map(([name, part]) => [name, withStages(part)])) as Record<
        K,
        Dataset<T>
      >
    },
    toArray: (epoch) => {
      if (flow.length === Infinity) failRange('toArray', 'the dataset has no end', 'take(count) of it first')
      return collect(iterate(epoch), [])
    },
    [Symbol.iterator]() {
      const pull = iterate()
      return {
        next() {
          const result = pull.next()
          if (!(result instanceof Promise)) return result
          return failType('dataset', 'the source or a stage is asynchronous', 'read it with for await')
        },
        return() {
          void pull.return?.()
          return done
        },
      }
    },
    [Symbol.asyncIterator]() {
      const pull = iterate()
      return {
        next: async () => pull.next(),
        return: async () => {
          await pull.return?.()
          return done
        },
      }
    },
  }
}

function collect<T>(pull: Pull<T>, into: T[]): T[] | Promise<T[]> {
  for (;;) {
    const pulled = pull.next()
    if (pulled instanceof Promise) return collectRest(pull, into, pulled)
    if (pulled.done) return into
    into.push(pulled.value)
  }
}

async function collectRest<T>(
  pull: Pull<T>,
  into: T[],
  first: Promise<IteratorResult<T, undefined>>,
): Promise<T[]> {
  for (let result = await first; !result.done; result = await pull.next()) into.push(result.value)
  return into
}

function isIndexed<T>(source: unknown): source is Indexed<T> {
  if (typeof source !== 'object' || source === null) return false
  return (
    'length' in source &&
    typeof source.length === 'number' &&
    'at' in source &&
    typeof source.at === 'function'
  )
}
