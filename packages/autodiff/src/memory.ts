import { failRange } from './fail.ts'
import type { Scope } from './scopes.ts'

/** What the heap holds now, as `memory()` returns it. All sizes in bytes. */
export interface MemoryStatistics {
  /** Tensors alive. */
  readonly tensors: number
  /** Bytes of live storage, padding included. */
  readonly bytes: number
  /** The largest `bytes` there has been, since `resetPeakBytes` where that was called. */
  readonly peakBytes: number
  /** Bytes of the heap below the highest block handed out; it grows only when no freed block fits, and falls when the highest are merged away. */
  readonly heapBytes: number
}

const pageBytes = 65536
const granule = 64
/** Static data of the kernels lives below; offset 0 never names a tensor. */
const heapStart = pageBytes
const initialPages = 16384
/** Blocks from this size on are remembered with their shape, to name the largest holder when memory runs out. */
const largeBytes = 1 << 20

// The heap: the one piece of mutable state in this package besides caches of compiled kernels.
let memory: WebAssembly.Memory | undefined
let shared = false
let floats: Float32Array = new Float32Array(0)
let top = heapStart
let limit = 0
let maximumPages = 0
let tensors = 0
let bytes = 0
let peakBytes = 0
let poisoned = false
let marks = 0
const free: number[][] = []
const large = new Map<number, { bytes: number; shape: readonly number[] }>()

function reserve(): WebAssembly.Memory {
  shared = typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false
  for (let initial = initialPages; ; initial >>= 1) {
    try {
      maximumPages = initial * 4
      return new WebAssembly.Memory({ initial, maximum: maximumPages, shared })
    } catch (cause) {
      if (initial <= 16) {
        throw new RangeError(`memory: no heap of ${initial * pageBytes} bytes; close other programs`, {
          cause,
        })
      }
    }
  }
}

/** The WebAssembly memory that every tensor and kernel lives in, made at first use. */
export function wasmMemory(): WebAssembly.Memory {
  if (memory === undefined) {
    memory = reserve()
    refreshViews(memory)
  }
  return memory
}

/** Whether the heap is shared between threads: decided once, at first use. */
export function isShared(): boolean {
  wasmMemory()
  return shared
}

/** The heap as floats. Growing replaces the view, so it must not be kept across an allocation. */
export function heapFloats(): Float32Array {
  if (memory === undefined) wasmMemory()
  return floats
}

function refreshViews(of: WebAssembly.Memory): void {
  floats = new Float32Array(of.buffer)
  limit = of.buffer.byteLength
}

// Size classes: exact multiples of 64 bytes up to 4 kB, then eight steps for each power of two.
const exactBytes = 64 * granule

function classOf(granules: number): number {
  if (granules <= 64) return granules
  const shift = 28 - Math.clz32(granules - 1)
  return 64 + (shift - 3) * 8 + stepsOf(granules, shift) - 8
}

// How many steps of 2 ** shift hold so many granules: integers throughout.
function stepsOf(granules: number, shift: number): number {
  return (granules + (1 << shift) - 1) >> shift
}

function blockBytes(wanted: number): number {
  const granules = Math.max(1, Math.ceil(wanted / granule))
  if (granules <= 64) return granules * granule
  const shift = 28 - Math.clz32(granules - 1)
  return (stepsOf(granules, shift) << shift) * granule
}

/** A run of heap memory that tensors share: reshapes and leading-axis slices count as references. */
export class Storage {
  /** Both stay as long as there are references. */
  offset: number
  bytes: number
  references = 1
  /** What its memory was donated to: nobody may read it any more. Null for all but a few. */
  donated: string | null = null
  /** Who has its memory now, where that was handed on. */
  heir: Storage | null = null
  /** The scope of the outermost tape that reads it on its way back: until that is closed, it is not to be donated. */
  neededBy: Scope | null = null
  /** The last walk over storages that came by; see `nextMark`. */
  mark = 0
  constructor(offset: number, size: number) {
    this.offset = offset
    this.bytes = size
  }
}

/**
 * Takes a block that holds `wanted` bytes. Its contents are whatever was there before.
 *
 * @param shape what it is for, to be named should memory run out
 * @throws RangeError when the heap is full and cannot grow: names the bytes wanted, live, and the largest holder
 */
export function allocate(wanted: number, shape?: readonly number[]): Storage {
  return takeAgain(new Storage(0, 0), wanted, shape)
}

/**
 * Takes a block as `allocate` does, for a storage that has none: new, or given back by its last reference. Of a small block
 * nothing is left to the garbage collector.
 */
export function takeAgain(storage: Storage, wanted: number, shape?: readonly number[]): Storage {
  if (memory === undefined) wasmMemory()
  // Most blocks are small: one addition tells their class.
  const isExact = wanted <= exactBytes
  const granules = isExact ? Math.max(1, (wanted + granule - 1) >> 6) : 0
  const size = isExact ? granules * granule : blockBytes(wanted)
  const list = free[isExact ? granules : classOf(size / granule)]
  let offset = list === undefined || list.length === 0 ? -1 : list.pop()!
  if (offset < 0) offset = carve(size, wanted, shape ?? [wanted / 4])
  bytes += size
  if (bytes > peakBytes) peakBytes = bytes
  if (size >= largeBytes) large.set(offset, { bytes: size, shape: shape ?? [wanted / 4] })
  storage.offset = offset
  storage.bytes = size
  storage.references = 1
  return storage
}

function carve(size: number, wanted: number, shape: readonly number[]): number {
  if (top + size > limit) {
    mergeFreeBlocks()
    const reused = takeMerged(size)
    if (reused >= 0) return reused
    if (top + size > limit) grow(top + size - limit, wanted, shape)
  }
  const offset = top
  top += size
  return offset
}

