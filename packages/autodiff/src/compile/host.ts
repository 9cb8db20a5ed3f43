import type { Key, Words } from '../key.ts'
import { Tensor } from '../tensor.ts'
import { deriveInto, TracedKey } from '../traced-key.ts'
import { isPlain } from '../tree.ts'

/** What is worked out on the host before each run: keys, and numbers that operations take as attributes. */
export class HostValues {
  private readonly cells: Words[] = []
  private readonly keys = new Map<TracedKey, number>()
  private readonly derivations: ((leaves: readonly unknown[]) => void)[] = []
  private readonly leafOf: (x: Tensor) => number | undefined

  /** @param leafOf the number of the input that a tensor stands for */
  constructor(leafOf: (x: Tensor) => number | undefined) {
    this.leafOf = leafOf
  }

  /** The place of a traced key among the cells. */
  key(key: TracedKey): number {
    // A list, not recursion: a loop may derive more keys from each other than the stack of the host is deep.
    const unknown: TracedKey[] = []
    for (let next: Key = key; next instanceof TracedKey && !this.keys.has(next); ) {
      unknown.push(next)
      if (next.source.kind === 'input') break
      next = next.source.parent
    }
    for (const next of unknown.reverse()) {
      const cell: Words = { high: 0, low: 0 }
      this.derivations.push(this.derivation(next, cell))
      this.keys.set(next, this.cells.push(cell) - 1)
    }
    return this.keys.get(key)!
  }

  /** The words of a key, once they are resolved. */
  words(cell: number): Words {
    return this.cells[cell]!
  }

  /** Works everything out from the traced inputs of a run. */
  resolve(leaves: readonly unknown[]): void {
    for (let i = 0; i < this.derivations.length; i++) this.derivations[i]!(leaves)
  }

  /** Numbers in place of those that may be traced; they are brought up to date by `resolve`. */
  numbers(given: readonly (number | Tensor)[]): readonly number[] {
    const live: number[] = []
    for (const [i, value] of given.entries()) {
      if (typeof value === 'number') live.push(value)
      else {
        const leaf = this.leafOf(value)!
        live.push(0)
        this.derivations.push((leaves) => {
          live[i] = leaves[leaf] as number
        })
      }
    }
    return live
  }

  private derivation({ source }: TracedKey, cell: Words): (leaves: readonly unknown[]) => void {
    if (source.kind === 'input') {
      return (leaves) => {
        const { high, low } = leaves[source.index] as Words
        cell.high = high
        cell.low = low
      }
    }
    const { parent, count, use } = source
    const from: Words = parent instanceof TracedKey ? this.cells[this.key(parent)]! : parent
    if (typeof count === 'number') return () => deriveInto(cell, from, count, use)
    const leaf = this.leafOf(count)!
    return (leaves) => deriveInto(cell, from, leaves[leaf] as number, use)
  }
}

/** Attributes with cells in the place of traced keys, and numbers in the place of traced ones, as a kernel reads them. */
export function hosted(attributes: unknown, host: HostValues): unknown {
  if (!isPlain(attributes)) return attributes
  const { keys, numbers } = attributes
  const isTraced = (x: unknown): boolean => x instanceof TracedKey || x instanceof Tensor
  if (![keys, numbers].some((list) => Array.isArray(list) && list.some(isTraced))) return attributes
  return {
    ...attributes,
    ...(Array.isArray(keys) && {
      keys: keys.map((key: Key) => (key instanceof TracedKey ? host.words(host.key(key)) : key)),
    }),
    ...(Array.isArray(numbers) && { numbers: host.numbers(numbers) }),
    // A number that is known only now may be out of range.
    ...(Array.isArray(numbers) && numbers.some((x) => x instanceof Tensor) && { mayFail: true }),
  }
}
