import * as t from '@tapeflow/autodiff'
import { perceptron } from '@tapeflow/nn'
import { describe, expect, test } from 'vitest'
import { type Flowers, flowers } from './flowers.ts'
import { type LinearModel, outputsOf } from './linear-model.ts'
import { explained, fitLinearRegression, linearRegression, petalSizes } from './linear-regression.ts'
import { fitLinearSvm, linearSvm, marginOf, petals, signOf } from './linear-svm.ts'
import { fitLogisticRegression, logisticRegression, petals as overlapping } from './logistic-regression.ts'
import {
  largestMargin,
  leastSquares,
  softmaxRegression as newton,
  supportVectorMachine,
} from './references.ts'
import { allFlowers, classOf, fitSoftmaxRegression, softmaxRegression } from './softmax-regression.ts'

/** Each weight of a model and then its bias, an output after the other. */
const numbersOf = ({ weight, bias }: LinearModel): number[][] =>
  bias.map((b, k) => [...weight.map((row) => row[k]!), b])

/** Within a share of what is expected. */
function expectNear(actual: readonly number[], expected: readonly number[], share: number): void {
  expect(actual.length).toBe(expected.length)
  for (const [i, value] of actual.entries())
    expect(Math.abs(value / expected[i]! - 1), `${value}, not ${expected[i]}`).toBeLessThan(share)
}

describe("Rosenblatt's rule on iris", () => {
  const learned = (names: readonly string[]): ReturnType<typeof perceptron> =>
    t.scope(() => {
      const { x, labels } = flowers(names, [0, 1, 2, 3])
      return perceptron(t.tensor(x), t.tensor(labels), { epochs: 1000 })
    })

  test('finds a line around setosa, by either neighbour', () => {
    expect(learned(['setosa', 'versicolor']).converged).toBe(true)
    expect(learned(['setosa', 'virginica']).converged).toBe(true)
  })

  test('finds none between versicolor and virginica, and says so', () => {
    const { converged, message } = learned(['versicolor', 'virginica'])
    expect(converged).toBe(false)
    expect(message).toMatch(
      /^perceptron: no line found in 1000 epochs, .*; pass more epochs if .*, or else add/,
    )
  })
})

describe('hinge and a penalty', () => {
  const samples = petals()
  const signs = samples.labels.map(signOf)
  const most = largestMargin(
    samples.x.filter((_, i) => signs[i]! < 0),
    samples.x.filter((_, i) => signs[i]! > 0),
  )
  const objective = (
    { weight, bias }: { weight: readonly number[]; bias: number },
    penalty: number,
  ): number => {
    const losses = samples.x.map((row, i) =>
      Math.max(0, 1 - signs[i]! * row.reduce((sum, value, j) => sum + value * weight[j]!, bias)),
    )
    const squares = weight.reduce((sum, w) => sum + w * w, 0)
    return losses.reduce((a, b) => a + b) / losses.length + (penalty / 2) * squares
  }
  const flat = (model: LinearModel): { weight: number[]; bias: number } => ({
    weight: model.weight.map(([w]) => w!),
    bias: model.bias[0]!,
  })

  test('the largest margin is half the distance of the hulls', () => {
    const exact = supportVectorMachine(samples.x, signs, 1e6)
    expect(1 / Math.hypot(...exact.weight)).toBeCloseTo(most, 9)
    expect(marginOf({ weight: exact.weight.map((w) => [w]), bias: [exact.bias] }, samples)).toBeCloseTo(
      most,
      9,
    )
  })

  test('separate with nearly the largest margin, but not with it; the line of the perceptron lies closer', () => {
    const margin = marginOf(fitLinearSvm(samples), samples)
    expect(margin).toBeGreaterThan(0.9 * most)
    expect(margin).toBeLessThan(0.99 * most)
    const { weight, bias } = t.scope(
      () => perceptron(t.tensor(samples.x), t.tensor(samples.labels), { epochs: 1000 }).params,
    )
    const found = { weight: weight.toArray() as number[][], bias: bias.toArray() as number[] }
    expect(marginOf(found, samples)).toBeLessThan(0.9 * margin)
    expect(marginOf(found, samples)).toBeGreaterThan(0)
  })

  test('come to the largest margin by larger steps: the weights of the exact solution', () => {
    const model = fitLinearSvm(samples, { learningRate: 0.2 })
    expect(marginOf(model, samples)).toBeGreaterThan(0.999 * most)
    expect(marginOf(model, samples)).toBeLessThan(most + 1e-6)
    expectNear(flat(model).weight, supportVectorMachine(samples.x, signs, 1e6).weight, 0.01)
  })

  test('reach the minimum that sequential minimal optimization finds, with a penalty that lets flowers inside the margin', () => {
    const penalty = 0.01
    const ours = flat(fitLinearSvm(samples, { penalty, learningRate: 0.1 }))
    const exact = supportVectorMachine(samples.x, signs, 1 / (penalty * signs.length))
    const least = objective(exact, penalty)
    expectNear(ours.weight, exact.weight, 1e-3)
    expect(objective(ours, penalty)).toBeGreaterThanOrEqual(least - 1e-9)
    expect(objective(ours, penalty)).toBeLessThan(least * (1 + 1e-5))
  })
})

