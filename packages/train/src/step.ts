import * as t from '@tapeflow/autodiff'
import type { Batch } from '@tapeflow/data'
import type { Constrainer, Context, Layer, Loss, Metric, Regularizer } from '@tapeflow/nn'
import type { Hyper, Optimizer, Slots } from '@tapeflow/optim'
import { tensorOf } from './batch.ts'
import type { Shown } from './showing.ts'
import type { Watch } from './watch.ts'

/** What a step takes from the one before: all that it depends on, beside the batch and the key. */
export interface Carry<P, S> {
  readonly params: P
  readonly state: S
  readonly slots: Slots<string, P>
}

/** A model: anything with a layer's two functions. */
export type Model<P, S> = Pick<Layer<P, S>, 'init' | 'apply'>

/** What a model is trained with. */
export interface Recipe<P, S> {
  readonly model: Model<P, S>
  readonly loss: Loss
  readonly optimizer: Optimizer<string>
  readonly metrics: readonly Metric[]
  readonly watch: Watch
  readonly regularizers: Regularizer | undefined
  readonly constraints: Constrainer | undefined
}

/** What a forward pass leaves to be read on the host. */
export interface Passed {
  readonly loss: t.Tensor
  /** What metrics read; null where there are none. */
  readonly measured: {
    readonly prediction: t.Tensor
    readonly target: t.Tensor
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
  readonly x: Batch | t.Tensor
  readonly y: Batch | t.Tensor
  readonly weights: Batch | t.Tensor | undefined
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
  /** Parameters, layer state and slots for samples of a shape. */
  first(key: t.Key, inputShape: t.Shape): Carry<P, S>
  /** One optimizer step: loss and gradients at the carry, and the next one. */
  train(carry: Carry<P, S>, inputs: StepInputs): Stepped<P, S>
  /** Forward only. */
  validate(carry: Pick<Carry<P, S>, 'params' | 'state'>, given: Given): Passed
}

/** A batch where the step computes. */
interface BatchTensors {
  readonly x: t.Tensor
  readonly y: t.Tensor
  readonly weights: t.Tensor | undefined
}

/** What a forward pass in training leaves. */
interface Forward<S> {
  /** What gradients are taken of: the loss, and the penalty on weights. */
  readonly value: t.Tensor
  readonly aux: {
    readonly state: S
    readonly prediction: t.Tensor
    readonly activations: Readonly<Record<string, t.Tensor>>
    /** Where there is a penalty, what the value is the sum of. */
    readonly parts: { readonly loss: t.Tensor; readonly penalty: t.Tensor } | null
  }
}

type Rest<S> = readonly [state: S, batch: BatchTensors, context: Context]
type Differentiate<P, S> = (params: P, ...rest: Rest<S>) => Forward<S> & { readonly gradients: unknown }

/** The functions of a recipe. What `watch` and metrics do not ask for is not returned, and so not kept. */
export function stepFunctions<P extends t.Tree, S extends t.Tree>({
  model,
  loss,
  optimizer,
  metrics,
  watch,
  regularizers,
  constraints,
}: Recipe<P, S>): StepFunctions<P, S> {
  const forward = (params: P, state: S, batch: BatchTensors, context: Context): Forward<S> => {
    const activations: Record<string, t.Tensor> = {}
    const watching = watch.activations === null ? context : tapped(context, watch.activations, activations)
    const { y: prediction, state: next } = model.apply(params, state, batch.x, watching)
    const own = oneNumber(loss(prediction, batch.y, batch.weights))
    const parts = regularizers === undefined ? null : { loss: own, penalty: regularizers(params).value }
    const value = parts === null ? own : t.add(own, parts.penalty)
    return { value, aux: { state: next, prediction, activations, parts } }
  }
  const differentiate: Differentiate<P, S> = t.valueAndGrad<P, Rest<S>, Forward<S>>(forward)
  const measured = (prediction: t.Tensor, { y, weights }: BatchTensors): Passed['measured'] =>
    metrics.length === 0 ? null : { prediction, target: y, weights }

  return {
    first: (key, inputShape) =>
      t.scope(() => {
        const { params, state } = model.init(key, inputShape)
        return { params, state, slots: optimizer.init(params) }
      }),

    train: ({ params, state, slots }, inputs) => {
      const batch = batchOf(inputs)
      const { key, step, hyper } = inputs
      const context: Context = { training: true, key: t.foldIn(key, step), path: '' }
      const evaluate = (at: P): Forward<S> & { gradients: P } => {
        const found = differentiate(at, state, batch, context)
        // Every tensor of a P is replaced by a tensor: still a P.
        return { ...found, gradients: found.gradients as P }
      }
      const { value, gradients, aux } = evaluate(params)
      const next = optimizer.update(gradients, slots, params, hyper, evaluate)
      return {
        carry: { params: constraints?.(next.params) ?? next.params, state: aux.state, slots: next.slots },
        loss: aux.parts?.loss ?? value,
        penalty: aux.parts?.penalty ?? null,
        measured: measured(aux.prediction, batch),
        gradients: watch.gradients ? gradients : null,
        squares: watch.gradientNorm ? t.leaves(gradients).map((g) => t.sum(t.square(g))) : null,
        activations: watch.activations === null ? null : aux.activations,
      }
    },

    validate: ({ params, state }, given) => {
      const batch = batchOf(given)
      const { y: prediction } = model.apply(params, state, batch.x, { training: false, path: '' })
      const value = oneNumber(loss(prediction, batch.y, batch.weights))
      return { loss: value, measured: measured(prediction, batch) }
    },
  }
}

function batchOf({ x, y, weights }: Given): BatchTensors {
  return { x: tensorOf(x), y: tensorOf(y), weights: weights === undefined ? undefined : tensorOf(weights) }
}

function oneNumber(value: t.Tensor): t.Tensor {
  if (!(value instanceof t.Tensor)) {
    t.failType(
      'fit',
      `the loss must return a tensor, got ${t.kindOf(value)}`,
      'return what crossEntropy or mse return',
    )
  }
  if (value.size === 1) return value
  return t.failRange(
    'fit',
    `the loss must be one number, got shape ${t.showShape(value.shape)}`,
    "reduce it: reduction: 'mean'",
  )
}

function tapped(
  context: Context,
  wanted: (path: string) => boolean,
  into: Record<string, t.Tensor>,
): Context {
  return {
    ...context,
    tap: (path, x) => {
      // The same memory under a name of its own: a layer may hand out its state, which is freed at another time.
      if (wanted(path)) into[path] = t.reshape(x, x.shape)
    },
  }
}
