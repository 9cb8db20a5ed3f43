import * as t from '@tapeflow/autodiff'
import { type Field, shapesOf } from './batch.ts'
import { failureOf } from './failure.ts'
import type { Copied } from './snapshots.ts'
import { shapesByPath } from './tree-shapes.ts'

/**
 * Weights and layer state to compute with: snapshots, as `await result(fit(…))` gives, or tensors. Tensors stay the caller's: they
 * are read where they lie, neither changed nor freed, and have to last as long as they are computed with.
 */
export interface ModelWeights<P, S> {
  readonly params: P | Copied<P>
  readonly state: S | Copied<S>
}

/** Weights as tensors. */
export interface HeldWeights<P, S> {
  readonly params: P
  readonly state: S
  /** Frees what was made of snapshots. */
  free(): void
}

/** What makes parameters and state of a kind. */
export interface Initializing<P, S> {
  init(key: t.Key, inputShape: never): { readonly params: P; readonly state: S }
}

/** Throws a TypeError unless there are parameters and state. */
export function checkWeights(operation: string, weights: unknown): void {
  const problem = 'weights must be { params, state }'
  const remedy = 'pass what await result(fit(…)) gives'
  if (typeof weights !== 'object' || weights === null)
    t.failType(operation, `${problem}, got ${t.kindOf(weights)}`, remedy)
  const missing = ['params', 'state'].filter((name) => Reflect.get(weights, name) === undefined)
  if (missing.length > 0)
    t.failType(operation, `${problem}, got ${t.kindOf(weights)} without ${missing.join(' and ')}`, remedy)
}

/**
 * Makes tensors of the snapshots, after it was seen that they fit the model: its parameters are drawn, and freed.
 *
 * @param x what it is applied to first
 * @throws RangeError where the model has other shapes or paths: names the first
 */
export function heldWeights<P, S>(
  operation: string,
  model: Initializing<P, S>,
  { params, state }: ModelWeights<P, S>,
  x: Field,
): HeldWeights<P, S> {
  const known = new Set(tensorsIn([params, state]))
  const held: unknown = t.scope(() => {
    const wanted = shapesOfModel(operation, model, x)
    const restored = t.fromSnapshot({ params, state })
    requireShapes(operation, shapesByPath(restored), wanted)
    return restored
  })
  const made = t.leaves(held).filter((x) => !known.has(x))
  return {
    // Seen above: tensors where the model's own are.
    ...(held as { params: P; state: S }),
    free: () => {
      for (const x of made) x.dispose()
    },
  }
}

type Shapes = Readonly<Record<string, string>>

function shapesOfModel<P, S>(operation: string, model: Initializing<P, S>, x: Field): Shapes {
  try {
    return t.scope(() => {
      // What the data has is what the model takes, or it says no.
      const { params, state } = model.init(t.key(0), shapesOf(x) as never)
      return shapesByPath({ params, state })
    })
  } catch (cause) {
    throw failureOf('batch 0', cause, operation)
  }
}

function requireShapes(operation: string, given: Shapes, wanted: Shapes): void {
  for (const path of new Set([...Object.keys(wanted), ...Object.keys(given)])) {
    const [got, want] = [given[path] ?? 'nothing', wanted[path] ?? 'nothing']
    if (got === want) continue
    const problem = `the weights have ${got} at '${path}', the model has ${want}`
    t.failRange(operation, problem, 'pass weights of this model')
  }
}

function tensorsIn(tree: unknown): t.Tensor[] {
  if (tree instanceof t.Tensor) return [tree]
  return typeof tree === 'object' && tree !== null && !ArrayBuffer.isView(tree)
    ? Object.values(tree).flatMap(tensorsIn)
    : []
}
