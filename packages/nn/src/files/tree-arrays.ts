import * as t from '@tapeflow/autodiff'
import { isArraySnapshot, storedOf } from './array-snapshot.ts'
import { asFloat32, asNumber, type Inexact } from './element-type.ts'
import { FileError, failFile, shownName } from './file-error.ts'
import { checkName, type StoredArray } from './stored-array.ts'

/**
 * The leaves of a tree as arrays under their paths: tensors F32, numbers F64 of shape [], keys the two words of U32, snapshots of
 * what their values are.
 */
export function arraysOf(operation: string, tree: unknown): StoredArray[] {
  const arrays: StoredArray[] = []
  const seen = new Set<string>()
  const named = (name: string): void => {
    checkName(operation, name)
    if (seen.has(name)) {
      t.failRange(operation, `two leaves go by the name ${shownName(name)}`, 'leave dots out of keys')
    }
    seen.add(name)
  }
  const add = (branch: unknown, path: string): void => {
    if (isArraySnapshot(branch)) {
      named(path)
      arrays.push(storedOf(operation, path, branch))
    } else if (isBranch(branch)) {
      for (const key of Array.isArray(branch) ? branch.keys() : Object.keys(branch).sort())
        add(Reflect.get(branch, key), path === '' ? `${key}` : `${path}.${key}`)
    } else {
      t.visitLeaves(
        branch,
        (leaf, name) => {
          if (leaf === null) return
          named(name)
          arrays.push(arrayOf(leaf, name))
        },
        path,
      )
    }
  }
  add(tree, '')
  return arrays
}

/** Arrays and plain objects. */
function isBranch(tree: unknown): tree is object {
  if (typeof tree !== 'object' || tree === null) return false
  const prototype: unknown = Object.getPrototypeOf(tree)
  return Array.isArray(tree) || prototype === Object.prototype || prototype === null
}

function arrayOf(leaf: t.Tensor | t.Key | number, name: string): StoredArray {
  if (typeof leaf === 'number')
    return { name, type: 'F64', shape: [], bytes: new Uint8Array(Float64Array.of(leaf).buffer) }
  if (leaf instanceof t.Key) {
    const words = Uint32Array.of(leaf.high, leaf.low)
    return { name, type: 'U32', shape: [2], bytes: new Uint8Array(words.buffer) }
  }
  return { name, type: 'F32', shape: leaf.shape, bytes: new Uint8Array(leaf.toFloat32Array().buffer) }
}

type Kind = 'tensor' | 'number' | 'key'

/** What a tree needs of a file: its structure, with the number of a wanted array where a leaf is. */
export interface TreePlan {
  readonly skeleton: unknown
  readonly wanted: readonly { readonly name: string; readonly kind: Kind; readonly shape: t.Shape }[]
}

/** What a tree like this one needs of a file. Reads shapes only. */
export function planOf(like: unknown): TreePlan {
  const wanted: { name: string; kind: Kind; shape: t.Shape }[] = []
  const skeleton = t.mapTree(like, (leaf, name) => {
    if (leaf === null) return null
    if (typeof leaf === 'number') return wanted.push({ name, kind: 'number', shape: [] }) - 1
    if (leaf instanceof t.Key) return wanted.push({ name, kind: 'key', shape: [2] }) - 1
    return wanted.push({ name, kind: 'tensor', shape: leaf.shape }) - 1
  })
  return { skeleton, wanted }
}

/**
 * The tree of a plan with the arrays of a file in it. All names and shapes are checked, and all numbers, before the first
 * tensor is made.
 *
 * @throws FileError that lists every array that is missing, not expected, or of another shape
 */
export function treeOf(
  operation: string,
  plan: TreePlan,
  arrays: readonly StoredArray[],
  inexact: Inexact,
): unknown {
  const byName = checkFit(
    operation,
    plan,
    arrays,
    'load the file into a tree like the one that it was made from',
  )
  const leaves = plan.wanted.map(({ name, kind }) => {
    const stored = byName.get(name)!
    if (kind === 'number') return asNumber(operation, stored, inexact)
    if (kind === 'tensor') return { shape: stored.shape, values: asFloat32(operation, stored, inexact) }
    const view = new DataView(stored.bytes.buffer, stored.bytes.byteOffset, 8)
    return t.key([view.getUint32(0, true), view.getUint32(4, true)])
  })
  return t.scope(() =>
    t.mapTree(plan.skeleton, (place) => {
      if (place === null) return null
      const leaf = leaves[place as number]!
      return typeof leaf === 'number' || leaf instanceof t.Key ? leaf : made(operation, leaf)
    }),
  )
}

/** The arrays of a file as tensors under their names. */
export function tensorsOf(
  operation: string,
  arrays: readonly StoredArray[],
  inexact: Inexact,
): Record<string, t.Tensor> {
  const snapshots = arrays.map((stored) => ({
    shape: stored.shape,
    values: asFloat32(operation, stored, inexact),
  }))
  return t.scope(() =>
    Object.fromEntries(snapshots.map((snapshot, i) => [arrays[i]!.name, made(operation, snapshot)])),
  )
}

function made(operation: string, { shape, values }: t.Snapshot): t.Tensor {
  try {
    return t.tensor(values, shape)
  } catch (cause) {
    throw new FileError(
      operation,
      `there is no room for an array of shape ${t.showShape(shape)}`,
      undefined,
      { cause },
    )
  }
}

const most = 1000

function listed(words: readonly string[]): string {
  const more = words.length - most
  return more > 0 ? `${words.slice(0, most).join(', ')} and ${more} more` : words.join(', ')
}

/**
 * Checks that arrays are those of a plan, by name and shape. @returns them by name
 *
 * @throws FileError that lists every array that is missing, not expected, or of another shape
 */
export function checkFit(
  operation: string,
  { wanted }: TreePlan,
  arrays: readonly StoredArray[],
  remedy: string,
): ReadonlyMap<string, StoredArray> {
  const byName = new Map(arrays.map((array) => [array.name, array]))
  const names = new Set(wanted.map(({ name }) => name))
  const missing = wanted.filter(({ name }) => !byName.has(name)).map(({ name }) => shownName(name))
  const unexpected = [...byName.keys()].filter((name) => !names.has(name)).map(shownName)
  const different: string[] = []
  for (const { name, kind, shape } of wanted) {
    const stored = byName.get(name)
    if (stored === undefined) continue
    if (!t.sameShape(stored.shape, shape)) {
      different.push(`${shownName(name)} has ${t.showShape(stored.shape)} instead of ${t.showShape(shape)}`)
    } else if (kind === 'key' && stored.type !== 'U32') {
      different.push(`${shownName(name)} has ${stored.type} where a key has U32`)
    }
  }
  const problems = [
    ...(missing.length > 0 ? [`missing ${listed(missing)}`] : []),
    ...(unexpected.length > 0 ? [`not expected ${listed(unexpected)}`] : []),
    ...(different.length > 0 ? [`other shapes: ${listed(different)}`] : []),
  ]
  if (problems.length === 0) return byName
  return failFile(operation, `names and shapes differ, ${problems.join(' | ')}`, remedy)
}
