import * as t from '@tapeflow/autodiff'
import type { Context, Layer, Loss, Metric } from '@tapeflow/nn'
import type { Control, Optimizer, Slots } from '@tapeflow/optim'
import { type BatchTensors, type TrainBatch, toTensors } from './batch.ts'
import type { Shown } from './showing.ts'
import type { Watch } from './watch.ts'

/** What a step takes from the one before: all that it depends on, beside the batch and the key. */
export interface Carry<P, S> {
  readonly params: P
  readonly state: S
  readonly slots: Slots<string, P>
}

/** What a step made: the next carry, and what its event tells. */
export interface Outcome<P, S> extends Carry<P, S>, Shown<P, S> {
  readonly loss: number
  readonly learningRate: number
  readonly metrics: readonly unknown[]
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
}

/** The two programs of a run. What they return lives until it is disposed; everything else they made is freed. */
export interface Steps<P, S> {
  /** Parameters, layer state and slots for batches like this one. */
  first(key: t.Key, batch: TrainBatch): Carry<P, S>
  /** One optimizer step; the old carry is left as it is. */
  train(carry: Carry<P, S>, batch: TrainBatch, now: StepInputs): Outcome<P, S>
  /** Forward only: the batch's loss, and the metrics after it. */
  evaluate(carry: Carry<P, S>, batch: TrainBatch, metrics: readonly unknown[]): Evaluation
}

/** What a batch of validation data gives. */
export interface Evaluation {
  readonly loss: number
  readonly metrics: readonly unknown[]
}

/** What a forward pass in training leaves. */
interface Forward<S> {
  readonly value: t.Tensor
  readonly aux: {
    readonly state: S
    readonly prediction: t.Tensor
    readonly activations: Readonly<Record<string, t.Tensor>>
  }
}

type Rest<S> = readonly [state: S, batch: BatchTensors, context: Context]
type Differentiate<P, S> = (params: P, ...rest: Rest<S>) => Forward<S> & { readonly gradients: unknown }

/** What changes from step to step. */
export interface StepInputs {
  readonly step: number
  readonly key: t.Key
  readonly control: Control
  readonly metrics: readonly unknown[]
}

/** The programs of a recipe. What `watch` does not ask for is not computed. */
export function steps<P extends t.Tree, S extends t.Tree>({
  model,
  loss,
  optimizer,
  metrics,
  watch,
}: Recipe<P, S>): Steps<P, S> {
  const forward = (params: P, state: S, batch: BatchTensors, context: Context): Forward<S> => {
    const activations: Record<string, t.Tensor> = {}
    const watching = watch.activations === null ? context : tapped(context, watch.activations, activations)
    const { y: prediction, state: next } = model.apply(params, state, batch.x, watching)
    const value = oneNumber(loss(prediction, batch.y, batch.weights))
    return { value, aux: { state: next, prediction, activations } }
  }
  const differentiate: Differentiate<P, S> = t.valueAndGrad<P, Rest<S>, Forward<S>>(forward)

  const measured = (states: readonly unknown[], prediction: t.Tensor, batch: BatchTensors): unknown[] =>
    metrics.map((metric, i) => metric.update(states[i], prediction, batch.y, batch.weights))

  return {
    first: (key, { x }) =>
      t.scope(() => {
        const { params, state } = model.init(key, x.shape.slice(1))
        return { params, state, slots: optimizer.init(params) }
      }),

    train: ({ params, state, slots }, batch, now) =>
      keeping((keep) => {
        const tensors = toTensors(batch)
        const context: Context = { training: true, key: now.key, path: '' }
        const evaluate = (at: P): Forward<S> & { gradients: P } => {
          const found = differentiate(at, state, tensors, context)
          // Every tensor of a P is replaced by a tensor: still a P.
          return { ...found, gradients: found.gradients as P }
        }
        const { value, gradients, aux } = evaluate(params)
        const hyper = optimizer.hyper(now.step, now.control)
        const next = optimizer.update(gradients, slots, params, hyper, evaluate)
        const rate = hyper.learningRate
        keep(next.params, aux.state, next.slots)
        return {
          params: next.params,
          state: aux.state,
          slots: next.slots,
          loss: value.item(),
          learningRate: typeof rate === 'number' ? rate : (rate?.item() ?? Number.NaN),
          metrics: measured(now.metrics, aux.prediction, tensors),
          gradients: watch.gradients ? keep(gradients) : null,
          gradientNorm: watch.gradientNorm ? globalNorm(gradients) : null,
          activations: watch.activations === null ? null : keep(aux.activations),
        }
      }),

    evaluate: ({ params, state }, batch, states) =>
      t.scope(() => {
        const tensors = toTensors(batch)
        const { y: prediction } = model.apply(params, state, tensors.x, { training: false, path: '' })
        const value = oneNumber(loss(prediction, tensors.y, tensors.weights))
        return { loss: value.item(), metrics: measured(states, prediction, tensors) }
      }),
  }
}

/** Runs `body` in a scope that frees what it made, but for the trees that it hands to `keep`. */
function keeping<R>(body: (keep: <T>(...trees: readonly [T, ...unknown[]]) => T) => R): R {
  const kept: t.Tensor[] = []
  const results: R[] = []
  t.scope(() => {
    results.push(
      body((...trees) => {
        for (const tree of trees) for (const x of t.leaves(tree)) kept.push(x)
        return trees[0]
      }),
    )
    return kept
  })
  return results[0]!
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

function globalNorm(gradients: t.Tree): number {
  let squares = 0
  for (const gradient of t.leaves(gradients)) squares += t.sum(t.square(gradient)).item()
  return Math.sqrt(squares)
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
