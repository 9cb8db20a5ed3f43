/** A queue that holds at most `capacity` elements, and no more memory than it ever held elements at once. */
export interface Ring<T> {
  readonly size: number
  readonly isFull: boolean
  /** Puts an element at the end. There must be room. */
  push(value: T): void
  /** Takes the first element. There must be one. */
  shift(): T
}

/** An empty queue. */
export function ring<T>(capacity: number): Ring<T> {
  const places: (T | undefined)[] = []
  let first = 0
  let size = 0
  return {
    get size() {
      return size
    },
    get isFull() {
      return size === capacity
    },
    push(value) {
      places[(first + size++) % capacity] = value
    },
    shift() {
      const value = places[first]
      // What was taken can be collected.
      places[first] = undefined
      first = (first + 1) % capacity
      size--
      // There is one at each of `size` places.
      return value as T
    },
  }
}
