import { failType, kindOf } from '../fail.ts'
import { Key } from '../key.ts'
import { heapFloats } from '../memory.ts'
import { type Shape, sameShape } from '../shape.ts'
import { type Entry, slotOn, type Tape } from '../tape.ts'
import { isGone, Tensor } from '../tensor.ts'
import { TracedKey } from '../traced-key.ts'
import { isPlain } from '../tree.ts'
import { fingerprint } from './fingerprint.ts'
import {
  type Graph,
  type OperationLine,
  type Output,
  type RecordedLine,
  type Source,
  Value,
} from './graph.ts'
import { HostValues, hosted } from './host.ts'
import { hasKeys } from './keyed.ts'
import { checkDepth, type Leaf } from './signature.ts'

/** What a function returns, with numbers for its tensors and keys. */
export type Template =
  | { readonly kind: 'output'; readonly index: number }
  | { readonly kind: 'leaf'; readonly leaf: number }
  | { readonly kind: 'key'; readonly cell: number }
  | { readonly kind: 'static'; readonly value: unknown }
  | { readonly kind: 'array'; readonly items: readonly Template[] }
  | { readonly kind: 'object'; readonly keys: readonly string[]; readonly items: readonly Template[] }

/** Makes a graph of a tape: each distinct line once, views as views, constants by what they hold. */
export class Builder {
  readonly host: HostValues
  /** A key of a tape around is returned. */
  capturesKeys = false
  private readonly tape: Tape
  private readonly outside: (x: Tensor) => Source
  private readonly mergesConstants: boolean
  private readonly slots: Value[] = []
  private readonly inputs: (Value | null)[] = []
  /** The leaf of each slot that is a number. */
  private readonly numbers = new Map<number, number>()
  private readonly lines: OperationLine[] = []
  private readonly recorded: RecordedLine[] = []
  private readonly outputs: Output[] = []
  private readonly known = new Map<string, Value>()
  private readonly identities = new Map<unknown, number>()
  /** By value what tells it from others, whatever else is on the tape. */
  private readonly fingerprints: string[] = []
  private count = 0

  /**
   * @param outside what is to become of a value that is not of this tape
   * @param mergesConstants whether such values are one where they hold the same
   */
  constructor(
    tape: Tape,
    leaves: readonly Leaf[],
    inputs: readonly (Tensor | TracedKey)[],
    outside: (x: Tensor) => Source,
    mergesConstants: boolean,
  ) {
    this.tape = tape
    this.outside = outside
    this.mergesConstants = mergesConstants
    // Not `this`: it knows the recorded function, which its program must not keep from the garbage collector.
    const { numbers } = this
    this.host = new HostValues((x) => numbers.get(x.slot))
    for (const [leaf, input] of inputs.entries()) {
      if (!(input instanceof Tensor)) {
        this.inputs.push(null)
        continue
      }
      const { argument, path } = leaves[leaf]!
      const name = path === '' ? `argument ${argument}` : `${argument}.${path}`
      const value = this.root(name, input.shape, { kind: 'input', leaf }, name)
      this.slots[input.slot] = value
      this.inputs.push(value)
      if (leaves[leaf]!.kind === 'number') this.numbers.set(input.slot, leaf)
    }
  }

  /** Adds every entry of the tape, and what the function returned. */
  build(operation: string, returned: unknown): Template {
    for (const [slot, entry] of this.tape.entries.entries()) if (entry !== null) this.add(slot, entry)
    return this.template(operation, returned, '')
  }

  private add(slot: number, { operation, inputs, attributes, output }: Entry): void {
    const values = inputs.map((x) => this.value(x))
    const first = operation.alias === undefined ? -1 : operation.alias(inputs, attributes)
    const from = values[0]
    const name = `%${slot}`
    const isView = first >= 0 && from !== undefined
    const { shape } = output
    this.recorded.push({ name, operation: operation.name, inputs: values.map((x) => x.name), shape, isView })
    if (isView) {
      this.slots[slot] = this.view(name, shape, from, first * 4)
      return
    }
    if (
      hasKeys(attributes) &&
      attributes.keys.some((key) => key instanceof TracedKey && key.tape !== this.tape)
    ) {
      this.capturesKeys = true
    }
    const ids = values.map(({ id }) => id).join(',')
    const described = describe(attributes, this.identities)
    const text = `${operation.name}(${ids})${described}`
    let value = this.known.get(text)
    if (value === undefined) {
      const operands = values.map(({ id }) => this.fingerprints[id]).join(',')
      value = this.root(name, shape, { kind: 'computed' }, `${operation.name}(${operands})${described}`)
      const line = { operation, inputs: values, attributes: hosted(attributes, this.host), output: value }
      this.lines.push(line)
      this.known.set(text, value)
    }
    this.slots[slot] = value
  }

