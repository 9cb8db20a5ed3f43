import * as t from '@tapeflow/autodiff'
import type { Constrainer, Context, Layer, Regularizer, TreeModel } from '@tapeflow/nn'
import type { Hyper, Optimizer, Slots } from '@tapeflow/optim'
import { type Field, isArray, shapesOf, tensorsOf } from './batch.ts'
import { failureOf } from './failure.ts'
import type { OutputMetric } from './metric-list.ts'
import { type Judge, judge, type Objective, unjudged, type Values } from './objective.ts'
import type { Shown } from './showing.ts'
import { checkStepped, type BatchTensors as OfBatch, type StepContext, type TrainStep } from './train-step.ts'
import { requireMatches, type Watch } from './watch.ts'

type BatchTensors = OfBatch<Values, Values>

/** What a step takes from the one before: all that it depends on, beside the batch and the key. */
export interface Carry<P, S> {
  readonly params: P
  readonly state: S
  readonly slots: Slots<string, P>
}

/** A model: anything with a layer's two functions. */
export type Model<P, S> = Pick<Layer<P, S>, 'init' | 'apply'>

/** A model on several tensors, by name: several inputs, or several outputs. */
export type NamedModel<P, S> = Pick<TreeModel<P, S, never, unknown>, 'init' | 'apply'>

/** What a model is trained with. */
export interface Recipe<P, S> {
  readonly model: Model<P, S> | NamedModel<P, S>
  /** Undefined where a training step of its own makes it needless, or metrics alone are asked for. */
  readonly loss: Objective | undefined
  readonly trainStep: TrainStep<P, S, BatchTensors> | undefined
  readonly optimizer: Optimizer<string>
  readonly metrics: readonly OutputMetric[]
  readonly watch: Watch
  readonly regularizers: Regularizer | undefined
  readonly constraints: Constrainer | undefined
}

/** What a forward pass leaves to be read on the host. */
export interface Passed {
  readonly loss: t.Tensor
  /** Each of several losses; null where there is one. */
  readonly losses: Readonly<Record<string, t.Tensor>> | null
  /** What metrics read; null where there are none. */
  readonly measured: {
    readonly prediction: Values
    readonly target: Values
    readonly weights: t.Tensor | undefined
  } | null
}

/** What a step makes: the next carry, what its event shows, and what is read. */
export interface Stepped<P, S> extends Shown<P, S>, Passed {
  readonly carry: Carry<P, S>
  /** What weights cost beside the loss; null where nothing was asked of them. */
  readonly penalty: t.Tensor | null
}

/** A batch as it came, or, where a step is recorded, as tensors. */
interface Given {
  readonly x: Field | Values
  readonly y: Field | Values
  readonly weights: Field | t.Tensor | undefined
}

/** What a step is made with, beside the carry. */
export interface StepInputs extends Given {
  /** The key of the run's steps: this one's is its child `step`. */
  readonly key: t.Key
  readonly step: number
  readonly hyper: Hyper
}

/** One step and one validation as pure functions: they read no value, so that they can be recorded. */
export interface StepFunctions<P, S> {
  /** Parameters, layer state and slots for a batch like this one. */
  first(key: t.Key, x: Field): Carry<P, S>
  /**
   * One optimizer step: loss and gradients at the carry, and the next one.
   *
   * @param isFrozen which parameters stay as they are, by path, with their slots
   */
  train(carry: Carry<P, S>, inputs: StepInputs, isFrozen: Frozen): Stepped<P, S>
  /** Forward only. */
  validate(carry: Pick<Carry<P, S>, 'params' | 'state'>, given: Given): Passed
}

/** Whether a parameter stays as it is, by its path; null where all are trained. */
export type Frozen = ((path: string) => boolean) | null

/** What a forward pass in training leaves. */
interface Forward<S> {
  /** What gradients are taken of: the loss, and the penalty on weights. */
  readonly value: t.Tensor
  readonly aux: {
    readonly state: S
    readonly prediction: Values
    readonly losses: Passed['losses']
    readonly activations: Readonly<Record<string, t.Tensor>>
    /** Where there is a penalty, what the value is the sum of. */
    readonly parts: { readonly loss: t.Tensor; readonly penalty: t.Tensor } | null
  }
}

