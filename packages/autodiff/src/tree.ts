import { failRange, failType, kindOf } from './fail.ts'
import { failForeign } from './foreign.ts'
import { Key } from './key.ts'
import { closeScope, isOpen, openScope, type Scope, scopeAround, unwindScope } from './scopes.ts'
import { isTensor, moveTo, Tensor } from './tensor.ts'

/** What a tree may end in. */
export type Leaf = Tensor | Key | number | null

/** Plain objects and arrays of leaves, nested. Keys are visited in sorted order; a path reads `layers.0.weight`. */
export type Tree = Leaf | readonly Tree[] | { readonly [key: string]: Tree }

/** A tree of the same structure with every leaf that is a tensor replaced by `T`. */
export type Replaced<P, T> = P extends Tensor
  ? T
  : P extends Key | number | null
    ? P
    : { [K in keyof P]: Replaced<P[K], T> }

function isLeaf(tree: unknown): tree is Leaf {
  return tree instanceof Tensor || tree === null || typeof tree === 'number' || tree instanceof Key
}

/** Whether something is a plain object: what a tree branches at, with arrays. */
export function isPlain(tree: unknown): tree is { readonly [key: string]: unknown } {
  if (typeof tree !== 'object' || tree === null) return false
  const prototype: unknown = Object.getPrototypeOf(tree)
  return prototype === Object.prototype || prototype === null
}

function failTree(path: string, tree: unknown): never {
  failForeign('tree', tree)
  failType(
    'tree',
    `leaves must be tensors, keys, numbers or null, got ${kindOf(tree)} at '${path}'`,
    'trees are plain objects and arrays',
  )
}

const join = (path: string, key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)

/**
 * Calls `visit` on every leaf with its path, keys in sorted order.
 *
 * @throws TypeError where a leaf is something else than a tensor, key, number or null: names the path
 * @example
 * const seen: string[] = []
 * t.visitLeaves({ b: 1, a: [2, null] }, (leaf, path) => seen.push(`${path}=${leaf}`))
 * seen // => ['a.0=2', 'a.1=null', 'b=1']
 */
export function visitLeaves(tree: unknown, visit: (leaf: Leaf, path: string) => void, path = ''): void {
  if (isLeaf(tree)) visit(tree, path)
  else if (Array.isArray(tree))
    for (let i = 0; i < tree.length; i++) visitLeaves(tree[i], visit, join(path, i))
  else if (isPlain(tree)) {
    for (const key of sortedKeys(tree)) visitLeaves(tree[key], visit, join(path, key))
  } else failTree(path, tree)
}

// Mostly they are in order already.
function sortedKeys(tree: object): string[] {
  const keys = Object.keys(tree)
  return areInOrder(keys) ? keys : keys.sort()
}

function areInOrder(keys: readonly string[]): boolean {
  for (let i = 1; i < keys.length; i++) if (keys[i - 1]! > keys[i]!) return false
  return true
}

// Paths take longer to make than all else: here there are none, but for an error.
function failAt(root: unknown): never {
  visitLeaves(root, () => {})
  return failTree('', root)
}

/**
 * A new tree of the same structure, each leaf replaced by what `change` returns for it.
 *
 * @example
 * const doubled = t.mapTree({ weight: 1, bias: [2, 3] }, (leaf) => (typeof leaf === 'number' ? 2 * leaf : leaf))
 * doubled // => { bias: [4, 6], weight: 2 }
 */
export function mapTree<R = Leaf>(
  tree: unknown,
  change: (leaf: Leaf, path: string) => R,
  path = '',
): unknown {
  if (isLeaf(tree)) return change(tree, path)
  if (Array.isArray(tree)) {
    // A loop, not map: a hole is a leaf that is missing, and must be named.
    const mapped: unknown[] = []
    for (let i = 0; i < tree.length; i++) mapped.push(mapTree(tree[i], change, join(path, i)))
    return mapped
  }
  if (!isPlain(tree)) return failTree(path, tree)
  const result: Record<string, unknown> = {}
  for (const key of sortedKeys(tree)) put(result, key, mapTree(tree[key], change, join(path, key)))
  return result
}

/** As `mapTensors`, without paths. */
export function replaceTensors<P, T = Tensor>(tree: P, change: (x: Tensor) => T): Replaced<P, T> {
  return replaced(tree, change, tree) as Replaced<P, T>
}

function replaced(tree: unknown, change: (x: Tensor) => unknown, root: unknown): unknown {
  if (tree instanceof Tensor) return isTensor(tree) ? change(tree) : tree
  if (isLeaf(tree)) return tree
  if (Array.isArray(tree)) {
    const result: unknown[] = []
    for (let i = 0; i < tree.length; i++) result.push(replaced(tree[i], change, root))
    return result
  }
  if (!isPlain(tree)) return failAt(root)
  const keys = Object.keys(tree)
  const isInOrder = areInOrder(keys)
  // A copy has all properties at once.
  const result: Record<string, unknown> = isInOrder ? { ...tree } : {}
  if (!isInOrder) keys.sort()
  for (let i = 0; i < keys.length; i++) put(result, keys[i]!, replaced(tree[keys[i]!], change, root))
  return result
}

