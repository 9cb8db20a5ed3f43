import { Key, key } from '@tapeflow/autodiff'
import type { ArraySnapshot, NumberArray } from '@tapeflow/nn'
import { parse, stringify } from 'devalue'
import type { RunSnapshot } from '../snapshots.ts'

/** A run as a text, beside the arrays that it names. */
export interface RunText {
  readonly text: string
  /** Those that stand neither in weights nor layer state nor slots, in the order of their names: `kept.0`. */
  readonly kept: readonly ArraySnapshot[]
}

/**
 * All of a run but its arrays, in the words of devalue: JSON with NaN, infinities, -0, undefined, Map, Set, Date, BigInt, and
 * objects that are in two places. An array stands there by its name: the path of its snapshot, `params.layers.0.weight`, or `kept.0`.
 *
 * @throws Error of devalue where it holds what is no plain data: a function, an instance of a class
 */
export function runText(run: RunSnapshot): RunText {
  const { params, state, slots } = run
  const names = new Map<NumberArray, string>()
  nameArrays({ params, state, slots }, '', names)
  const kept: ArraySnapshot[] = []
  const nameOf = (values: NumberArray): string => {
    const known = names.get(values)
    if (known !== undefined) return known
    const name = `kept.${kept.length}`
    names.set(values, name)
    kept.push({ shape: [values.length], values })
    return name
  }
  const text = stringify(run, {
    Numbers: (value: unknown) => isNumbers(value) && nameOf(value),
    Key: (value: unknown) => value instanceof Key && [value.high, value.low],
  })
  return { text, kept }
}

/**
 * What `runText` was made from. It is not checked for being a run.
 *
 * @param valuesOf an array by its name
 */
export function runOfText(text: string, valuesOf: (name: unknown) => NumberArray): unknown {
  return parse(text, {
    Numbers: valuesOf,
    Key: ([high, low]: readonly [high: number, low: number]) => key([high, low]),
  })
}

function nameArrays(tree: unknown, path: string, names: Map<NumberArray, string>): void {
  if (typeof tree !== 'object' || tree === null) return
  if ('values' in tree && 'shape' in tree && isNumbers(tree.values)) {
    names.set(tree.values, path)
    return
  }
  for (const [name, inner] of Object.entries(tree))
    nameArrays(inner, path === '' ? name : `${path}.${name}`, names)
}

// Those that files have a type for; devalue writes others itself, in base64.
const kinds = [
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  Int32Array,
  Uint32Array,
  Int16Array,
  Uint16Array,
  Int8Array,
  Uint8Array,
] as const

function isNumbers(value: unknown): value is NumberArray {
  return ArrayBuffer.isView(value) && kinds.some((kind) => value instanceof kind)
}
