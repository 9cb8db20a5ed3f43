import * as t from '@tapeflow/autodiff'
import { mse } from '@tapeflow/nn'
import { feature, flowers } from './flowers.ts'
import { fitLinear, type LinearModel, outputsOf } from './linear-model.ts'
import { type Morph, shown } from './morph.ts'
import { draw } from './plot.ts'

const species = ['setosa', 'versicolor', 'virginica']

/** The petals of all flowers: width to be told from length. */
export function petalSizes(): { x: number[][]; y: number[]; labels: readonly number[] } {
  const { x, labels } = flowers(species, [feature.petalLength, feature.petalWidth])
  return { x: x.map(([length]) => [length!]), y: x.map(([, width]) => width!), labels }
}

/** The perceptron without a decision, and the mean squared error: linear regression. */
export function fitLinearRegression(x: readonly (readonly number[])[], y: readonly number[]): LinearModel {
  const target = t.tensor(y, [y.length, 1])
  try {
    return fitLinear({ x, y: target, loss: mse(), learningRate: 0.05, steps: 1000 })
  } finally {
    target.dispose()
  }
}

/** The share of the variance that a prediction explains: 1 - sum of squared errors / sum of squared distances from the mean. */
export function explained(truth: readonly number[], prediction: readonly number[]): number {
  const mean = truth.reduce((a, b) => a + b) / truth.length
  const sum = (of: (value: number, i: number) => number): number =>
    truth.reduce((total, value, i) => total + of(value, i) ** 2, 0)
  return 1 - sum((value, i) => value - prediction[i]!) / sum((value) => value - mean)
}

export function linearRegression(): Morph {
  const { x, y, labels } = petalSizes()
  const model = fitLinearRegression(x, y)
  const [slope, start] = [model.weight[0]![0]!, model.bias[0]!]
  const share = explained(
    y,
    x.map((sample) => outputsOf(model, sample)[0]!),
  )
  return {
    title: 'No decision and squared errors: linear regression',
    says: [
      `a petal's width is ${shown(slope)} of its length, less ${shown(-start)} cm; that explains ${shown(100 * share)} % of its variance`,
    ],
    svg: draw({
      title: 'Width of petals from their length',
      axes: ['petal length (cm)', 'petal width (cm)'],
      groups: species,
      dots: x.map(([length], i) => ({ x: length!, y: y[i]!, group: labels[i]! })),
      lines: [{ name: 'least squares', a: slope, b: -1, c: start }],
    }),
  }
}