/** Sets a property of any name: plain assignment of `__proto__` would set the prototype instead. */
export function put(into: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') into[key] = value
  else Object.defineProperty(into, key, { value, enumerable: true, writable: true, configurable: true })
}

/**
 * The tree with every tensor replaced: structure and other leaves stay.
 *
 * @example
 * t.mapTensors({ w: t.tensor([1, 2]) }, (x) => t.mul(x, 2)).w.toArray() // => [2, 4]
 */
export function mapTensors<P, T = Tensor>(tree: P, change: (x: Tensor, path: string) => T): Replaced<P, T> {
  return mapTree(tree, (leaf, path) => (isTensor(leaf) ? change(leaf, path) : leaf)) as Replaced<P, T>
}

/**
 * Combines trees of one structure, tensor by tensor.
 *
 * @param trees at least one, with tensors at the same paths
 * @throws RangeError where one tree has a tensor and another lacks it: names the path
 * @example
 * const [p, g] = [{ w: t.tensor([3]) }, { w: t.tensor([1]) }]
 * t.zipTensors([p, g], (w, dw) => t.sub(w, dw)).w.toArray() // => [2]
 */
export function zipTensors<P, T = Tensor>(
  trees: readonly [P, ...unknown[]],
  change: (...xs: Tensor[]) => T,
): Replaced<P, T> {
  const [first, ...others] = trees
  const columns = others.map((tree) => tensorsByPath(tree))
  let count = 0
  const result = mapTensors(first, (x, path) => {
    count++
    const row = columns.map((column, i) => {
      const found = column.get(path)
      if (found === undefined)
        failRange('zipTensors', `tree ${i + 1} has no tensor at '${path}'`, 'pass trees of one structure')
      return found
    })
    return change(x, ...row)
  })
  for (const [i, column] of columns.entries()) {
    if (column.size === count) continue
    const known = tensorsByPath(first)
    const extra = [...column.keys()].find((path) => !known.has(path))
    failRange('zipTensors', `only tree ${i + 1} has a tensor at '${extra}'`, 'pass trees of one structure')
  }
  return result
}

function tensorsByPath(tree: unknown): Map<string, Tensor> {
  const found = new Map<string, Tensor>()
  visitLeaves(tree, (leaf, path) => {
    if (isTensor(leaf)) found.set(path, leaf)
  })
  return found
}

/**
 * The tensors of a tree, in the order of their sorted paths.
 *
 * @example
 * t.leaves({ b: t.tensor(2), a: [t.tensor(1)] }).map((x) => x.item()) // => [1, 2]
 */
export function leaves(tree: unknown): Tensor[] {
  const found: Tensor[] = []
  collect(tree, found, tree)
  return found
}

function collect(tree: unknown, found: Tensor[], root: unknown): void {
  if (isLeaf(tree)) {
    if (isTensor(tree)) found.push(tree)
  } else if (Array.isArray(tree)) for (let i = 0; i < tree.length; i++) collect(tree[i], found, root)
  else if (isPlain(tree)) {
    const keys = sortedKeys(tree)
    for (let i = 0; i < keys.length; i++) collect(tree[keys[i]!], found, root)
  } else failAt(root)
}

/**
 * The paths of a tree's tensors, in the order of `leaves`.
 *
 * @example
 * t.paths({ layers: [{ weight: t.tensor(1) }] }) // => ['layers.0.weight']
 */
export function paths(tree: unknown): string[] {
  const found: string[] = []
  visitLeaves(tree, (leaf, path) => {
    if (isTensor(leaf)) found.push(path)
  })
  return found
}

/** Calls `visit` on the tensors in anything: plain objects and arrays are searched, all else is passed over. */
export function visitTensors(found: unknown, visit: (x: Tensor) => void): void {
  if (found instanceof Tensor) visit(found)
  else if (Array.isArray(found)) for (let i = 0; i < found.length; i++) visitTensors(found[i], visit)
  else if (isPlain(found)) for (const key of Object.keys(found)) visitTensors(found[key], visit)
}

// `visitTensors` with no closure: there is one of these for every scope.
function handOut(found: unknown, scope: Scope, around: Scope | null): void {
  if (found instanceof Tensor) {
    if (found.owner === scope) moveTo(found, around)
  } else if (Array.isArray(found)) for (let i = 0; i < found.length; i++) handOut(found[i], scope, around)
  else if (isPlain(found)) for (const key in found) handOut(found[key], scope, around)
}

/** Runs `body` in a scope of its own: the tensors in what it returns go to the scope around, everything else is freed. */
export function inScope<R>(body: (scope: Scope) => R): R {
  const scope = openScope()
  let done = false
  try {
    const result = body(scope)
    handOut(result, scope, scopeAround(scope))
    closeScope(scope)
    done = true
    return result
  } finally {
    if (!done && isOpen(scope)) unwindScope(scope)
  }
}