  private template(operation: string, returned: unknown, path: string, depth = 0): Template {
    checkDepth(operation, 'what the function returns', depth)
    const within = (key: string | number): string => (path === '' ? `${key}` : `${path}.${key}`)
    if (returned instanceof Tensor) {
      const leaf = this.numbers.get(slotOn(returned, this.tape))
      if (leaf !== undefined) return { kind: 'leaf', leaf }
      const value = this.value(returned)
      const made = { value, path, fingerprint: this.fingerprints[value.id]! }
      return { kind: 'output', index: this.outputs.push(made) - 1 }
    }
    if (returned instanceof TracedKey) {
      if (returned.tape === this.tape) return { kind: 'key', cell: this.host.key(returned) }
      returned.openTape(operation)
      this.capturesKeys = true
      return { kind: 'static', value: null }
    }
    if (isValue(returned)) return { kind: 'static', value: returned }
    if (Array.isArray(returned)) {
      const items = Array.from(returned, (item, i) => this.template(operation, item, within(i), depth + 1))
      return { kind: 'array', items }
    }
    if (isPlain(returned)) {
      const keys = Object.keys(returned)
      const items = keys.map((key) => this.template(operation, returned[key], within(key), depth + 1))
      return { kind: 'object', keys, items }
    }
    return failType(
      operation,
      `what the function returns must be a tree of tensors, keys, numbers and null, got ${kindOf(returned)}${path === '' ? '' : ` at '${path}'`}`,
      'trees are plain objects and arrays',
    )
  }

  /** The program so far. */
  graph(): Graph {
    const { lines, inputs, outputs, recorded } = this
    return { lines, inputs, outputs, values: this.count, recorded }
  }

  private value(x: Tensor): Value {
    const slot = slotOn(x, this.tape)
    return slot >= 0 ? this.slots[slot]! : this.constant(x)
  }

  private constant(x: Tensor): Value {
    // Only what was made while recording: the memory of a tensor from outside may be written over by its owner, a compiled
    // function that uses its results again, and two that hold the same now need not do so later.
    const isMadeHere = x.owner !== null && x.owner.depth >= this.tape.depth
    const isPlainConstant = this.mergesConstants && x.tape === null && isMadeHere && !isGone(x)
    const text = isPlainConstant ? contents(x) : `tensor ${this.identity(x)}`
    const found = this.known.get(text)
    if (found !== undefined) return found
    const name = x.size === 1 && x.offset >= 0 ? String(heapFloats()[x.offset / 4]) : 'constant'
    const source = this.outside(x)
    const value = this.root(name, x.shape, source, isPlainConstant ? bitsOf(x) : 'tensor')
    if (source.kind === 'input') this.inputs[source.leaf] = value
    this.known.set(text, value)
    return value
  }

  private identity(value: unknown): number {
    return identityOf(value, this.identities)
  }

  private root(name: string, shape: Shape, source: Source, text: string): Value {
    this.fingerprints.push(fingerprint(`${text}[${shape.join()}]`))
    return new Value(this.count++, name, shape, source)
  }

  private view(name: string, shape: Shape, of: Value, at: number): Value {
    if (sameShape(shape, of.shape)) return of
    const text = `view(${of.root.id})${of.at + at}[${shape.join()}]`
    let value = this.known.get(text)
    if (value === undefined) {
      this.fingerprints.push(
        fingerprint(`view(${this.fingerprints[of.root.id]})${of.at + at}[${shape.join()}]`),
      )
      value = new Value(this.count++, name, shape, of.source, of.root, of.at + at)
      this.known.set(text, value)
    }
    return value
  }
}

function isValue(returned: unknown): boolean {
  return (
    returned === null ||
    returned instanceof Key ||
    ['undefined', 'number', 'boolean', 'string'].includes(typeof returned)
  )
}

/** What a constant holds, as text. */
function bitsOf(x: Tensor): string {
  return `constant ${new Uint32Array(heapFloats().buffer, x.offset, x.size).join()}`
}

// Two constants are one where they hold the same few bits, or lie in the same place.
function contents(x: Tensor): string {
  const shape = x.shape.join()
  if (x.size > 16) return `constant ${x.offset}[${shape}]`
  const floats = heapFloats()
  const bits = new Uint32Array(floats.buffer, x.offset, x.size)
  return `constant ${bits.join()}[${shape}]`
}

/** Attributes as text: equal for equal ones, down to the sign of zero; functions and keys by identity. */
function describe(value: unknown, identities: Map<unknown, number>): string {
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value)
  if (Array.isArray(value)) return `[${value.map((item) => describe(item, identities)).join()}]`
  if (isPlain(value)) {
    const items = Object.keys(value).map((key) => `${key}:${describe(value[key], identities)}`)
    return `{${items.join()}}`
  }
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null || typeof value !== 'object') {
    if (typeof value !== 'function') return String(value)
  }
  return `#${identityOf(value, identities)}`
}

function identityOf(value: unknown, identities: Map<unknown, number>): number {
  let identity = identities.get(value)
  if (identity === undefined) {
    identity = identities.size
    identities.set(value, identity)
  }
  return identity
}
