import { knownOptions, type Shape, type Tensor } from '@tapeflow/autodiff'
import { type ArraySnapshot, snapshotOf } from './array-snapshot.ts'
import type { Inexact } from './element-type.ts'
import { readSafetensors } from './safetensors-header.ts'
import { checkBytes } from './stored-array.ts'
import { planOf, tensorsOf, treeOf } from './tree-arrays.ts'

/** How arrays of a file become tensors. */
export interface LoadOptions<P = unknown> {
  /** A tree of the structure and shapes that are wanted, such as what `init` made; its numbers do not matter. */
  readonly like?: P
  /**
   * What becomes of numbers of F64 or integers that float32 does not hold: `'refuse'` (default), or `'round'` to the nearest.
   */
  readonly inexact?: Inexact
}

/**
 * The tree that a safetensors file holds, from its bytes: with `like` a tree of that structure, whose names and shapes must be
 * those of the file; without it the tensors by name, flat.
 *
 * F32, F16 and BF16 become float32 with the same values; BOOL becomes 0 and 1; of F64 and integers only what float32 holds is
 * taken, unless rounding is asked for. Other types are refused. Where `like` has a number there must be an array of shape [],
 * where it has a key two U32. The file is checked to its end before the first tensor is made: sizes, offsets without gaps or
 * overlaps, names (none twice, none that reaches into prototypes), JSON, UTF-8.
 *
 * @param bytes of the whole file
 * @param options.like what is wanted; it is not changed
 * @param options.inexact `'refuse'` (default) or `'round'`
 * @throws FileError when the file is damaged, hostile, or does not fit: lists all arrays that are missing, not expected or of
 * another shape
 * @example
 * const saved = toSafetensors({ weight: t.tensor([1, 2]), bias: t.tensor(3) })
 * fromSafetensors(saved, { like: { weight: t.zeros([2]), bias: t.tensor(0) } }) // => { weight: [1, 2], bias: 3 }
 * fromSafetensors(saved).bias.item() // => 3
 * fromSafetensors(saved, { like: { weight: t.zeros([5]) } }) // throws FileError: fromSafetensors: names and shapes differ, not expected 'bias' | other shapes: 'weight' has [2] instead of [5]
 */
export function fromSafetensors<P>(bytes: Uint8Array, options: LoadOptions<P> & { readonly like: P }): P
export function fromSafetensors(bytes: Uint8Array, options?: LoadOptions): Record<string, Tensor>
export function fromSafetensors(bytes: Uint8Array, options: LoadOptions = {}): unknown {
  knownOptions('fromSafetensors', options, 'like inexact')
  checkBytes('fromSafetensors', bytes)
  const { inexact = 'refuse' } = options
  const { arrays } = readSafetensors('fromSafetensors', bytes)
  if (options.like === undefined) return tensorsOf('fromSafetensors', arrays, inexact)
  return treeOf('fromSafetensors', planOf(options.like), arrays, inexact)
}

/** What stands in the header of a safetensors file. */
export interface SafetensorsContents {
  readonly metadata: Readonly<Record<string, string>>
  readonly arrays: readonly { readonly name: string; readonly dtype: string; readonly shape: Shape }[]
}

/**
 * What a safetensors file holds: metadata, and the names, types and shapes of its arrays. No tensor is made.
 *
 * @throws FileError when the file is damaged or hostile
 * @example
 * inspectSafetensors(toSafetensors({ w: t.ones([2]) })).arrays // => [{ name: 'w', dtype: 'F32', shape: [2] }]
 */
export function inspectSafetensors(bytes: Uint8Array): SafetensorsContents {
  checkBytes('inspectSafetensors', bytes)
  const { metadata, arrays } = readSafetensors('inspectSafetensors', bytes)
  return { metadata, arrays: arrays.map(({ name, type, shape }) => ({ name, dtype: type, shape })) }
}

/**
 * The arrays of a safetensors file by name, `{ shape, values }`, outside of the heap: no tensor is made. F32, F16 and BF16 come as
 * Float32Array, BOOL as Uint8Array of 0 and 1, all others as what they are: F64 as Float64Array, I64 as BigInt64Array.
 *
 * @param bytes of the whole file; nothing of them is kept
 * @throws FileError when the file is damaged or hostile
 * @example
 * const bytes = toSafetensors({ layers: [{ weight: { shape: [1, 2], values: Float32Array.of(3, 4) } }] })
 * const { 'layers.0.weight': weight } = snapshotsFromSafetensors(bytes)
 * weight // => { shape: [1, 2], values: Float32Array.of(3, 4) }
 */
export function snapshotsFromSafetensors(bytes: Uint8Array): Record<string, ArraySnapshot> {
  const operation = 'snapshotsFromSafetensors'
  checkBytes(operation, bytes)
  const { arrays } = readSafetensors(operation, bytes)
  return Object.fromEntries(arrays.map((stored) => [stored.name, snapshotOf(operation, stored)]))
}
