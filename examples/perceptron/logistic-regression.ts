import * as t from '@tapeflow/autodiff'
import { binaryCrossEntropy } from '@tapeflow/nn'
import { type Flowers, feature, flowers } from './flowers.ts'
import { fitLinear, type LinearModel, outputsOf } from './linear-model.ts'
import { type Morph, shown } from './morph.ts'
import { draw } from './plot.ts'

/** Versicolor and virginica by their petals: no line separates them. */
export const petals = (): Flowers =>
  flowers(['versicolor', 'virginica'], [feature.petalLength, feature.petalWidth])

/** The perceptron with a sigmoid in the place of the step, and the binary cross-entropy: logistic regression. */
export function fitLogisticRegression({ x, labels }: Flowers): LinearModel {
  const y = t.tensor(labels, [labels.length, 1])
  try {
    return fitLinear({ x, y, loss: binaryCrossEntropy(), learningRate: 2, steps: 3000 })
  } finally {
    y.dispose()
  }
}

export function logisticRegression(): Morph {
  const { x, labels } = petals()
  const model = fitLogisticRegression({ x, labels })
  const [a, b] = model.weight.map(([w]) => w!)
  const c = model.bias[0]!
  const mistaken = x.map((sample, i) => outputsOf(model, sample)[0]! >= 0 !== (labels[i] === 1))
  // Where the probability p is reached: the logit of p more than at a half.
  const level = (name: string, p: number) => ({
    name,
    a: a!,
    b: b!,
    c: c - Math.log(p / (1 - p)),
    dashed: p !== 0.5,
  })
  return {
    title: 'Sigmoid and binary cross-entropy: logistic regression',
    says: [
      `the odds of virginica against versicolor are exp(${shown(a!)} length + ${shown(b!)} width - ${shown(-c)})`,
      `${mistaken.filter(Boolean).length} of ${x.length} flowers are on the wrong side of a half`,
    ],
    svg: draw({
      title: 'Versicolor or virginica: how probable',
      axes: ['petal length (cm)', 'petal width (cm)'],
      groups: ['versicolor', 'virginica'],
      dots: x.map(([px, py], i) => ({ x: px!, y: py!, group: labels[i]!, ringed: mistaken[i]! })),
      lines: [level('probability 0.5', 0.5), level('0.1', 0.1), level('0.9', 0.9)],
    }),
  }
}
