import * as t from '@tapeflow/autodiff'
import { type LinearParams, type Loss, linear, zeros } from '@tapeflow/nn'
import { cosineDecay, sgd } from '@tapeflow/optim'

/** f = x W + b: what a perceptron computes before it decides. */
export interface LinearModel {
  /** A row for each feature, a column for each output. */
  readonly weight: readonly (readonly number[])[]
  readonly bias: readonly number[]
}

/** What makes a linear model of samples. */
export interface Fit {
  /** A row of features for each sample. */
  readonly x: readonly (readonly number[])[]
  /** `[samples]` or `[samples, outputs]`, as the loss wants it. */
  readonly y: t.Tensor
  /** How many outputs; 1 by default. */
  readonly outputs?: number
  readonly loss: Loss
  /** Times half the sum of squared weights, which is added to the loss; 0 by default. */
  readonly penalty?: number
  readonly learningRate: number
  readonly steps: number
}

/** Fits f to samples by gradient descent with momentum, all samples at every step. Only the loss decides what it becomes. */
export function fitLinear({ x, y, outputs = 1, loss, penalty = 0, learningRate, steps }: Fit): LinearModel {
  const features = x[0]!.length
  // Features of one size, so that one rate suits them all.
  const { means, deviations } = sizesOf(x)
  return t.scope(() => {
    const scale = t.tensor(deviations, [features, 1])
    const z = t.div(t.sub(t.tensor(x), t.tensor(means)), t.tensor(deviations))
    const model = linear(features, outputs, { weight: zeros })
    const objective = (params: LinearParams): t.Tensor => {
      const f = model.apply(params, null, z, { training: true, path: '' }).y
      const size = t.sum(t.square(t.div(params.weight, scale)))
      return t.add(loss(f, y), t.mul(size, penalty / 2))
    }
    const optimizer = sgd({ learningRate: cosineDecay({ from: learningRate, steps }), momentum: 0.95 })
    type Carry = { params: LinearParams; slots: { velocity: LinearParams } }
    const step = t.compile(({ params, slots }: Carry, hyper: ReturnType<typeof optimizer.hyper>): Carry => {
      return optimizer.update(t.grad(objective)(params), slots, params, hyper)
    })
    const { params } = model.init(t.key(0), [features])
    const begin: Carry = { params, slots: optimizer.init(params) }
    const end = t.fold(begin, Array(steps).keys(), (carry, i) => step(carry, optimizer.hyper(i)))
    const weight = t.div(end.params.weight, scale)
    const bias = t.sub(end.params.bias, t.matmul(t.tensor([means]), weight))
    return {
      weight: t.reshape(weight, [features, outputs]).toArray() as number[][],
      bias: [...bias.toFloat32Array()],
    }
  })
}

/** The outputs for a sample. */
export function outputsOf({ weight, bias }: LinearModel, sample: readonly number[]): number[] {
  return bias.map((b, k) => sample.reduce((sum, value, j) => sum + value * weight[j]![k]!, b))
}

function sizesOf(x: readonly (readonly number[])[]): { means: number[]; deviations: number[] } {
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
  const columns = x[0]!.map((_, j) => x.map((row) => row[j]!))
  const means = columns.map(mean)
  const deviations = columns.map((column, j) => Math.sqrt(mean(column.map((v) => (v - means[j]!) ** 2))))
  return { means, deviations }
}