describe('sigmoid and binary cross-entropy', () => {
  test("give the coefficients of Newton's method, which are those that R publishes", () => {
    const { x, labels } = overlapping()
    const [ours] = numbersOf(fitLogisticRegression({ x, labels }))
    const [, exact] = newton(x, labels, 2, 0)
    expectNear(ours!, exact!, 1e-4)
    // glm(Species ~ Petal.Length + Petal.Width, binomial)
    expectNear(exact!, [5.755, 10.447, -45.272], 1e-4)
  })
})

describe('softmax and cross-entropy', () => {
  const samples: Flowers = allFlowers()
  const model = fitSoftmaxRegression(samples)

  test("give the coefficients of Newton's method, which are those that scikit-learn publishes", () => {
    const exact = newton(samples.x, samples.labels, 3, 1 / samples.x.length)
    // Biases are free up to one number for all, and so are compared by their distances from the first.
    const apart = (rows: number[][]): number[][] =>
      rows.map((row) => row.with(-1, row.at(-1)! - rows[0]!.at(-1)!))
    const ours = apart(numbersOf(model))
    for (const [k, row] of apart(exact).entries()) {
      for (const [j, value] of row.entries()) expect(ours[k]![j]).toBeCloseTo(value, 3)
    }
    // LogisticRegression(C=1).fit(iris.data, iris.target)
    const published = [
      [-0.4235, 0.9674, -2.5171, -1.0794],
      [0.5345, -0.3216, -0.2064, -0.9443],
      [-0.1109, -0.6458, 2.7235, 2.0236],
    ]
    for (const [k, row] of published.entries()) {
      for (const [j, value] of row.entries()) expect(exact[k]![j]).toBeCloseTo(value, 3)
    }
  })

  test('name the species of all but four flowers', () => {
    const right = samples.x.filter((sample, i) => classOf(model, sample) === samples.labels[i])
    expect(right.length).toBe(146)
  })
})

describe('squared errors', () => {
  test('give the line of the normal equations, which is the one that R publishes', () => {
    const { x, y } = petalSizes()
    const model = fitLinearRegression(x, y)
    const exact = leastSquares(x, y)
    expectNear(numbersOf(model)[0]!, exact, 1e-4)
    // lm(Petal.Width ~ Petal.Length): R² 0.9271
    expectNear(exact, [0.415755, -0.363076], 1e-5)
    const said = x.map((sample) => outputsOf(model, sample)[0]!)
    expect(explained(y, said)).toBeCloseTo(0.9271, 4)
  })
})

test('every picture shows every flower once, and its lines', () => {
  const before = t.memory().tensors
  const pictures = [linearSvm(), logisticRegression(), softmaxRegression(), linearRegression()]
  const counts = pictures.map(({ svg }) => [svg.match(/<circle/g)!.length, svg.match(/<line /g)?.length ?? 0])
  // Those taken for another are ringed: 6 and 4 of them.
  expect(counts).toEqual([
    [100, 3],
    [100 + 6, 3],
    [150 + 4, 0],
    [150, 1],
  ])
  for (const { svg } of pictures) expect(svg).not.toMatch(/NaN|undefined|Infinity/)
  expect(t.memory().tensors).toBe(before)
})
