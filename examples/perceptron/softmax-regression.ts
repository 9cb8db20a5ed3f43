import * as t from '@tapeflow/autodiff'
import { sparseCrossEntropy } from '@tapeflow/nn'
import { type Flowers, feature, flowers } from './flowers.ts'
import { fitLinear, type LinearModel, outputsOf } from './linear-model.ts'
import type { Morph } from './morph.ts'
import { draw } from './plot.ts'

const species = ['setosa', 'versicolor', 'virginica']

/** All flowers by all four measures. */
export const allFlowers = (): Flowers => flowers(species, [0, 1, 2, 3])

/**
 * As many perceptrons as classes, a softmax over them and the cross-entropy: softmax regression. Setosa is separable, so that only the
 * penalty keeps weights finite: `1 / samples` is what scikit-learn's LogisticRegression calls C = 1.
 */
export function fitSoftmaxRegression({ x, labels }: Flowers): LinearModel {
  const y = t.tensor(labels)
  const penalty = 1 / labels.length
  try {
    return fitLinear({
      x,
      y,
      outputs: 3,
      loss: sparseCrossEntropy(),
      penalty,
      learningRate: 0.3,
      steps: 3000,
    })
  } finally {
    y.dispose()
  }
}

/** The class with the largest output. */
export function classOf(model: LinearModel, sample: readonly number[]): number {
  const outputs = outputsOf(model, sample)
  return outputs.indexOf(Math.max(...outputs))
}

export function softmaxRegression(): Morph {
  const { x, labels } = allFlowers()
  const model = fitSoftmaxRegression({ x, labels })
  const mistaken = x.map((sample, i) => classOf(model, sample) !== labels[i])
  const count = mistaken.filter(Boolean).length
  return {
    title: 'Softmax and cross-entropy: softmax regression',
    says: [`${x.length - count} of ${x.length} flowers are given their own species, by all four measures`],
    svg: draw({
      title: 'Three species: the flowers taken for another are ringed',
      axes: ['petal length (cm)', 'petal width (cm)'],
      groups: species,
      dots: x.map((sample, i) => ({
        x: sample[feature.petalLength]!,
        y: sample[feature.petalWidth]!,
        group: labels[i]!,
        ringed: mistaken[i]!,
      })),
      lines: [],
    }),
  }
}
