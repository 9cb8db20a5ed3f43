import { failRange, failType, kindOf, type Shape, showShape, Tensor, tensor } from '@tapeflow/autodiff'
import { type Batch, livePull, type Pull, type Subscribable } from '@tapeflow/data'
import type { Values } from './objective.ts'

/** Numbers of a batch: one array, or several by name, for models of several inputs or outputs. */
export type Field = Batch | { readonly [name: string]: Batch }

/** What one step is made with: rows first; `weights` weighs the rows, where there are any. */
export interface TrainBatch<F extends Field = Field> {
  readonly x: F
  readonly y: F
  readonly weights?: Batch
}

/** Where batches come from: a batched dataset. `length` is the number of batches, where it is known. */
export interface BatchSource<B = TrainBatch> {
  readonly length?: number | undefined
  /** Whether it cannot be read again: a run that goes on takes what comes next. */
  readonly live?: boolean | undefined
  iterate(epoch?: number): Pull<B>
}

/** Batches as a dataset, or as an Observable. */
export type Batches<B = TrainBatch> = BatchSource<B> | Subscribable<B>

/** Batches to read: of an Observable what `fromObservable` makes of it, without the stages, which nobody asks for here. */
export function batchSourceOf<B>(data: Batches<B>): BatchSource<B> {
  return 'iterate' in data ? data : { live: true, iterate: () => livePull(data) }
}

/** The arrays of a field, under their names; under '' where there is one. */
function arraysOf(field: Field): readonly (readonly [name: string, array: Batch])[] {
  return isArray(field)
    ? [['', field]]
    : Object.keys(field)
        .sort()
        .map((name) => [name, field[name]!])
}

/** Whether a field is one array. */
export function isArray(field: Field | { readonly [name: string]: Tensor }): field is Batch {
  return ArrayBuffer.isView(field['values'])
}

/** A field of a batch as tensors: copies, unless they are tensors already, as where a step is recorded. */
export function tensorsOf(field: Field | Values): Values {
  if (field instanceof Tensor) return field
  if (isArray(field)) return tensor(field.values, field.shape)
  const made: Record<string, Tensor> = {}
  for (const [name, one] of Object.entries(field)) {
    made[name] = one instanceof Tensor ? one : tensor(one.values, one.shape)
  }
  return made
}

/** The shape of one sample, for each array of a field. */
export function shapesOf(field: Field): Shape | { readonly [name: string]: Shape } {
  if (isArray(field)) return field.shape.slice(1)
  return Object.fromEntries(arraysOf(field).map(([name, { shape }]) => [name, shape.slice(1)]))
}

/** How many rows a batch has. */
export function rowsOf({ x }: Pick<TrainBatch, 'x'>): number {
  return isArray(x) ? x.shape[0]! : arraysOf(x)[0]![1].shape[0]!
}

/** How much a batch counts in a mean over batches: its rows, or the sum of their weights. */
export function weightOf(batch: TrainBatch): number {
  const { weights } = batch
  if (weights === undefined) return rowsOf(batch)
  let sum = 0
  for (const weight of weights.values) sum += weight
  return sum
}

/**
 * A number that tells batches apart: equal ones have the same, others another but for one in 2^32 (FNV-1a over the bits).
 *
 * @example
 * const column = { shape: [1, 1], values: Float32Array.of(0) }
 * const zero = digestOf({ x: column, y: column })
 * digestOf({ x: column, y: { shape: [1, 1], values: Float32Array.of(-0) } }) === zero // => false
 */
export function digestOf({ x, y, weights }: TrainBatch): number {
  let hash = 0x811c9dc5
  const add = (word: number): void => {
    hash = Math.imul(hash ^ word, 0x01000193)
  }
  for (const field of weights === undefined ? [x, y] : [x, y, weights]) {
    for (const [, { shape, values }] of arraysOf(field)) {
      for (const size of shape) add(size)
      for (const word of words(values)) add(word)
    }
  }
  return hash >>> 0
}

// A view of another array may begin where no word does.
function words({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length)
}

/**
 * Checks what a dataset gave for a batch.
 *
 * @throws TypeError unless it has x and y, and weights that are an array if any; RangeError unless all have the same number of rows, and at least one
 */
export function checkBatch(batch: TrainBatch, operation = 'fit'): void {
  if (!isUsual(batch)) checkFields(batch, operation)
}

