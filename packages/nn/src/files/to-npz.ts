import { knownOptions } from '@tapeflow/autodiff'
import { zipSync } from 'fflate'
import { writeNpy } from './npy.ts'
import { arraysOf } from './tree-arrays.ts'

/** How an .npz file is written. */
export interface NpzOptions {
  /** Whether arrays are deflated, as by `numpy.savez_compressed`; they are not by default: weights hardly shrink. */
  readonly compress?: boolean
}

/**
 * The bytes of an .npz file that holds a tree: what `numpy.load` reads and `numpy.savez` writes, a zip archive of one .npy file for
 * each array.
 *
 * A leaf goes by its path, `layers.0.weight`. Tensors are written as float32, bit by bit; numbers as float64 of shape (), keys
 * as their two words of uint32; snapshots `{ shape, values }` as what their values are; null is left out. The same tree gives the
 * same bytes.
 *
 * @param tree tensors, snapshots, keys, numbers and null in plain objects and arrays
 * @param options.compress false by default
 * @throws FileError for a name that no reader should take, such as `__proto__`; RangeError when two leaves have one path;
 * TypeError where the tree holds anything else
 * @example
 * fromNpz(toNpz({ layers: [{ weight: t.tensor([[1, 2]]) }] }))['layers.0.weight'].toArray() // => [[1, 2]]
 *
 * The format of arrays: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function toNpz(tree: unknown, options: NpzOptions = {}): Uint8Array<ArrayBuffer> {
  knownOptions('toNpz', options, 'compress')
  const files = Object.fromEntries(
    arraysOf('toNpz', tree).map((array) => [`${array.name}.npy`, writeNpy(array)]),
  )
  // The first day that a zip archive knows: no clock in the bytes.
  return zipSync(files, { level: options.compress === true ? 6 : 0, mtime: new Date(1980, 0, 1) })
}
