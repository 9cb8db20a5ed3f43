import { DisposedError, failRange, failType, kindOf, RecordingError } from './fail.ts'
import { failForeign } from './foreign.ts'
import { allocate, heapFloats, nowhere, retain, type Storage } from './memory.ts'
import { disown, isOpen, move, type Owned, own, type Scope } from './scopes.ts'
import { checkShape, type Shape, showShape, sizeOf } from './shape.ts'
import type { Tape } from './tape.ts'

/** Numbers in nested arrays, as deep as a tensor has axes. */
export type NestedNumbers = number | readonly NestedNumbers[]

/**
 * A value: contiguous row-major float32 numbers of a shape, in the heap. It knows no maths; operations are functions.
 *
 * Reading copies: what `toArray` and `toFloat32Array` return stays valid whatever happens to the tensor.
 */
export class Tensor implements Owned {
  readonly shape: Shape
  readonly size: number
  /** Byte offset in the heap; -1 once disposed, -2 of a value that is only a shape, while its function is recorded. */
  offset: number
  /** Where the offset points into. */
  readonly storage: Storage
  /** The tape that this value was computed on, and its place there; null where nothing is recorded. */
  readonly tape: Tape | null
  readonly slot: number
  /** The same value on the tapes around `tape`, where it depends on them too. */
  readonly below: Tensor | null
  owner: Scope | null = null
  /** The scope of the outermost tape that has it as an operand: until that is closed, `dispose` has to wait. */
  neededBy: Scope | null = null

  constructor(
    shape: Shape,
    size: number,
    offset: number,
    storage: Storage,
    tape: Tape | null,
    slot: number,
    below: Tensor | null,
  ) {
    this.shape = shape
    this.size = size
    this.offset = offset
    this.storage = storage
    this.tape = tape
    this.slot = slot
    this.below = below
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length
  }

  /**
   * The number in a tensor of one element.
   *
   * @throws RangeError when there is more than one
   */
  item(): number {
    if (this.size !== 1) {
      failRange(
        'item',
        `a tensor of one element is needed, got shape ${showShape(this.shape)}`,
        'use toArray, or reduce it first',
      )
    }
    return heapFloats()[start('item', this)]!
  }

  /** The numbers as nested arrays: a copy. */
  toArray(): NestedNumbers {
    const values = this.toFloat32Array()
    let next = 0
    const nest = (axis: number): NestedNumbers =>
      axis === this.shape.length
        ? values[next++]!
        : Array.from({ length: this.shape[axis]! }, () => nest(axis + 1))
    return nest(0)
  }

  /** The numbers in row-major order: a copy outside of the heap. */
  toFloat32Array(): Float32Array<ArrayBuffer> {
    const from = start('toFloat32Array', this)
    const copy = new Float32Array(this.size)
    copy.set(heapFloats().subarray(from, from + this.size))
    return copy
  }

  /** Shape and values, shortened: `Tensor [2,2] [[1,2],[3,4]]`. */
  toString(): string {
    if (isGone(this))
      return `Tensor ${showShape(this.shape)} (${this.storage.donated === null ? 'disposed' : 'donated'})`
    if (this.size > 64) {
      const from = start('toString', this)
      const first = Array.from(heapFloats().subarray(from, from + 8), shorten)
      return `Tensor ${showShape(this.shape)} [${first.join(',')},… ${this.size} values]`
    }
    const text = JSON.stringify(this.toArray(), (_, value: unknown) =>
      typeof value === 'number' ? String(shorten(value)) : value,
    )
    return `Tensor ${showShape(this.shape)} ${text.replaceAll('"', '')}`
  }

  /** A number where one is meant (`+x` of one element), text in templates. */
  [Symbol.toPrimitive](hint: 'default' | 'number' | 'string'): number | string {
    if (hint === 'string') return this.toString()
    if (hint === 'number' && this.size === 1) return this.item()
    return failType(
      'tensor',
      `operators do not work on tensors, got shape ${showShape(this.shape)}`,
      'use t.add, t.mul, … or item()',
    )
  }

