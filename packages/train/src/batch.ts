import { failRange, failType, kindOf, showShape, Tensor, tensor } from '@tapeflow/autodiff'
import { type Batch, livePull, type Pull, type Subscribable } from '@tapeflow/data'

/** What one step is made with: rows first; `weights` weighs the rows, where there are any. */
export interface TrainBatch {
  readonly x: Batch
  readonly y: Batch
  readonly weights?: Batch
}

/**
 * Where batches come from: a batched dataset. `length` is the number of batches, where it is known; `live` says that batches come
 * as they happen, so that none is read a second time.
 */
export interface BatchSource<B = TrainBatch> {
  readonly length?: number | undefined
  readonly live?: boolean | undefined
  iterate(epoch?: number): Pull<B>
}

/** Batches as a dataset or as an Observable. */
export type Batches<B = TrainBatch> = BatchSource<B> | Subscribable<B>

/** Batches to read: of an Observable what `fromObservable` makes of it, without the stages, which nobody asks for here. */
export function batchSourceOf<B>(data: Batches<B>): BatchSource<B> {
  return 'iterate' in data ? data : { live: true, iterate: () => livePull(data) }
}

/** A field of a batch as a tensor: a copy, unless it is one already, as where a step is recorded. */
export function tensorOf(field: Batch | Tensor): Tensor {
  return field instanceof Tensor ? field : tensor(field.values, field.shape)
}

/** How much a batch counts in a mean over batches: its rows, or the sum of their weights. */
export function weightOf({ x, weights }: TrainBatch): number {
  if (weights === undefined) return x.shape[0]!
  let sum = 0
  for (const weight of weights.values) sum += weight
  return sum
}

/**
 * Checks what a dataset gave for a batch.
 *
 * @throws TypeError unless it has x and y, and weights that are an array if any; RangeError unless both have the same number of rows, and at least one
 */
export function checkBatch(batch: TrainBatch, operation = 'fit'): void {
  checkField('x', batch?.x, operation)
  checkField('y', batch?.y, operation)
  if (batch.weights !== undefined) checkField('weights', batch.weights, operation)
  const x = batch.x.shape
  const y = batch.y.shape
  if (x.length === 0 || y.length === 0) {
    failRange(
      operation,
      `the data gives single rows, got x of shape ${showShape(x)} and y of shape ${showShape(y)}`,
      'add .batch(32)',
    )
  }
  if (x[0] !== y[0] || x[0] === 0) {
    failRange(
      operation,
      `x and y of a batch must have the same number of rows, at least 1, got ${showShape(x)} and ${showShape(y)}`,
      'make them equally long, or add .batch(32) where these are single rows',
    )
  }
}

/**
 * What is predicted from in a batch that a dataset gave: its `x`, or itself where it is a plain array.
 *
 * @throws TypeError where there is none; RangeError where it is a single row
 */
export function checkInput(
  batch: Batch | { readonly x: Batch; readonly y?: unknown },
  operation: string,
): Batch {
  const isAlone = typeof batch === 'object' && batch !== null && 'values' in batch
  const x = isAlone ? batch : batch?.x
  checkField('x', x, operation, ['x'])
  const isRow = !isAlone && isBatch(batch.y) && batch.y.shape.length === 0
  if (x.shape.length === 0 || isRow) {
    const got = `x of shape ${showShape(x.shape)}${isRow ? ' and y of shape []' : ''}`
    failRange(operation, `the data gives single rows, got ${got}`, 'add .batch(32)')
  }
  return x
}

function isBatch(field: unknown): field is Batch {
  return typeof field === 'object' && field !== null && 'shape' in field && 'values' in field
}

function checkField(
  name: string,
  field: unknown,
  operation: string,
  names: readonly string[] = ['x', 'y'],
): void {
  if (!isBatch(field)) {
    failType(
      operation,
      `a batch needs ${names.join(' and ')} with shape and values, ${name} is ${kindOf(field)}`,
      `map the data to { ${names.join(', ')} }`,
    )
  }
  if (field.values instanceof Float32Array) return
  failType(
    operation,
    `the values of a batch must be a Float32Array, ${name} has ${kindOf(field.values)}`,
    'convert them: Float32Array.from(values)',
  )
}