// Freed neighbours become one block again; what ends at the top goes back to it.
function mergeFreeBlocks(): void {
  const blocks: [offset: number, size: number][] = []
  for (const [index, list] of free.entries()) {
    if (list === undefined) continue
    for (const offset of list) blocks.push([offset, classBytes(index)])
    list.length = 0
  }
  for (const block of merged) blocks.push(block)
  merged.length = 0
  blocks.sort((a, b) => a[0] - b[0])
  for (const block of blocks) {
    const last = merged[merged.length - 1]
    if (last !== undefined && last[0] + last[1] === block[0]) last[1] += block[1]
    else merged.push(block)
  }
  const end = merged[merged.length - 1]
  if (end !== undefined && end[0] + end[1] === top) {
    top = end[0]
    merged.pop()
  }
}

const merged: [offset: number, size: number][] = []

function takeMerged(size: number): number {
  for (let i = 0; i < merged.length; i++) {
    const block = merged[i]!
    if (block[1] < size) continue
    const offset = block[0]
    block[0] += size
    block[1] -= size
    if (block[1] === 0) merged.splice(i, 1)
    return offset
  }
  return -1
}

function classBytes(index: number): number {
  if (index <= 64) return index * granule
  const exponent = 6 + Math.floor((index - 65) / 8)
  return (index - 64 - (exponent - 6) * 8 + 8) * 2 ** (exponent - 3) * granule
}

function grow(missing: number, wanted: number, shape: readonly number[]): void {
  const wasm = wasmMemory()
  const pages = Math.ceil(missing / pageBytes)
  const room = maximumPages - wasm.buffer.byteLength / pageBytes
  for (const ask of [Math.min(room, Math.max(pages, 1024)), pages]) {
    if (ask < pages) continue
    try {
      wasm.grow(ask)
      refreshViews(wasm)
      return
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
    }
  }
  let holder = 'none of 1 MiB or more'
  let most = 0
  for (const block of large.values()) {
    if (block.bytes <= most) continue
    most = block.bytes
    holder = `a tensor of shape [${block.shape.join(',')}] (${block.bytes} bytes)`
  }
  failRange(
    'memory',
    `cannot grow the heap for a tensor of shape [${shape.join(',')}] (${wanted} bytes): ${bytes} bytes are live in ${tensors} tensors, the largest holder is ${holder}`,
    'make batches smaller, or free tensors with scope or dispose',
  )
}

/** Where values lie that are only shapes: a block of no bytes, which is never freed. */
export const nowhere: Storage = /*@__PURE__*/ new Storage(-2, 0)

/** Adds a reference to a block. */
export function retain(storage: Storage): Storage {
  storage.references++
  return storage
}

/** Gives up a reference; the last one frees the block. */
export function release(storage: Storage): void {
  if (--storage.references > 0 || storage.heir !== null) return
  const size = storage.bytes
  bytes -= size
  if (size >= largeBytes) large.delete(storage.offset)
  if (poisoned) heapFloats().fill(Number.NaN, storage.offset / 4, (storage.offset + size) / 4)
  const index = size <= exactBytes ? size >> 6 : classOf(size / granule)
  const list = free[index]
  if (list === undefined) free[index] = [storage.offset]
  else list.push(storage.offset)
}

/**
 * Donates a block: every tensor on it is done with.
 *
 * @param to what the error says, should one be used
 * @returns the same block in new hands, with one reference
 */
export function handOn(storage: Storage, to: string): Storage {
  storage.donated = to
  storage.heir ??= new Storage(storage.offset, storage.bytes)
  return storage.heir
}

/** A number that no storage is marked with yet. */
export function nextMark(): number {
  return ++marks
}

/** Whether freed blocks are filled with NaN. */
export function isPoisoned(): boolean {
  return poisoned
}

/**
 * Fills every freed block with NaN from now on, so that a read after free shows. For tests.
 *
 * @example
 * poisonFreed(true)
 * t.ones([3]).dispose() // => undefined
 * poisonFreed(false)
 */
export function poisonFreed(on: boolean): void {
  poisoned = on
}

/**
 * The memory below the heap, in which no kernel writes: a test may mark it. Static data of the kernels stands there too.
 *
 * @example
 * memoryBelowHeap().length // => 16384
 */
export function memoryBelowHeap(): Uint32Array {
  return new Uint32Array(wasmMemory().buffer, 0, heapStart / 4)
}

/** What the heap holds now: `{ tensors, bytes, peakBytes, heapBytes }`.
 *
 * @example
 * const before = t.memory().tensors
 * const x = t.ones([3])
 * t.memory().tensors - before // => 1
 * x.dispose()
 * t.memory().tensors - before // => 0
 */
export function memoryStatistics(): MemoryStatistics {
  return { tensors, bytes, peakBytes, heapBytes: top - heapStart }
}

/**
 * Lets the peak begin anew at what is live now: `memory().peakBytes` is then the most that was live from here on, as for measuring
 * one function.
 *
 * @example
 * const before = t.memory().bytes
 * t.resetPeakBytes()
 * t.scope(() => {
 *   t.sum(t.mul(t.ones([1000]), 2))
 * })
 * t.memory().bytes - before // => 0
 * t.memory().peakBytes - before >= 2 * 4000 // => true
 */
export function resetPeakBytes(): void {
  peakBytes = bytes
}

/** Counts a tensor that was made, or, with -1, given up. */
export function countTensors(by: 1 | -1): void {
  tensors += by
}
