import { knownOptions } from '@tapeflow/autodiff'
import { widths } from './element-type.ts'
import { failFile } from './file-error.ts'
import { checkMetadata } from './safetensors-header.ts'
import type { StoredArray } from './stored-array.ts'
import { arraysOf } from './tree-arrays.ts'

/** What is written beside the arrays. */
export interface SafetensorsOptions {
  /** Texts by name, which Python's library gives back as `metadata()`; none by default. */
  readonly metadata?: Readonly<Record<string, string>>
}

/**
 * The bytes of a safetensors file that holds a tree: parameters, state, or both. Python's `safetensors.numpy.load`,
 * `safetensors.torch.load` and the like read it.
 *
 * A leaf goes by its path, `layers.0.weight`. Tensors are written as F32, bit by bit; numbers as F64 of shape [], keys as their
 * two words of U32; snapshots `{ shape, values }`, such as those of `toSnapshot` and in the result of a run, as what their values
 * are: Float32Array as F32, Int32Array as I32; null is left out. The same tree gives the same bytes.
 *
 * @param tree tensors, snapshots, keys, numbers and null in plain objects and arrays
 * @param options.metadata texts by name
 * @throws FileError for a name that no reader should take: `__proto__`, `constructor`, `prototype`, half of a surrogate
 * pair; RangeError when two leaves have one path, or a snapshot has another number of values than its shape; TypeError where the
 * tree holds anything else
 * @example
 * const bytes = toSafetensors({ layers: [{ weight: t.tensor([[1, 2]]) }] }, { metadata: { epoch: '3' } })
 * fromSafetensors(bytes)['layers.0.weight'].toArray() // => [[1, 2]]
 * inspectSafetensors(bytes).metadata // => { epoch: '3' }
 *
 * The format: https://github.com/huggingface/safetensors
 */
export function toSafetensors(tree: unknown, options: SafetensorsOptions = {}): Uint8Array<ArrayBuffer> {
  knownOptions('toSafetensors', options, 'metadata')
  return writeSafetensors('toSafetensors', arraysOf('toSafetensors', tree), options.metadata)
}

/** The bytes of a safetensors file with these arrays: as Python's library writes it, wide elements first, then by name. */
export function writeSafetensors(
  operation: string,
  arrays: readonly StoredArray[],
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  // Entries as text: an object would put names that are numbers first, and has no room for some.
  const entries: string[] = []
  if (metadata !== undefined) {
    entries.push(`"__metadata__":${JSON.stringify(checkMetadata(operation, metadata))}`)
  }
  const sorted = [...arrays].sort((a, b) => widths.get(b.type)! - widths.get(a.type)! || order(a, b))
  let size = 0
  for (const { name, type, shape, bytes } of sorted) {
    if (name === '__metadata__')
      failFile(operation, "the name '__metadata__' is the format's own", 'rename the leaf')
    const data_offsets = [size, (size += bytes.length)]
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype: type, shape, data_offsets })}`)
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`)
  // Padded with spaces, so that data begin at a multiple of 8.
  const length = Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(8 + length + size).fill(0x20, 8, 8 + length)
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true)
  file.set(text, 8)
  let at = 8 + length
  for (const { bytes } of sorted) {
    file.set(bytes, at)
    at += bytes.length
  }
  return file
}

// F32 before U32, as Python's library has them; then names.
function order(a: StoredArray, b: StoredArray): number {
  if (a.type !== b.type) return a.type < b.type ? -1 : 1
  return a.name < b.name ? -1 : 1
}