type Rest<S> = readonly [state: S, batch: BatchTensors, context: Context, isFrozen: Frozen]
type Differentiate<P, S> = (params: P, ...rest: Rest<S>) => Forward<S> & { readonly gradients: unknown }
type Train<P, S> = (
  carry: Carry<P, S>,
  batch: BatchTensors,
  context: StepContext,
  isFrozen: Frozen,
) => Stepped<P, S>

/** The functions of a recipe. What `watch` and metrics do not ask for is not returned, and so not kept. */
export function stepFunctions<P extends t.Tree, S extends t.Tree>(recipe: Recipe<P, S>): StepFunctions<P, S> {
  const { model, loss, trainStep, optimizer, metrics, constraints } = recipe
  const judged = loss === undefined ? unjudged : judge(loss)
  const train = trainStep === undefined ? usual(recipe, judged) : own(recipe, trainStep)
  const { init, apply } = bound(model)

  return {
    first: (key, x) =>
      t.scope(() => {
        const { params, state } = begun(() => init(key, shapesOf(x)), x)
        // What is no tree is told here, where nothing of it is left behind.
        t.leaves([params, state])
        return { params, state, slots: optimizer.init(params) }
      }),

    train: (carry, inputs, isFrozen) => {
      const { key, step, hyper } = inputs
      const context: StepContext = { training: true, key: t.foldIn(key, step), path: '', hyper }
      const made = train(carry, batchOf(inputs), context, isFrozen)
      const params = constraints?.(made.carry.params) ?? made.carry.params
      const next = { ...made.carry, params }
      return { ...made, carry: isFrozen === null ? next : holding(carry, next, isFrozen) }
    },

    validate: ({ params, state }, given) => {
      const batch = batchOf(given)
      const { y: prediction } = apply(params, state, batch.x, { training: false, path: '' })
      const found = judged(prediction, batch.y, batch.weights)
      return { ...found, measured: metrics.length === 0 ? null : measuredOf(prediction, batch) }
    },
  }
}

/** What a model begins with. Rows of one number that nobody has put into batches look like batches of numbers. */
function begun<T>(init: () => T, x: Field): T {
  try {
    return init()
  } catch (error) {
    if (!isArray(x) || x.shape.length !== 1) throw error
    throw failureOf('a model of samples of shape [] (add .batch(32)?)', error)
  }
}

/** The usual step: a forward pass, its gradients, and the optimizer's update. */
function usual<P extends t.Tree, S extends t.Tree>(
  { model, optimizer, metrics, watch, regularizers }: Recipe<P, S>,
  judged: Judge,
): Train<P, S> {
  const { apply } = bound(model)
  let isChecked = watch.activations === null
  const forward = (at: P, state: S, batch: BatchTensors, context: Context, isFrozen: Frozen): Forward<S> => {
    const params = isFrozen === null ? at : stopped(at, isFrozen)
    const activations: Record<string, t.Tensor> = {}
    const paths: string[] = []
    const watching =
      watch.activations === null ? context : tapped(context, watch.activations, activations, paths)
    const { y: prediction, state: next } = apply(params, state, batch.x, watching)
    if (!isChecked) requireMatches('fit', watch.names, 'activations', paths)
    isChecked = true
    const { loss, losses } = judged(prediction, batch.y, batch.weights)
    const parts = regularizers === undefined ? null : { loss, penalty: penaltyOf(regularizers, params) }
    const value = parts === null ? loss : t.add(loss, parts.penalty)
    return { value, aux: { state: next, prediction, losses, activations, parts } }
  }
  const differentiate: Differentiate<P, S> = t.valueAndGrad<P, Rest<S>, Forward<S>>(forward)

  return ({ params, state, slots }, batch, { hyper, ...context }, isFrozen) => {
    const evaluate = (at: P): Forward<S> & { gradients: P } => {
      const found = differentiate(at, state, batch, context, isFrozen)
      // Every tensor of a P is replaced by a tensor: still a P.
      return { ...found, gradients: found.gradients as P }
    }
    const { value, gradients, aux } = evaluate(params)
    const next = optimizer.update(gradients, slots, params, hyper, evaluate)
    return {
      carry: { params: next.params, state: aux.state, slots: next.slots },
      loss: aux.parts?.loss ?? value,
      losses: aux.losses,
      penalty: aux.parts?.penalty ?? null,
      measured: metrics.length === 0 ? null : measuredOf(aux.prediction, batch),
      ...shownGradients(watch, gradients),
      activations: watch.activations === null ? null : aux.activations,
    }
  }
}

