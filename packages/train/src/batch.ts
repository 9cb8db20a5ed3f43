import { failRange, failType, kindOf, showShape, Tensor, tensor } from '@tapeflow/autodiff'
import type { Batch, Pull } from '@tapeflow/data'

/** What one step is made with: rows first; `weights` weighs the rows, where there are any. */
export interface TrainBatch {
  readonly x: Batch
  readonly y: Batch
  readonly weights?: Batch
}

/** Where batches come from: a batched dataset. `length` is the number of batches, where it is known. */
export interface BatchSource {
  readonly length?: number | undefined
  /** Whether it cannot be read again: a run that goes on takes what comes next. */
  readonly live?: boolean
  iterate(epoch?: number): Pull<TrainBatch>
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
  for (const { shape, values } of weights === undefined ? [x, y] : [x, y, weights]) {
    for (const size of shape) add(size)
    for (const word of words(values)) add(word)
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
 * @throws TypeError unless it has x and y, and weights that are an array if any; RangeError unless both have the same number of rows, and at least one
 */
export function checkBatch(batch: TrainBatch): void {
  checkField('x', batch?.x)
  checkField('y', batch?.y)
  if (batch.weights !== undefined) checkField('weights', batch.weights)
  const x = batch.x.shape
  const y = batch.y.shape
  if (x.length === 0 || y.length === 0) {
    failRange(
      'fit',
      `the data gives single rows, got x of shape ${showShape(x)} and y of shape ${showShape(y)}`,
      'add .batch(32)',
    )
  }
  if (x[0] !== y[0] || x[0] === 0) {
    failRange(
      'fit',
      `x and y of a batch must have the same number of rows, at least 1, got ${showShape(x)} and ${showShape(y)}`,
      'make them equally long, or add .batch(32) where these are single rows',
    )
  }
}

function checkField(name: string, field: unknown): void {
  if (typeof field !== 'object' || field === null || !('shape' in field) || !('values' in field)) {
    failType(
      'fit',
      `a batch needs x and y with shape and values, ${name} is ${kindOf(field)}`,
      'map the data to { x, y }',
    )
  }
  if (field.values instanceof Float32Array) return
  failType(
    'fit',
    `the values of a batch must be a Float32Array, ${name} has ${kindOf(field.values)}`,
    'convert them: Float32Array.from(values)',
  )
}
