import { resultsOf, type Value } from './graph.ts'
import type { Place, PlannedLine } from './plan.ts'

/** A piece of memory, in bytes from where its space begins. */
interface Piece {
  readonly space: string
  readonly from: number
  readonly to: number
}

/**
 * Whether the first line may be run in turns with the second, some rows of each at a time: whatever that one writes, none of it
 * lies in what the first still reads, or works in.
 */
export function canTakeTurns(
  first: PlannedLine,
  second: PlannedLine,
  places: ReadonlyMap<Value, Place>,
): boolean {
  const pieceOf = ({ root }: Value): Piece => {
    const { space, index, offset } = places.get(root)!
    return { space: `${space} ${index}`, from: offset, to: offset + 4 * root.size }
  }
  const needed = first.operation.scratch?.(first.inputs, first.attributes as never) ?? 0
  const kept = first.inputs.map(pieceOf)
  if (needed > 0) kept.push({ space: 'arena 0', from: first.scratch, to: first.scratch + needed })
  const written = resultsOf(second).map(pieceOf)
  return written.every((a) => kept.every((b) => a.space !== b.space || a.to <= b.from || b.to <= a.from))
}