function penaltyOf(regularizers: Regularizer, params: unknown): t.Tensor {
  const given: unknown = regularizers(params)
  if (typeof given === 'object' && given !== null && 'value' in given && given.value instanceof t.Tensor) {
    return given.value
  }
  return t.failType('fit', `regularizers must give { value }, got ${t.kindOf(given)}`, 'pass regularize([…])')
}

/** A step that the user wrote. */
function own<P extends t.Tree, S extends t.Tree>(
  { metrics, watch }: Recipe<P, S>,
  trainStep: TrainStep<P, S, BatchTensors>,
): Train<P, S> {
  const needs = { prediction: metrics.length > 0, gradients: watch.gradients || watch.gradientNorm }
  return (carry, batch, context) => {
    const made = trainStep(carry, batch, context)
    checkStepped(made, carry, needs)
    const { params, state, slots, loss, losses, prediction, gradients } = made
    return {
      carry: { params, state, slots },
      loss,
      losses: losses ?? null,
      penalty: null,
      measured: needs.prediction ? measuredOf(prediction!, batch) : null,
      ...shownGradients(watch, gradients),
      activations: null,
    }
  }
}

function shownGradients<P>(
  watch: Watch,
  gradients: P | undefined,
): { readonly gradients: P | null; readonly squares: t.Tensor[] | null } {
  return {
    gradients: watch.gradients ? gradients! : null,
    squares: watch.gradientNorm ? t.leaves(gradients).map((g) => t.sum(t.square(g))) : null,
  }
}

function measuredOf(prediction: Values, { y, weights }: BatchTensors): Passed['measured'] {
  return { prediction, target: y, weights }
}

/** A model whatever goes in and comes out. */
function bound<P, S>(
  model: Model<P, S> | NamedModel<P, S>,
): Pick<TreeModel<P, S, Values, Values>, 'init' | 'apply'> {
  // Both kinds are called alike: with tensors and shapes as the data has them.
  return {
    init: (key, shape) => (model as TreeModel<P, S, Values, Values>).init(key, shape),
    apply: (params, state, x, context) =>
      (model as TreeModel<P, S, Values, Values>).apply(params, state, x, context),
  }
}

/** The same parameters, of which those that are frozen have no gradient. */
function stopped<P>(params: P, isFrozen: NonNullable<Frozen>): P {
  const made: unknown = t.mapTree(params, (leaf, path) =>
    leaf instanceof t.Tensor && isFrozen(path) ? t.stopGradient(leaf) : leaf,
  )
  // Every tensor is replaced by one of its shape.
  return made as P
}

/** The next carry, in which what is frozen is as it was. */
function holding<P, S>(before: Carry<P, S>, next: Carry<P, S>, isFrozen: NonNullable<Frozen>): Carry<P, S> {
  const hold = <T>(old: T, made: T): T => {
    const leaves = new Map<string, unknown>()
    t.visitLeaves(old, (leaf, path) => leaves.set(path, leaf))
    return t.mapTree(made, (leaf, path) => (isFrozen(path) ? leaves.get(path) : leaf)) as T
  }
  const slots = Object.entries(next.slots).map(([name, slot]) => [name, hold(before.slots[name]!, slot)])
  return {
    params: hold(before.params, next.params),
    state: next.state,
    slots: Object.fromEntries(slots) as Carry<P, S>['slots'],
  }
}

function batchOf({ x, y, weights }: Given): BatchTensors {
  // A field of one array is one tensor.
  const own = weights === undefined ? undefined : (tensorsOf(weights) as t.Tensor)
  return { x: tensorsOf(x), y: tensorsOf(y), weights: own }
}

function tapped(
  context: Context,
  wanted: (path: string) => boolean,
  into: Record<string, t.Tensor>,
  paths: string[],
): Context {
  // The same memory under a name of its own: a layer may hand out its state, which is freed at another time.
  const keep = (path: string, x: t.Tensor): void => {
    paths.push(path)
    if (wanted(path)) into[path] = t.reshape(x, x.shape)
  }
  return {
    ...context,
    tap: (path, x: Values) => {
      if (x instanceof t.Tensor) keep(path, x)
      else for (const [name, one] of Object.entries(x)) keep(`${path}.${name}`, one)
    },
  }
}
