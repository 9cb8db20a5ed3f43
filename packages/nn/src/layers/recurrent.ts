import * as t from '@tapeflow/autodiff'
import { checkCount } from '../counts.ts'
import { drawParameter } from '../initializers/draw-parameter.ts'
import type { Initializer } from '../initializers/initializer.ts'
import { type Applied, at, type ConfigValue, type Context, type Layer } from '../layer.ts'
import { checkTensor } from '../targets.ts'
import type { NamedActivations } from './named-activation.ts'

/** Activations that a file can name. */
export const recurrentActivations: NamedActivations = { tanh: t.tanh, relu: t.relu }

/** What a recurrent layer carries from step to step: `[rows, units]`. */
export type HiddenState = { readonly hidden: t.Tensor }

/** The state of a recurrent layer: what it carries where it keeps it between calls, else null. */
export type KeptState<Rows extends number | undefined, Carry> = Rows extends number ? Carry : null

/** How a recurrent layer reads, and how it starts. */
export interface RecurrentOptions<Rows extends number | undefined = number | undefined> {
  /** Whether the output of every step comes out; of the last step alone by default. */
  readonly returnSequences?: boolean
  /** Whether it reads from the last step to the first; off by default. */
  readonly reverse?: boolean
  /** Steps whose features all equal this number are padding; there is none by default. */
  readonly paddingValue?: number
  /** How many rows a batch has: with it each call goes on where the last one ended. Not kept by default. */
  readonly statefulRows?: Rows
  /** Draws the weight of the input; `glorotUniform` by default. */
  readonly weight?: Initializer
  /** Draws the weight of the hidden state; `orthogonal()` by default, all gates as one matrix, like Keras. */
  readonly recurrentWeight?: Initializer
  /** Draws biases; `zeros` by default. */
  readonly bias?: Initializer
}

/** A layer that reads sequences step by step: `[rows, steps, features]` -> `[rows, units]` or `[rows, steps, units]`. */
export interface RecurrentLayer<P, S, In extends number = number, Out extends number = number>
  extends Layer<P, S, In, Out> {
  /** Whether the output of every step comes out. */
  readonly returnSequences: boolean
  /** Whether it reads from the last step to the first. */
  readonly reverse: boolean
  /** Of how many rows it keeps the state between calls; undefined where it keeps none. */
  readonly statefulRows: number | undefined
  /**
   * As of any layer, with one argument more.
   *
   * @param mask `[rows, steps]`, 0 where a step is padding: it changes nothing, whatever stands there, and its output is 0.
   * In its absence `paddingValue` decides
   */
  apply(params: P, state: S, x: t.Tensor, ctx: Context, mask?: t.Tensor): Applied<S>
  /** The same layer, reading the other way. */
  reversed(): RecurrentLayer<P, S, In, Out>
}

/** What one kind of recurrent layer does at a step. */
export interface Cell<P, C extends HiddenState> {
  readonly name: string
  readonly inSize: number
  readonly outSize: number
  /** What a file says of it beside all that recurrent layers have; null where a function of the user's makes the state. */
  readonly config: { readonly [option: string]: ConfigValue } | null
  /** Draws parameters. */
  draw(key: t.Key): P
  /** What is carried before the first step. */
  begin(rows: number): C
  /** What all steps' inputs come to before there is a hidden state: `[steps, rows, features]` -> `[steps, rows, …]`. */
  project(params: P, x: t.Tensor): t.Tensor
  /** One step: what is carried, and the projected input of this step, to what is carried on. */
  step(params: P, carry: C, projected: t.Tensor): C
}