  /**
   * Gives the memory back now, or, where a gradient that is being computed still needs it, right after. Not needed inside
   * transforms, `scope`, `fold` and `fit`, which free what they make. Twice is once.
   */
  dispose(): void {
    if (this.offset === -1) return
    const needed = this.neededBy ?? (this.tape === null ? null : this.tape.scope)
    if (needed === null || !isOpen(needed)) this.free()
    else if (this.owner !== needed) move(this, needed)
  }

  /** @internal what `dispose` and scopes do */
  free(): void {
    if (this.offset === -1) return
    this.offset = -1
    disown(this)
  }
}

function shorten(value: number): number {
  return Number(value.toPrecision(6))
}

function start(operation: string, x: Tensor): number {
  if (isGone(x)) failDisposed(operation, x)
  if (x.offset < 0) {
    const entry = x.tape?.entries[x.slot]
    const what = entry ? `the result of ${entry.operation.name}` : 'an argument'
    throw new RecordingError(
      operation,
      `${what}, of shape ${showShape(x.shape)}, cannot be read while its function is recorded: there is only its shape`,
      'return it, and read the result',
    )
  }
  return x.offset / 4
}

/** Whether there is no memory any more: it was given back, or donated. */
export function isGone(x: Tensor): boolean {
  return x.offset === -1 || x.storage.donated !== null
}

/** Throws the error of a tensor that was used after its memory was given back, or donated. */
export function failDisposed(operation: string, x: Tensor): never {
  const { donated } = x.storage
  if (donated !== null) {
    throw new DisposedError(
      operation,
      `a tensor of shape ${showShape(x.shape)} was donated to ${donated}`,
      'use its result',
    )
  }
  if (x.storage === nowhere) {
    throw new RecordingError(
      operation,
      `a value of shape ${showShape(x.shape)} is used after the recording of its function: it was only a shape`,
      'return it, and use the result',
    )
  }
  throw new DisposedError(
    operation,
    `a tensor of shape ${showShape(x.shape)} was used after it was disposed`,
    'keep it by returning it from the scope that made it',
  )
}

/** A new tensor with memory of its own, its contents undefined, owned by the current scope. */
export function allocateTensor(shape: Shape): Tensor {
  const size = sizeOf(shape)
  const storage = allocate(size * 4, shape)
  const made = new Tensor(shape, size, storage.offset, storage, null, -1, null)
  own(made)
  return made
}

/** The value `x` under another name: on the same memory and at the same place of the open tapes that know it. */
export function alias(operation: string, x: Tensor): Tensor {
  if (isGone(x)) failDisposed(operation, x)
  let known: Tensor | null = x
  while (known !== null && !known.tape?.open) known = known.below
  if (known === null || known.tape === null) return constant(operation, x)
  const made = new Tensor(x.shape, x.size, x.offset, retain(x.storage), known.tape, known.slot, known.below)
  own(made, known.tape.scope)
  return made
}

/** The value `x` under another name that no tape knows, on the same memory. */
export function constant(operation: string, x: Tensor): Tensor {
  if (isGone(x)) failDisposed(operation, x)
  const made = new Tensor(x.shape, x.size, x.offset, retain(x.storage), null, -1, null)
  own(made)
  return made
}

/** The value `x` as it is known to `tape`, in slot `slot`; `below` is what the tapes around know of it. */
export function onTape(x: Tensor, tape: Tape, slot: number, below: Tensor | null): Tensor {
  if (isGone(x)) failDisposed('grad', x)
  const made = new Tensor(x.shape, x.size, x.offset, retain(x.storage), tape, slot, below)
  own(made, tape.scope)
  return made
}

/** A value of which only the shape is known, in slot `slot` of a tape that records without computing. */
export function abstractOn(tape: Tape, shape: Shape, slot: number): Tensor {
  const made = new Tensor(shape, sizeOf(shape), nowhere.offset, retain(nowhere), tape, slot, null)
  own(made, tape.scope)
  return made
}

/**
 * A number of a function that is being recorded: known when it runs, and until then a scalar of which only that is known.
 * Operations take it like any scalar; in a tree it is a number, so that it has no gradient.
 */
export class TracedNumber extends Tensor {}

/** A number of which nothing is known, in slot `slot` of a tape that records without computing. */
export function tracedNumberOn(tape: Tape, slot: number): TracedNumber {
  const made = new TracedNumber(noAxes, 1, nowhere.offset, retain(nowhere), tape, slot, null)
  own(made, tape.scope)
  return made
}

