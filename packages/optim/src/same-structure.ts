import { failRange, failType, isTensor, Key, kindOf, sameShape, showShape, Tensor } from '@tapeflow/autodiff'

/** A tree beside the parameters, with the name that errors give it: `gradients`, `slots.m`. */
export interface Beside {
  readonly name: string
  readonly tree: unknown
}

/** What a node of a tree may be. */
export type Kind = 'tensor' | 'array' | 'object' | 'other leaf'

const remedy = 'pass trees of the structure of params'

/** What a node of a tree is; null where it cannot be in one. */
export function nodeKind(node: unknown): Kind | null {
  if (isTensor(node)) return 'tensor'
  // A tensor that is none here is a number of a function that is being recorded.
  if (node === null || typeof node === 'number' || node instanceof Tensor || node instanceof Key)
    return 'other leaf'
  if (Array.isArray(node)) return 'array'
  if (typeof node !== 'object') return null
  const prototype: unknown = Object.getPrototypeOf(node)
  return prototype === Object.prototype || prototype === null ? 'object' : null
}

/** Whether a node of the parameters, which is of `kind`, and one of another tree are alike: keys and shapes too. */
export function sameNode(kind: Kind, param: unknown, other: unknown): boolean {
  if (kind === 'tensor') return isTensor(other) && sameShape((param as Tensor).shape, other.shape)
  if (nodeKind(other) !== kind) return false
  if (kind === 'other leaf') return true
  if (kind === 'array') return (param as readonly unknown[]).length === (other as readonly unknown[]).length
  // Plain objects inherit no enumerable keys, so that for…in sees what Object.keys does, without a list.
  let extra = 0
  for (const _ in other as object) extra++
  for (const key in param as object) {
    if (!Object.hasOwn(other as object, key)) return false
    extra--
  }
  return extra === 0
}

/**
 * Throws the error of the first difference between the parameters and trees beside them. Paths are made here, where
 * they are needed, and not at every update.
 */
export function failDifferent(operation: string, params: unknown, trees: readonly Beside[]): never {
  const find = (param: unknown, others: readonly Beside[], path: string): void => {
    for (const other of others) checkSame(operation, param, other, path)
    const kind = nodeKind(param)
    if (kind !== 'array' && kind !== 'object') return
    for (const [key, inner] of Object.entries(param as Readonly<Record<string, unknown>>)) {
      const children = others.map(({ name, tree }) => ({
        name,
        tree: (tree as Readonly<Record<string, unknown>>)[key],
      }))
      find(inner, children, below(path, key))
    }
  }
  find(params, trees, '')
  return failRange(operation, 'trees differ', remedy)
}

function checkSame(operation: string, param: unknown, other: Beside, path: string): void {
  const kind = nodeKind(param)
  if (kind === null) {
    failType(
      operation,
      `params must end in tensors, got ${kindOf(param)} ${at(path)}`,
      'trees are plain objects and arrays',
    )
  }
  const found = nodeKind(other.tree)
  if (found !== kind) {
    const wanted = kind === 'tensor' ? 'a tensor' : kindOf(param)
    const got = found === 'tensor' ? 'a tensor' : kindOf(other.tree)
    failRange(operation, `${other.name} must have ${wanted} ${at(path)}, got ${got}`, remedy)
  }
  if (kind === 'tensor') checkShapes(operation, param as Tensor, other.tree as Tensor, other.name, path)
  else if (kind !== 'other leaf')
    checkKeys(operation, param as object, other.tree as object, other.name, path)
}

function checkShapes(operation: string, param: Tensor, other: Tensor, name: string, path: string): void {
  if (sameShape(param.shape, other.shape)) return
  const [wanted, got] = [showShape(param.shape), showShape(other.shape)]
  failRange(operation, `${name} must have shape ${wanted} ${at(path)}, got ${got}`, remedy)
}

function checkKeys(operation: string, param: object, other: object, name: string, path: string): void {
  const wanted = Object.keys(param)
  const found = Object.keys(other)
  for (const key of wanted) {
    if (Object.hasOwn(other, key)) continue
    failRange(
      operation,
      `${name} has nothing ${at(below(path, key))}, got ${found.join(', ') || 'no keys'}`,
      remedy,
    )
  }
  if (found.length === wanted.length) return
  const extra = found.find((key) => !Object.hasOwn(param, key)) ?? ''
  failRange(operation, `${name} has more than params, got '${below(path, extra)}'`, remedy)
}

function below(path: string, key: string): string {
  return path === '' ? `${key}` : `${path}.${key}`
}

function at(path: string): string {
  return path === '' ? 'at the root' : `at '${path}'`
}
