import { knownOptions, type Tensor } from '@tapeflow/autodiff'
import { type UnzipFileInfo, unzipSync } from 'fflate'
import { FileError, failFile, shownName } from './file-error.ts'
import type { LoadOptions } from './from-safetensors.ts'
import { readNpy } from './npy.ts'
import { checkBytes, checkName, type StoredArray } from './stored-array.ts'
import { planOf, tensorsOf, treeOf } from './tree-arrays.ts'
import { crc32, zipChecksums } from './zip-checksums.ts'

/** What deflated arrays may take together when they are inflated. */
const mostInflated = 2 ** 30

/** Deflate makes at most 1,032 bytes of one. */
const steepest = 1032

/**
 * The tree that an .npz file holds, from its bytes: with `like` a tree of that structure, whose names and shapes must be
 * those of the file; without it the tensors by name, flat.
 *
 * float32 and float16 become float32 with the same values; booleans become 0 and 1; of float64, NumPy's usual type, and integers
 * only what float32 holds is taken, unless rounding is asked for. Arrays in Fortran's order are put into ours; big-endian ones,
 * records and Python objects are refused. Nothing is made before all of the file is checked, checksums too.
 *
 * @param bytes of the whole file
 * @param options.like what is wanted; it is not changed
 * @param options.inexact `'refuse'` (default) or `'round'`
 * @throws FileError when the file is damaged, hostile (a name twice, names that reach into prototypes, more than 1 GiB inflated), or
 * does not fit: lists all arrays that are missing, not expected or of another shape
 * @example
 * const saved = toNpz({ weight: t.tensor([1, 2]), bias: t.tensor(3) })
 * fromNpz(saved, { like: { weight: t.zeros([2]), bias: t.tensor(0) } }) // => { weight: [1, 2], bias: 3 }
 * fromNpz(saved, { like: { bias: t.zeros([2]) } }) // throws FileError: fromNpz: names and shapes differ, not expected 'weight' | other shapes: 'bias' has [] instead of [2]
 */
export function fromNpz<P>(bytes: Uint8Array, options: LoadOptions<P> & { readonly like: P }): P
export function fromNpz(bytes: Uint8Array, options?: LoadOptions): Record<string, Tensor>
export function fromNpz(bytes: Uint8Array, options: LoadOptions = {}): unknown {
  knownOptions('fromNpz', options, 'like inexact')
  checkBytes('fromNpz', bytes)
  const { inexact = 'refuse' } = options
  const arrays = readNpz('fromNpz', bytes)
  if (options.like === undefined) return tensorsOf('fromNpz', arrays, inexact)
  return treeOf('fromNpz', planOf(options.like), arrays, inexact)
}

function readNpz(operation: string, bytes: Uint8Array): StoredArray[] {
  const checksums = zipChecksums(operation, bytes)
  const seen = new Set<string>()
  let inflated = 0
  // The whole directory is checked before the first file is taken out.
  const check = ({ name: file, size, originalSize, compression }: UnzipFileInfo): false => {
    const name = file.slice(0, -4)
    if (!file.endsWith('.npy'))
      failFile(operation, `the archive holds ${shownName(file)}, which is no .npy file`)
    checkName(operation, name)
    if (seen.has(name)) failFile(operation, `the archive names ${shownName(name)} twice`)
    seen.add(name)
    if (compression === 0 ? size !== originalSize : originalSize > steepest * (size + 1)) {
      failFile(
        operation,
        `${shownName(name)} claims ${originalSize} bytes out of ${size}`,
        'the file is damaged',
      )
    }
    if (compression !== 0) inflated += originalSize
    if (inflated > mostInflated)
      failFile(operation, 'the arrays inflate to more than 1 GiB', 'save them without compression')
    return false
  }
  let files: Record<string, Uint8Array>
  try {
    unzipSync(bytes, { filter: check })
    files = unzipSync(bytes)
  } catch (cause) {
    if (cause instanceof FileError) throw cause
    const words = cause instanceof Error ? cause.message : String(cause)
    throw new FileError(operation, `the archive cannot be read: ${words}`, 'is it an .npz file?', { cause })
  }
  // Names are in the order of the directory: each is there once.
  return [...seen].map((name, i) => {
    const data = files[`${name}.npy`]!
    if (crc32(data) !== checksums[i]) {
      failFile(
        operation,
        `${shownName(name)} has another checksum than the archive says`,
        'the file is damaged',
      )
    }
    return readNpy(operation, name, data)
  })
}
