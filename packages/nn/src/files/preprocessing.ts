import * as t from '@tapeflow/autodiff'
import { failFile } from './file-error.ts'

/** A number for all features, or one for each: the last axis of a sample. */
export type PerFeature = number | readonly number[]

/**
 * What is done to samples before a model sees them: (x - mean) / standardDeviation, or x scale + offset.
 */
export type Preprocessing =
  | { readonly mean: PerFeature; readonly standardDeviation: PerFeature }
  | { readonly scale: PerFeature; readonly offset: PerFeature }

/** Checks a preprocessing that a user or a file gave. */
export function checkPreprocessing(operation: string, given: unknown, inputShape: t.Shape): Preprocessing {
  const keys =
    typeof given === 'object' && given !== null ? Object.keys(given).sort().join(', ') : t.kindOf(given)
  if (keys !== 'mean, standardDeviation' && keys !== 'offset, scale') {
    failFile(
      operation,
      `the preprocessing must have mean and standardDeviation, or scale and offset, got ${keys}`,
      'pass a number for each, or an array of one for each feature',
    )
  }
  const features = inputShape[inputShape.length - 1]
  for (const [name, values] of Object.entries(given as { [name: string]: unknown })) {
    const list: readonly unknown[] = Array.isArray(values) ? values : [values]
    const isRight = (value: unknown): boolean =>
      typeof value === 'number' &&
      // As the float32 that it becomes.
      Number.isFinite(Math.fround(value)) &&
      (name !== 'standardDeviation' || Math.fround(value) > 0)
    if (!list.every(isRight) || (Array.isArray(values) && list.length !== features)) {
      failFile(
        operation,
        `the preprocessing's ${name} must be a finite float32${name === 'standardDeviation' ? ' above 0' : ''}, or ${features ?? 'no'} of them`,
        'a feature that never changes has a standard deviation of 0: pass 1 for it',
      )
    }
  }
  return given as Preprocessing
}

/** Samples as the model sees them. */
export function preprocess(x: t.Tensor, how: Preprocessing | null): t.Tensor {
  if (how === null) return x
  const numbers = (values: PerFeature): t.Tensor => {
    if (typeof values === 'number') return t.tensor(values)
    // A sample of one feature would be made one of all by broadcasting.
    if (x.shape[x.rank - 1] === values.length) return t.tensor([...values])
    return t.failRange(
      'loadModel',
      `the preprocessing is of ${values.length} features, got samples ${t.showShape(x.shape)}`,
      `pass [rows, …, ${values.length}]`,
    )
  }
  return t.scope(() =>
    'mean' in how
      ? t.div(t.sub(x, numbers(how.mean)), numbers(how.standardDeviation))
      : t.add(t.mul(x, numbers(how.scale)), numbers(how.offset)),
  )
}
