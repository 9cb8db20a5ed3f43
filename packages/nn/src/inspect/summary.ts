import * as t from '@tapeflow/autodiff'
import { nameOf, type Tap, type TreeModel } from '../layer.ts'
import { rowsOfState } from './rows-of-state.ts'
import { summaryTable } from './summary-table.ts'

/** A layer in a summary. */
export interface SummaryRow {
  /** Where it stands: `layers.0`; empty for the model itself. */
  readonly path: string
  /** The words for it: `linear 784 -> 128`; empty where a layer does not say. */
  readonly name: string
  /** Of one sample. Several, where a model has several outputs. */
  readonly outputShapes: readonly t.Shape[]
  /** How many numbers it holds: parameters and state, those of layers inside of it left out, which have rows of their own. */
  readonly parameters: number
  /** How many of them are trained: not what is frozen, and no state. */
  readonly trainable: number
}

/** What a model consists of. */
export interface Summary {
  /** In the order in which outputs are made: inner layers before the one that they are in. */
  readonly rows: readonly SummaryRow[]
  readonly parameters: number
  readonly trainable: number
  /** State, such as moving averages, and what is frozen. */
  readonly notTrainable: number
  /** The table. */
  toString(): string
}

/**
 * The layers of a model, with the shape that each gives and how many numbers it holds: as a table by `String(…)`, and as rows.
 *
 * A layer is a row where it is handed to `ctx.tap`: those in combinators, and the model itself where it holds parameters of
 * its own or there is nothing else. A tensor counts where it is first used: a layer that is used twice has two rows, the second
 * with 0. The model runs once, at inference, on values that are only shapes; its parameters are drawn, and freed.
 *
 * @param model a layer, or a model of several inputs
 * @param inputShape of one sample, `[784]`; for a model of several inputs one for each
 * @throws RangeError where the model does not take that shape
 * @example
 * const found = summary(sequential(linear(784, 128), relu(), linear(128, 10)), [784])
 * found.rows.map(({ path, name, outputShapes, parameters }) => [path, name, outputShapes, parameters])
 * // => [['layers.0', 'linear 784 -> 128', [[128]], 100480], ['layers.1', 'relu', [[128]], 0], ['layers.2', 'linear 128 -> 10', [[10]], 1290]]
 * found.trainable // => 784 * 128 + 128 + 128 * 10 + 10
 * String(found).split('\n')[2] // => 'layers.0  linear 784 -> 128  [128]            100,480    100,480'
 */
export function summary<P, S, X, Y>(
  model: TreeModel<P, S, X, Y>,
  inputShape: t.Replaced<X, t.Shape>,
): Summary {
  return t.scope(() => {
    const { params, state } = model.init(t.key(0), inputShape)
    const count = counter(params, state)
    const rows: SummaryRow[] = []
    const tap: Tap = (path, x, from) => {
      const held = from === undefined ? count.below(path) : count.of([from.params, from.state])
      rows.push({ path, name: from?.layer.name ?? '', outputShapes: [x.shape.slice(1)], ...held })
    }
    const pass = (x: X): Y => model.apply(params, state, x, { training: false, path: '', tap }).y
    const shapes = withRows(inputShape, rowsOfState(state)) as t.Replaced<X, t.Shape>
    const output = t.evalShape<[X], Y>(pass, shapes)
    const rest = count.of([params, state])
    if (rows.length === 0 || rest.parameters > 0)
      rows.push({
        path: '',
        name: nameOf(model),
        outputShapes: shapesIn(output).map((shape) => shape.slice(1)),
        ...rest,
      })
    const parameters = rows.reduce((sum, row) => sum + row.parameters, 0)
    const trainable = rows.reduce((sum, row) => sum + row.trainable, 0)
    const found = { rows, parameters, trainable, notTrainable: parameters - trainable }
    return { ...found, toString: () => summaryTable(found) }
  })
}

type Held = Pick<SummaryRow, 'parameters' | 'trainable'>

/** Counts each tensor once. */
function counter(params: unknown, state: unknown): { of(tree: unknown): Held; below(path: string): Held } {
  const trained = new Set(t.leaves(params))
  const known = new Set([...trained, ...t.leaves(state)])
  const counted = (leaves: readonly t.Tensor[]): Held => {
    let [parameters, trainable] = [0, 0]
    for (const x of leaves) {
      if (!known.delete(x)) continue
      parameters += x.size
      if (trained.has(x)) trainable += x.size
    }
    return { parameters, trainable }
  }
  const places = [params, state].flatMap((tree) => {
    const leaves = t.leaves(tree)
    return t.paths(tree).map((path, i) => ({ path, x: leaves[i]! }))
  })
  return {
    of: (tree) => counted(t.leaves(tree)),
    below: (path) => counted(places.filter((leaf) => leaf.path.startsWith(`${path}.`)).map(({ x }) => x)),
  }
}

function withRows(shapes: unknown, rows: number): unknown {
  if (isShape(shapes)) return [rows, ...shapes]
  if (Array.isArray(shapes)) return shapes.map((inner) => withRows(inner, rows))
  if (typeof shapes !== 'object' || shapes === null) return shapes
  return Object.fromEntries(Object.entries(shapes).map(([key, inner]) => [key, withRows(inner, rows)]))
}

function shapesIn(shapes: unknown): t.Shape[] {
  if (isShape(shapes)) return [shapes]
  return typeof shapes === 'object' && shapes !== null ? Object.values(shapes).flatMap(shapesIn) : []
}

function isShape(value: unknown): value is t.Shape {
  return Array.isArray(value) && value.every((size) => typeof size === 'number')
}
