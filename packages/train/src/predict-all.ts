import * as t from '@tapeflow/autodiff'
import { map, toArray } from 'rxjs'
import { batchSourceOf, requireEnd } from './batch.ts'
import type { ModelWeights } from './model-weights.ts'
import { checkSignal, type PassOptions, passChecks, promised } from './passes.ts'
import { type Input, type PredictingModel, type PredictOptions, predictions } from './predict.ts'
import { failEmpty } from './reading.ts'
import type { Copied } from './snapshots.ts'

/** What `predictAll` takes beside model and weights: `data`. */
export interface PredictAllOptions<B extends Input = Input>
  extends PassOptions,
    Pick<PredictOptions<B>, 'data'> {
  /** Gives up when it aborts: the promise rejects with its reason. */
  readonly signal?: AbortSignal
}

const predictAllChecks = { ...passChecks, signal: checkSignal }

/**
 * What a model says to all rows of data, in one array: the predictions of `predict`, batch below batch.
 *
 * @param model as for `predict`
 * @param weights as for `predict`
 * @param options those of `predict`, and `signal`
 * @returns a promise of `{ shape, values }` in the place of each tensor that the model gives, with all rows first. It rejects as
 * `predict` fails, with a RangeError where the data is empty or without an end, or where predictions cannot be put below each other, and with the
 * reason of `signal`
 * @example
 * const weights = { params: { weight: t.tensor([[2]]), bias: t.tensor([1]) }, state: null }
 * const data = dataset({ x: { shape: [3, 1], values: Float32Array.of(1, 2, 3) } })
 * const predicted = await predictAll(linear(1, 1), weights, { data: data.batch(2) })
 * predicted // => { shape: [3, 1], values: new Float32Array([3, 5, 7]) }
 */
export function predictAll<P, S, Y, B extends Input>(
  model: PredictingModel<P, S, Y>,
  weights: NoInfer<ModelWeights<P, S>>,
  options: PredictAllOptions<B>,
): Promise<Copied<Y>> {
  return new Promise((resolve) => {
    const predictions$ = predictions('predictAll', predictAllChecks, model, weights, options)
    requireEnd('predictAll', 'data', batchSourceOf(options.data))
    const joined$ = predictions$.pipe(
      map(({ prediction, rows }) => ({ prediction, rows })),
      toArray(),
      map((parts) => {
        if (parts.length === 0) failEmpty('data', 'predictAll')
        const joined = below(
          parts.map(({ prediction }) => prediction),
          parts.map(({ rows }) => rows),
          '',
        )
        // Of the same structure as each of them.
        return joined as Copied<Y>
      }),
    )
    resolve(promised(joined$, options.signal))
  })
}

/** Trees of one structure, each array of one below that of the other. */
function below(trees: readonly unknown[], rows: readonly number[], path: string): unknown {
  const [first] = trees
  if (trees.every(isSnapshot)) return stacked(trees, rows, path)
  if (typeof first !== 'object' || first === null || first instanceof t.Key) return first
  const within = (key: string): unknown =>
    below(
      trees.map((tree) => (tree as Record<string, unknown>)[key]),
      rows,
      path === '' ? key : `${path}.${key}`,
    )
  if (Array.isArray(first)) return first.map((_, i) => within(`${i}`))
  return Object.fromEntries(Object.keys(first).map((key) => [key, within(key)]))
}

function stacked(parts: readonly t.Snapshot[], rows: readonly number[], path: string): t.Snapshot {
  const row = parts[0]!.shape.slice(1)
  const at = path === '' ? '' : ` at '${path}'`
  parts.forEach(({ shape }, batch) => {
    if (shape[0] === rows[batch] && t.sameShape(shape.slice(1), row)) return
    const wanted = t.showShape([rows[batch]!, ...row])
    const problem = `predictions${at} must have the shape ${wanted} in batch ${batch}, got ${t.showShape(shape)}`
    t.failRange('predictAll', problem, 'take them one by one from predict')
  })
  const all = rows.reduce((sum, count) => sum + count, 0)
  const values = new Float32Array(all * t.sizeOf(row))
  let offset = 0
  for (const part of parts) {
    values.set(part.values, offset)
    offset += part.values.length
  }
  return { shape: [all, ...row], values }
}

function isSnapshot(tree: unknown): tree is t.Snapshot {
  return typeof tree === 'object' && tree !== null && 'values' in tree && tree.values instanceof Float32Array
}