function checkFields(batch: TrainBatch, operation: string): void {
  const wanted = ['x', 'y']
  const arrays = [
    ...checkField('x', batch?.x, operation, wanted),
    ...checkField('y', batch?.y, operation, wanted),
  ]
  if (batch.weights !== undefined) checkArray('weights', batch.weights, operation, wanted)
  checkRows(arrays, operation)
}

/**
 * What is predicted from in a batch that a dataset gave: its `x`, or itself where it is a plain array.
 *
 * @throws TypeError where there is none; RangeError where it is a single row, or arrays have different numbers of rows
 */
export function checkInput(
  batch: Batch | { readonly x: Field; readonly y?: unknown },
  operation: string,
): Field {
  const isAlone = isObject(batch) && 'values' in batch
  const x = isAlone ? batch : batch?.x
  const arrays = checkField('x', x, operation, ['x'])
  // Its rows are not looked at, but of single rows it is the sign.
  const y =
    isAlone || !isObject(batch.y) || !('shape' in batch.y) ? [] : checkField('y', batch.y, operation, ['x'])
  checkRows([...arrays, ...y.filter(([, { shape }]) => shape.length === 0)], operation)
  return x
}

type Named = readonly [name: string, array: Batch]

function checkRows(arrays: readonly Named[], operation: string): void {
  const [first] = arrays
  const single = arrays.find(([, { shape }]) => shape.length === 0)
  if (single !== undefined) {
    const shapes = [...new Set([first!, arrays.at(-1)!])].map(
      ([name, { shape }]) => `${name} of shape ${showShape(shape)}`,
    )
    failRange(operation, `the data gives single rows, got ${shapes.join(' and ')}`, 'add .batch(32)')
  }
  const rows = first![1].shape[0]!
  const other = arrays.find(([, { shape }]) => shape[0] !== rows || rows === 0)
  if (other === undefined) return
  const [one, two] = [first!, other === first ? arrays.at(-1)! : other]
  failRange(
    operation,
    `${one[0]} and ${two[0]} of a batch must have the same number of rows, at least 1, got ${showShape(one[1].shape)} and ${showShape(two[1].shape)}`,
    'make them equally long, or add .batch(32) where these are single rows',
  )
}

/** Whether a batch is as most are: one array in, one out, of as many rows. Asked at every step, so without garbage. */
function isUsual(batch: TrainBatch): boolean {
  const x = batch?.x
  const y = batch?.y
  if (!isRows(x) || !isRows(y) || batch.weights !== undefined) return false
  return x.shape[0] === y.shape[0] && x.shape[0] !== 0
}

function isRows(field: unknown): field is Batch {
  if (typeof field !== 'object' || field === null || !('values' in field) || !('shape' in field)) return false
  return field.values instanceof Float32Array && Array.isArray(field.shape) && field.shape.length > 0
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** @param wanted the names of what a batch needs, for the error */
function checkField(
  name: string,
  field: unknown,
  operation: string,
  wanted: readonly string[],
): readonly Named[] {
  const isRecord = isObject(field) && !ArrayBuffer.isView(field) && !('shape' in field)
  if (!isRecord) return [[name, checkArray(name, field, operation, wanted)]]
  const arrays = Object.entries(field).map(([key, array]): Named => {
    return [`${name}.${key}`, checkArray(`${name}.${key}`, array, operation, wanted)]
  })
  if (arrays.length === 0) checkArray(name, field, operation, wanted)
  return arrays
}

function checkArray(name: string, field: unknown, operation: string, wanted: readonly string[]): Batch {
  if (!isObject(field) || !('shape' in field) || !('values' in field)) {
    return failType(
      operation,
      `a batch needs ${wanted.join(' and ')} with shape and values, ${name} is ${kindOf(field)}`,
      `map the data to { ${wanted.join(', ')} }`,
    )
  }
  if (!Array.isArray(field.shape)) {
    failType(
      'fit',
      `the shape of a batch must be an array, ${name} has ${kindOf(field.shape)}`,
      'pass [rows, …]',
    )
  }
  if (field.values instanceof Float32Array) return field as Batch
  return failType(
    operation,
    `the values of a batch must be a Float32Array, ${name} has ${kindOf(field.values)}`,
    'convert them: Float32Array.from(values)',
  )
}

/** Throws a RangeError for data that never ends, where it is read to its end. */
export function requireEnd(operation: string, what: string, { length }: Pick<BatchSource, 'length'>): void {
  if (length !== Number.POSITIVE_INFINITY) return
  failRange(operation, `${what} is read to its end, got data that has none`, 'take a number of batches of it')
}
