import * as t from '@tapeflow/autodiff'
import type { Context } from '@tapeflow/nn'
import type { Hyper } from '@tapeflow/optim'
import type { Values } from './objective.ts'
import type { Carry } from './step.ts'
import { shapesByPath } from './tree-shapes.ts'

/**
 * A batch where the step computes.
 *
 * @typeParam X what there is of inputs: one tensor, or several by name
 * @typeParam Y what there is of targets
 */
export interface BatchTensors<X = t.Tensor, Y = t.Tensor> {
  readonly x: X
  readonly y: Y
  readonly weights: t.Tensor | undefined
}

/** What a training step is told beside carry and batch. */
export interface StepContext extends Context {
  readonly training: true
  /** Of this step alone: the run's key of steps, folded with the step's number. */
  readonly key: t.Key
  /** The numbers of this update, from the optimizer's `hyper`: to be handed to its `update`. */
  readonly hyper: Hyper
}

/** What a training step gives: the next carry, and what events tell of it. */
export interface TrainStepResult<P, S> extends Carry<P, S> {
  /** A scalar. */
  readonly loss: t.Tensor
  /** Scalars by name that make up the loss, or stand beside it. */
  readonly losses?: Readonly<Record<string, t.Tensor>>
  /** What metrics measure: needed where there are any. */
  readonly prediction?: Values
  /** A tree like the parameters: needed where they are watched. */
  readonly gradients?: P
}

/**
 * One optimizer step, in the place of the usual forward pass, loss and update: a pure function, which is recorded and
 * compiled as they are.
 *
 * @typeParam B the batch: `BatchTensors<{ left: Tensor, right: Tensor }>` for a model of two inputs
 * @example
 * const model = linear(1, 1)
 * const optimizer = sgd({ learningRate: 0.1 })
 * const trainStep = ({ params, state, slots }, { x, y }, { hyper, ...context }) => {
 *   const { value, gradients } = t.valueAndGrad((at) => mse()(model.apply(at, state, x, context).y, y))(params)
 *   return { ...optimizer.update(gradients, slots, params, hyper), state, loss: value }
 * }
 * const data = dataset({ x: { shape: [2, 1], values: Float32Array.of(1, 2) }, y: { shape: [2, 1], values: Float32Array.of(2, 4) } })
 * const { history } = await result(fit(model, { data: data.batch(2), optimizer, trainStep, epochs: 100 }))
 * history.at(-1).loss < 0.1 // => true
 */
export type TrainStep<P, S, B = BatchTensors> = (
  carry: Carry<P, S>,
  batch: B,
  context: StepContext,
) => TrainStepResult<P, S>

/**
 * Checks what a training step gave.
 *
 * @param carry what it was given: the next one must be like it
 * @throws TypeError where something is missing, RangeError where a tree is another: names the path
 */
export function checkStepped<P, S>(
  made: TrainStepResult<P, S>,
  carry: Carry<P, S>,
  needs: { readonly prediction: boolean; readonly gradients: boolean },
): void {
  const isLate = made instanceof Promise
  // What becomes of it is nobody's any more, and must not end the process.
  if (isLate) made.catch(() => {})
  if (typeof made !== 'object' || made === null || isLate) {
    t.failType(
      'trainStep',
      `must return { params, state, slots, loss }, got ${t.kindOf(made)}`,
      'it must not be async',
    )
  }
  requireScalar('a loss', made.loss)
  for (const [name, one] of Object.entries(made.losses ?? {})) requireScalar(`losses.${name}`, one)
  for (const name of ['params', 'state', 'slots'] as const) requireLike(name, carry[name], made[name])
  if (needs.gradients) {
    if (made.gradients === undefined)
      t.failType('trainStep', 'gradients are watched, but it returned none', 'return { gradients }')
    requireLike('gradients', carry.params, made.gradients)
  }
  if (needs.prediction && made.prediction === undefined) {
    t.failType('trainStep', 'there are metrics, but it returned no prediction', 'return { prediction }')
  }
}

function requireScalar(what: string, made: unknown): void {
  if (made instanceof t.Tensor && made.size === 1) return
  const got = made instanceof t.Tensor ? `shape ${t.showShape(made.shape)}` : t.kindOf(made)
  t.failType('trainStep', `must return ${what} of one number, got ${got}`, 'return a tensor')
}

function requireLike(name: string, wanted: unknown, found: unknown): void {
  const [shapes, others] = [shapesByPath(wanted), shapesByPath(found)]
  for (const path of new Set([...Object.keys(shapes), ...Object.keys(others)])) {
    if (shapes[path] === others[path]) continue
    const [got, needed] = [others[path] ?? 'nothing', shapes[path] ?? 'nothing']
    t.failRange(
      'trainStep',
      `must return ${name} like those it was given: ${needed} at '${path}', got ${got}`,
    )
  }
}