/** The recurrent layer of a cell: `scan` over the steps, with padding passed over and the state kept where it is asked for. */
export function recurrent<P, C extends HiddenState>(
  cell: Cell<P, C>,
  options: RecurrentOptions,
): RecurrentLayer<P, C | null> {
  const { name, inSize, outSize } = cell
  const { returnSequences = false, reverse = false, paddingValue, statefulRows } = options
  checkCount(name, 'features', inSize)
  checkCount(name, 'units', outSize)
  if (statefulRows !== undefined && !(Number.isInteger(statefulRows) && statefulRows >= 1)) {
    const problem = `statefulRows must be an integer from 1 on, got ${statefulRows}`
    t.failRange(name, problem, 'count the rows of a batch')
  }
  if (paddingValue !== undefined && !Number.isFinite(paddingValue))
    t.failRange(name, `paddingValue must be a finite number, got ${paddingValue}`)
  return {
    name: `${name} ${inSize} -> ${outSize}`,
    ...(cell.config !== null && {
      config: {
        type: name,
        inSize,
        outSize,
        returnSequences,
        reverse,
        paddingValue,
        statefulRows,
        ...cell.config,
      },
    }),
    inputSize: inSize,
    returnSequences,
    reverse,
    statefulRows,
    init: (key, inputShape) => {
      if (inputShape.length !== 2 || inputShape[1] !== inSize) {
        const problem = `the layer takes sequences of ${inSize} features, got samples of shape ${t.showShape(inputShape)}`
        t.failRange(
          name,
          problem,
          `pass [steps, ${inSize}]; a recurrent layer before it needs returnSequences`,
        )
      }
      return {
        params: cell.draw(key),
        state: statefulRows === undefined ? null : cell.begin(statefulRows),
        outputShape: returnSequences ? [inputShape[0]!, outSize] : [outSize],
      }
    },
    apply: (params, state, x, ctx, mask) => {
      checkInput(cell, x, ctx)
      const rows = x.shape[0]!
      if (statefulRows !== undefined && rows !== statefulRows) {
        const problem = `the layer${at(ctx)} keeps the state of ${statefulRows} rows, got an input of shape ${t.showShape(x.shape)}`
        t.failRange(name, problem, 'pass batches of as many rows')
      }
      if (mask !== undefined) checkMask(name, mask, x, ctx)
      return t.scope(() => {
        const isTrue = mask ?? (paddingValue === undefined ? undefined : isNot(x, paddingValue))
        const steps = t.swapAxes(isTrue === undefined ? x : withoutPadding(x, isTrue), 0, 1)
        const xs = {
          projected: cell.project(params, steps),
          isTrue: isTrue === undefined ? null : t.expandDims(t.swapAxes(isTrue, 0, 1), -1),
        }
        const body = (carry: C, { projected, isTrue }: typeof xs): { carry: C; y: t.Tensor | null } => {
          const made = cell.step(params, carry, projected)
          const next = isTrue === null ? made : chosen(isTrue, made, carry)
          if (!returnSequences) return { carry: next, y: null }
          return { carry: next, y: isTrue === null ? next.hidden : t.where(isTrue, next.hidden, 0) }
        }
        const { carry, ys } = t.scan(body, state ?? cell.begin(rows), xs, { reverse })
        // Another tensor than that in the state: who disposes of one keeps the other.
        const y = ys === null ? t.reshape(carry.hidden, [rows, outSize]) : t.swapAxes(ys, 0, 1)
        return { y, state: statefulRows === undefined ? state : carry }
      })
    },
    reversed: () => recurrent(cell, { ...options, reverse: !reverse }),
  }
}

/** Draws a parameter: fans are its first and its last size. */
export function drawn(
  operation: string,
  key: t.Key,
  name: string,
  initializer: Initializer,
  shape: t.Shape,
): t.Tensor {
  return drawParameter(operation, key, name, initializer, shape, [shape[0]!, shape[shape.length - 1]!])
}

/** Checks an activation. */
export function checkActivation(operation: string, f: unknown): void {
  if (typeof f !== 'function')
    t.failType(operation, `the activation must be a function, got ${t.kindOf(f)}`, 'pass t.tanh or t.relu')
}

// As a product NaN would stay: what stands in padding must not even be multiplied by 0 on the way back.
function withoutPadding(x: t.Tensor, isTrue: t.Tensor): t.Tensor {
  return t.where(t.expandDims(isTrue, -1), x, 0)
}

function isNot(x: t.Tensor, paddingValue: number): t.Tensor {
  return t.any(t.notEqual(x, paddingValue), { axis: -1 })
}

function chosen<C extends HiddenState>(isTrue: t.Tensor, made: C, carry: C): C {
  const pick = (next: t.Tensor, kept: t.Tensor): t.Tensor => t.where(isTrue, next, kept)
  return t.zipTensors<C>([made, carry], pick) as C
}

function checkInput(
  { name, inSize }: Pick<Cell<unknown, HiddenState>, 'name' | 'inSize'>,
  x: t.Tensor,
  ctx: Context,
): void {
  if (x.rank === 3 && x.shape[2] === inSize) return
  const taken = `takes batches of sequences of ${inSize} features`
  const problem = `the layer${at(ctx)} ${taken}, got an input of shape ${t.showShape(x.shape)}`
  t.failRange(name, problem, `pass [rows, steps, ${inSize}]`)
}

function checkMask(name: string, mask: t.Tensor, x: t.Tensor, ctx: Context): void {
  checkTensor(name, 'mask', mask)
  const wanted = x.shape.slice(0, 2)
  if (t.sameShape(mask.shape, wanted)) return
  const problem = `the mask of the layer${at(ctx)} must have shape ${t.showShape(wanted)}, got ${t.showShape(mask.shape)}`
  t.failRange(name, problem, 'pass 1 for each true step and 0 for padding')
}
