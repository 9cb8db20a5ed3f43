import * as t from '@tapeflow/autodiff'
import { hinge, perceptron } from '@tapeflow/nn'
import { type Flowers, feature, flowers } from './flowers.ts'
import { fitLinear, type LinearModel, outputsOf } from './linear-model.ts'
import { type Morph, shown } from './morph.ts'
import { draw, type Line } from './plot.ts'
import { supportVectorMachine } from './references.ts'

/** Setosa and versicolor by their petals: a line separates them. */
export const petals = (): Flowers =>
  flowers(['setosa', 'versicolor'], [feature.petalLength, feature.petalWidth])

/** How a linear support vector machine descends. */
export interface SvmOptions {
  readonly penalty?: number
  readonly learningRate?: number
  readonly steps?: number
}

/** The perceptron with the hinge max(0, 1 - y f), y = -1 or 1, and a penalty on its weights: a linear support vector machine. */
export function fitLinearSvm({ x, labels }: Flowers, options: SvmOptions = {}): LinearModel {
  const { penalty = 1e-3, learningRate = 0.02, steps = 4000 } = options
  const y = t.tensor(labels.map(signOf), [labels.length, 1])
  try {
    return fitLinear({ x, y, loss: hinge(), penalty, learningRate, steps })
  } finally {
    y.dispose()
  }
}

/** -1 for class 0, 1 for class 1. */
export const signOf = (label: number): number => 2 * label - 1

/** How far the nearest flower is from the line; negative where one is on the wrong side. */
export function marginOf(model: LinearModel, { x, labels }: Flowers): number {
  const size = Math.hypot(...model.weight.flat())
  return Math.min(...x.map((sample, i) => (signOf(labels[i]!) * outputsOf(model, sample)[0]!) / size))
}

export function linearSvm(): Morph {
  const samples = petals()
  const descended = fitLinearSvm(samples)
  const rosenblatt = t.scope(() => {
    const { params } = perceptron(t.tensor(samples.x), t.tensor(samples.labels), { epochs: 1000 })
    return {
      weight: [...params.weight.toFloat32Array()].map((w) => [w]),
      bias: [...params.bias.toFloat32Array()],
    }
  })
  const exact = supportVectorMachine(samples.x, samples.labels.map(signOf), 1e6)
  const largest = { weight: exact.weight.map((w) => [w]), bias: [exact.bias] }
  const line = (name: string, { weight, bias }: LinearModel, dashed = false): Line => {
    const [a, b] = weight.map(([w]) => w!)
    return { name, a: a!, b: b!, c: bias[0]!, dashed }
  }
  const margin = (model: LinearModel): string => shown(marginOf(model, samples))
  return {
    title: 'Hinge and a penalty: a linear support vector machine',
    says: [
      `descent separates setosa from versicolor with a margin of ${margin(descended)} cm`,
      `the largest margin there is: ${margin(largest)} cm; descent comes near it and does not reach it`,
      `Rosenblatt's rule stops at the first line that it finds: ${margin(rosenblatt)} cm`,
    ],
    svg: draw({
      title: 'Setosa and versicolor: three lines between them',
      axes: ['petal length (cm)', 'petal width (cm)'],
      groups: ['setosa', 'versicolor'],
      dots: samples.x.map(([x, y], i) => ({ x: x!, y: y!, group: samples.labels[i]! })),
      lines: [
        line('hinge, by descent', descended),
        line('the largest margin', largest, true),
        line("Rosenblatt's rule", rosenblatt),
      ],
    }),
  }
}
