import { failRange, failType, kindOf } from '../fail.ts'
import { failForeign } from '../foreign.ts'
import { Key } from '../key.ts'
import { checkShape, type Shape, sameShape, showShape, sizeOf } from '../shape.ts'
import { Tensor } from '../tensor.ts'
import { isPlain, put } from '../tree.ts'

/** What a program is recorded for: the structure of its arguments, shapes of tensors, and everything static. */
export type Signature =
  | { readonly kind: 'tensor' | 'data'; readonly shape: Shape; readonly leaf: number }
  | { readonly kind: 'number' | 'key'; readonly leaf: number }
  | { readonly kind: 'static'; readonly value: Static }
  | { readonly kind: 'array'; readonly items: readonly Signature[] }
  | {
      readonly kind: 'object'
      readonly keys: readonly string[]
      readonly items: readonly Signature[]
      /** It has the names of `Data`: whether it is any is seen from the values. */
      readonly isLikeData: boolean
    }

/** Values that a program is recorded for, and not an input of it. */
export type Static = boolean | string | null | undefined

/** Numbers outside of the heap, `{ shape, values }`: copied into the program's memory at each call. */
export interface Data {
  readonly shape: Shape
  readonly values: Float32Array
}

/** A traced input of a program. */
export interface Leaf {
  readonly kind: 'tensor' | 'data' | 'number' | 'key'
  /** Of a number the empty shape; of a key none is used. */
  readonly shape: Shape
  /** Which argument it is in, and where in that: `params.w`, empty for the argument itself. */
  readonly argument: number
  readonly path: string
}

const scalar: Shape = Object.freeze([])

/**
 * The signature of a list of arguments, and their traced inputs in order.
 *
 * @param operation the public function that they are arguments of
 * @throws TypeError where something is no tree: names the place
 */
export function signatureOf(
  args: readonly unknown[],
  operation = 'compile',
): {
  readonly signatures: readonly Signature[]
  readonly leaves: readonly Leaf[]
} {
  const leaves: Leaf[] = []
  const leaf = (kind: Leaf['kind'], shape: Shape, argument: number, path: string): number =>
    leaves.push({ kind, shape, argument, path }) - 1

  const read = (value: unknown, argument: number, path: string, depth: number): Signature => {
    checkDepth(operation, 'an argument', depth)
    if (value instanceof Tensor) {
      return { kind: 'tensor', shape: value.shape, leaf: leaf('tensor', value.shape, argument, path) }
    }
    if (typeof value === 'number') return { kind: 'number', leaf: leaf('number', scalar, argument, path) }
    if (value instanceof Key) return { kind: 'key', leaf: leaf('key', scalar, argument, path) }
    if (isStatic(value)) return { kind: 'static', value }
    if (isData(value)) {
      const shape = checkShape(operation, value.shape)
      if (value.values.length !== sizeOf(shape)) {
        failRange(
          operation,
          `shape ${showShape(shape)} holds ${sizeOf(shape)} values, got ${value.values.length}`,
          'change the shape or the data',
        )
      }
      return { kind: 'data', shape, leaf: leaf('data', shape, argument, path) }
    }
    const within = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)
    if (Array.isArray(value)) {
      return {
        kind: 'array',
        items: Array.from(value, (item, i) => read(item, argument, within(i), depth + 1)),
      }
    }
    if (isPlain(value)) {
      const keys = Object.keys(value)
      return {
        kind: 'object',
        keys,
        isLikeData: keys.includes('shape') && keys.includes('values'),
        items: keys.map((key) => read(value[key], argument, within(key), depth + 1)),
      }
    }
    failForeign(operation, value)
    return failType(
      operation,
      `argument ${argument}${path === '' ? '' : ` at '${path}'`} must be a tensor, key, number, boolean, string or a plain tree of them, got ${kindOf(value)}`,
      'use it from a closure',
    )
  }
  return { signatures: args.map((value, i) => read(value, i, '', 0)), leaves }
}

/** Throws where a tree is so deep that it can only contain itself. */
export function checkDepth(operation: string, what: string, depth: number): void {
  if (depth > 512) failRange(operation, `${what} is nested more than 512 deep`, 'does it contain itself?')
}

function isStatic(value: unknown): value is Static {
  return value === null || value === undefined || typeof value === 'boolean' || typeof value === 'string'
}

/** Whether something is `{ shape, values }`. */
function isData(value: unknown): value is Data {
  return (
    typeof value === 'object' &&
    value !== null &&
    'values' in value &&
    value.values instanceof Float32Array &&
    'shape' in value &&
    Array.isArray(value.shape)
  )
}

/** Whether arguments are such as a program was recorded for; `into` then has their traced inputs. Makes no garbage. */
export function matches(
  signatures: readonly Signature[],
  args: readonly unknown[],
  into: unknown[],
): boolean {
  if (args.length !== signatures.length) return false
  for (let i = 0; i < signatures.length; i++) if (!fits(signatures[i]!, args[i], into)) return false
  return true
}

function fits(signature: Signature, value: unknown, into: unknown[]): boolean {
  switch (signature.kind) {
    case 'tensor':
      if (!(value instanceof Tensor) || !sameShape(value.shape, signature.shape)) return false
      into[signature.leaf] = value
      return true
    case 'number':
      into[signature.leaf] = value
      return typeof value === 'number'
    case 'key':
      into[signature.leaf] = value
      return value instanceof Key
    case 'static':
      return value === signature.value
    case 'data':
      if (!isData(value) || !sameShape(value.shape, signature.shape)) return false
      into[signature.leaf] = value
      return value.values.length === sizeOf(signature.shape)
    case 'array': {
      const { items } = signature
      if (!Array.isArray(value) || value.length !== items.length) return false
      for (let i = 0; i < items.length; i++) if (!fits(items[i]!, value[i], into)) return false
      return true
    }
    case 'object': {
      const { keys, items, isLikeData } = signature
      if (!isPlain(value) || (isLikeData && isData(value))) return false
      let i = 0
      for (const key in value) {
        if (key !== keys[i] || !fits(items[i]!, value[key], into)) return false
        i++
      }
      return i === keys.length
    }
  }
}

/** The arguments again, with what `make` gives in the place of each traced input. */
export function rebuild(signature: Signature, make: (leaf: number) => unknown): unknown {
  switch (signature.kind) {
    case 'static':
      return signature.value
    case 'array':
      return signature.items.map((item) => rebuild(item, make))
    case 'object': {
      const made: Record<string, unknown> = {}
      for (const [i, key] of signature.keys.entries()) put(made, key, rebuild(signature.items[i]!, make))
      return made
    }
    default:
      return make(signature.leaf)
  }
}
