const granule = 64

/** Bytes rounded up to what blocks are multiples of. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / granule) * granule
}

/** Offsets in memory that a program has for itself: given out and taken back while it is planned, and fixed from then on. */
export class Arena {
  /** Bytes that all of it takes. */
  bytes = 0
  private readonly free: { offset: number; bytes: number }[] = []

  /** The offset of a block: the smallest free one that is large enough, or the end. */
  take(wanted: number): number {
    const bytes = padded(wanted)
    let best = -1
    for (let i = 0; i < this.free.length; i++) {
      const size = this.free[i]!.bytes
      if (size >= bytes && (best < 0 || size < this.free[best]!.bytes)) best = i
    }
    if (best >= 0) {
      const block = this.free[best]!
      const { offset } = block
      block.offset += bytes
      block.bytes -= bytes
      if (block.bytes === 0) this.free.splice(best, 1)
      return offset
    }
    const last = this.free[this.free.length - 1]
    // The end of what is there may be free already: it is extended.
    const offset = last !== undefined && last.offset + last.bytes === this.bytes ? last.offset : this.bytes
    if (offset < this.bytes) this.free.pop()
    this.bytes = offset + bytes
    return offset
  }

  /** Takes a block back; free neighbours become one. */
  give(offset: number, given: number): void {
    const bytes = padded(given)
    let i = this.free.length
    while (i > 0 && this.free[i - 1]!.offset > offset) i--
    const before = this.free[i - 1]
    const after = this.free[i]
    const joinsBefore = before !== undefined && before.offset + before.bytes === offset
    const joinsAfter = after !== undefined && offset + bytes === after.offset
    if (joinsBefore) {
      before.bytes += bytes + (joinsAfter ? after.bytes : 0)
      if (joinsAfter) this.free.splice(i, 1)
    } else if (joinsAfter) {
      after.offset = offset
      after.bytes += bytes
    } else this.free.splice(i, 0, { offset, bytes })
  }
}