const noAxes: Shape = Object.freeze([])

/**
 * Whether a leaf of a tree is a tensor. A number that is an argument of a function being recorded is none, though operations
 * take it like a scalar.
 *
 * @example
 * t.isTensor(t.tensor(1)) // => true
 * t.isTensor(1) // => false
 */
export function isTensor(leaf: unknown): leaf is Tensor {
  return leaf instanceof Tensor && !(leaf instanceof TracedNumber)
}

/** Hands `x`, and what it rests on, to `scope`; null leaves it to the garbage collector. */
export function moveTo(x: Tensor, scope: Scope | null): void {
  move(x, scope)
  const below = x.below
  // Outwards only: a tape around may have taken what is below already, and outlives this scope.
  if (below !== null && below.owner !== null && (scope === null || below.owner.depth > scope.depth)) {
    moveTo(below, scope)
  }
}

/** A new tensor that holds a copy of `values`. */
export function fromValues(values: ArrayLike<number>, shape: Shape): Tensor {
  const made = allocateTensor(shape)
  heapFloats().set(values, made.offset / 4)
  return made
}

/**
 * A tensor of the given numbers: nested arrays, or flat values with a shape, or one number. The data is copied.
 *
 * @param data nested arrays | typed array or flat array where a shape is given | number
 * @param shape sizes of the axes; without it they are read off the nesting
 * @throws TypeError where there is something else than a number; RangeError where rows differ in length or the
 * count does not fit the shape
 * @example
 * t.tensor([[1, 2], [3, 4]]).shape // => [2, 2]
 * t.tensor(new Float32Array([1, 2, 3, 4]), [2, 2]).toArray() // => [[1, 2], [3, 4]]
 * t.tensor(7).item() // => 7
 */
export function tensor(
  data: NestedNumbers | Float32Array | Float64Array | Int32Array | Uint8Array,
  shape?: Shape,
): Tensor {
  const given = shape === undefined ? undefined : checkShape('tensor', shape)
  if (typeof data === 'number') return fromNested([data], given ?? [])
  if (ArrayBuffer.isView(data)) {
    if (data instanceof DataView || data instanceof BigInt64Array || data instanceof BigUint64Array) {
      failType('tensor', `data must be numbers, got ${kindOf(data)}`, 'convert to Float32Array first')
    }
    return fromNested(data, given ?? [data.length])
  }
  if (!Array.isArray(data)) {
    if (!(data instanceof Tensor)) failForeign('tensor', data)
    failType('tensor', `data must be a number, nested arrays or a Float32Array, got ${kindOf(data)}`)
  }
  const read = shapeOfNested(data)
  const values: number[] = []
  flatten(data, read, 0, values)
  return fromNested(values, given ?? read)
}

function fromNested(values: ArrayLike<number>, shape: Shape): Tensor {
  if (values.length !== sizeOf(shape)) {
    failRange(
      'tensor',
      `shape ${showShape(shape)} holds ${sizeOf(shape)} values, got ${values.length}`,
      'change the shape or the data',
    )
  }
  return fromValues(values, shape)
}

function shapeOfNested(data: unknown): number[] {
  const shape: number[] = []
  for (let inner = data; Array.isArray(inner); inner = inner[0]) {
    shape.push(inner.length)
    if (inner.length === 0) break
    if (shape.length > 32)
      failRange('tensor', 'arrays are nested more than 32 deep', 'does one contain itself?')
  }
  return shape
}

function flatten(data: unknown, shape: Shape, axis: number, values: number[]): void {
  if (axis === shape.length) {
    if (typeof data !== 'number')
      failType(
        'tensor',
        `every value must be a number, got ${kindOf(data)}`,
        'fill holes and convert strings first',
      )
    values.push(data)
    return
  }
  if (!Array.isArray(data) || data.length !== shape[axis]) {
    const got = Array.isArray(data) ? `${data.length} values` : kindOf(data)
    failRange(
      'tensor',
      `rows differ: axis ${axis} holds ${shape[axis]} values, got ${got}`,
      'make all rows equally long',
    )
  }
  for (let i = 0; i < data.length; i++) flatten(data[i], shape, axis + 1, values)
}
