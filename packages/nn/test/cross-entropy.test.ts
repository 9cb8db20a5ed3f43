import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  type CrossEntropyOptions,
  crossEntropy,
  type Loss,
  type Reduction,
  sparseCrossEntropy,
} from '../src/index.ts'
import { centralDifferences, expectClose, refusal, rowsOf, sample } from './float64.ts'

const [rows, classes] = [4, 3]
const logits = sample(t.key(1), rows * classes)
const labels = [2, 0, 1, 1]
const oneHot = labels.flatMap((label) => [0, 1, 2].map((k) => (k === label ? 1 : 0)))
const soft = [0.5, 0.25, 0.25, 1, 0, 0, 0.125, 0.125, 0.75, 0, 0.5, 0.5]
const weights = [1, 0, 0.5, 3]

const softmax = (row: readonly number[]): number[] => {
  const powers = row.map((x) => Math.exp(x - Math.max(...row)))
  const total = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / total)
}
const probabilities = rowsOf(logits, classes).flatMap(softmax)

/** The definition, in double precision. */
function reference(
  p: readonly number[],
  target: readonly number[],
  reduction: Reduction,
  weights?: number[],
): number[] {
  const losses = rowsOf(p, classes).map((row, i) => {
    const terms = row.map((value, k) => {
      const share = target[i * classes + k]!
      return share === 0 ? 0 : -share * Math.log(value)
    })
    return terms.reduce((a, b) => a + b, 0) * (weights?.[i] ?? 1)
  })
  if (reduction === 'none') return losses
  const sum = losses.reduce((a, b) => a + b, 0)
  return [reduction === 'sum' ? sum : sum / (weights ?? labels.map(() => 1)).reduce((a, b) => a + b, 0)]
}
const fromLogits = (
  x: readonly number[],
  target: readonly number[],
  reduction: Reduction,
  weights?: number[],
): number[] => reference(rowsOf(x, classes).flatMap(softmax), target, reduction, weights)

const matrix = (values: readonly number[]): t.Tensor => t.tensor([...values], [rows, classes])

/** The loss that takes rows as rows, and labels as labels. */
function either(options: CrossEntropyOptions = {}): Loss {
  const [ofRows, ofLabels] = [crossEntropy(options), sparseCrossEntropy(options)]
  return (x, target, weights) => (target.rank === 1 ? ofLabels : ofRows)(x, target, weights)
}

describe('crossEntropy and sparseCrossEntropy', () => {
  for (const reduction of ['mean', 'sum', 'none'] as const) {
    for (const [name, given] of [
      ['unweighted', undefined],
      ['weighted', weights],
    ] as const) {
      test(`agrees with its definition in double precision: ${reduction}, ${name}`, () => {
        const w = given === undefined ? undefined : t.tensor(given)
        const ofLogits = either({ from: 'logits', reduction })
        const ofProbabilities = either({ from: 'probabilities', reduction })
        const hard = fromLogits(logits, oneHot, reduction, given)
        const spread = fromLogits(logits, soft, reduction, given)
        for (const [loss, x] of [
          [ofLogits, logits],
          [ofProbabilities, probabilities],
        ] as const) {
          const result = loss(matrix(x), t.tensor(labels), w)
          expect(result.shape).toEqual(reduction === 'none' ? [rows] : [])
          expectClose(result.toFloat32Array(), hard)
          expectClose(loss(matrix(x), matrix(oneHot), w).toFloat32Array(), hard)
          expectClose(loss(matrix(x), matrix(soft), w).toFloat32Array(), spread)
        }
      })
    }
  }

  test('has the gradient (softmax - target) / rows, which is that of central differences', () => {
    for (const target of [oneHot, soft]) {
      const byHand = probabilities.map((p, i) => (p - target[i]!) / rows)
      expectClose(
        byHand,
        centralDifferences((x) => fromLogits(x, target, 'mean')[0]!, logits),
        1e-9,
      )
      const gradient = t.grad((x: t.Tensor) => either()(x, matrix(target)))(matrix(logits))
      expectClose(gradient.toFloat32Array(), byHand)
    }
    const gradient = t.grad((x: t.Tensor) => either()(x, t.tensor(labels)))(matrix(logits))
    expectClose(
      gradient.toFloat32Array(),
      probabilities.map((p, i) => (p - oneHot[i]!) / rows),
    )
  })

  test('has the gradient w (softmax - target) / sum of w with weights', () => {
    const total = weights.reduce((a, b) => a + b, 0)
    const byHand = probabilities.map((p, i) => ((p - oneHot[i]!) * weights[Math.floor(i / classes)]!) / total)
    expectClose(
      byHand,
      centralDifferences((x) => fromLogits(x, oneHot, 'mean', weights)[0]!, logits),
      1e-9,
    )
    const loss = (x: t.Tensor): t.Tensor => either()(x, t.tensor(labels), t.tensor(weights))
    expectClose(t.grad(loss)(matrix(logits)).toFloat32Array(), byHand)
  })

  test('has the gradient -target / p from probabilities, which is that of central differences', () => {
    const byHand = probabilities.map((p, i) => -soft[i]! / p)
    expectClose(
      byHand,
      centralDifferences((x) => reference(x, soft, 'sum')[0]!, probabilities),
      1e-8,
    )
    const loss = either({ from: 'probabilities', reduction: 'sum' })
    const gradient = t.grad((x: t.Tensor) => loss(x, matrix(soft)))(matrix(probabilities))
    expectClose(gradient.toFloat32Array(), byHand)
  })

  test('has gradients for soft targets and weights too', () => {
    const loss = either()
    const inputs = { target: matrix(soft), weights: t.tensor(weights) }
    const gradients = t.grad((p: typeof inputs) => loss(matrix(logits), p.target, p.weights))(inputs)
    const byTarget = centralDifferences(
      (target) =>
        target.reduce(
          (sum, share, i) => sum - share * Math.log(probabilities[i]!) * weights[Math.floor(i / classes)]!,
          0,
        ) / 4.5,
      soft,
    )
    const byWeight = centralDifferences((w) => fromLogits(logits, soft, 'mean', w)[0]!, weights)
    expectClose(gradients.target.toFloat32Array(), byTarget)
    expectClose(gradients.weights.toFloat32Array(), byWeight)
  })

  test('can be differentiated twice', () => {
    const x = matrix(logits)
    const first = t.grad((x: t.Tensor) => either({ reduction: 'sum' })(x, t.tensor(labels)))
    const second = t.grad((x: t.Tensor) => t.sum(t.square(first(x))))(x)
    const byHand = centralDifferences(
      (at) =>
        rowsOf(at, classes)
          .flatMap(softmax)
          .reduce((sum, p, i) => sum + (p - oneHot[i]!) ** 2, 0),
      logits,
    )
    expectClose(second.toFloat32Array(), byHand)
  })

  test('is exact at logits of 1e4 and 1e38, and its gradient finite', () => {
    for (const size of [1e4, 1e38]) {
      const x = t.tensor([
        [size, -size],
        [-size, size],
        [size, size],
      ])
      const big = Math.fround(2 * Math.fround(size))
      for (const target of [
        t.tensor([0, 0, 1]),
        t.tensor([
          [1, 0],
          [1, 0],
          [0, 1],
        ]),
      ]) {
        const losses = either({ reduction: 'none' })(x, target)
        expect(losses.toArray()).toEqual([0, big, Math.fround(Math.LN2)])
        const { value, gradients } = t.valueAndGrad((x: t.Tensor) => either()(x, target))(x)
        expectClose([value.item() / big], [(1 + Math.LN2 / big) / 3])
        expectClose(gradients.toFloat32Array(), [0, 0, -1 / 3, 1 / 3, 1 / 6, -1 / 6])
      }
    }
  })

  test('has a mean where the sum of losses exceeds float32', () => {
    const x = t.tensor([
      [2e38, 0],
      [2e38, 0],
    ])
    expectClose([either()(x, t.tensor([1, 1])).item() / 2e38], [1])
    expect(either({ reduction: 'sum' })(x, t.tensor([1, 1])).item()).toBe(Number.POSITIVE_INFINITY)
  })

  test('allows classes masked by logits of -Infinity', () => {
    const masked = t.tensor([[0, Number.NEGATIVE_INFINITY, 0]])
    for (const target of [t.tensor([2]), t.tensor([[0, 0, 1]])]) {
      const { value, gradients } = t.valueAndGrad((x: t.Tensor) => either()(x, target))(masked)
      expect(value.item()).toBe(Math.fround(Math.LN2))
      expect(gradients.toArray()).toEqual([[0.5, 0, -0.5]])
    }
    expect(either()(masked, t.tensor([1])).item()).toBe(Number.POSITIVE_INFINITY)
    expect(either()(masked, t.tensor([[0, 1, 0]])).item()).toBe(Number.POSITIVE_INFINITY)
  })

  test('ignores probabilities of 0 in classes that are not the target', () => {
    const loss = either({ from: 'probabilities' })
    for (const target of [t.tensor([0]), t.tensor([[1, 0, 0]])]) {
      const { value, gradients } = t.valueAndGrad((x: t.Tensor) => loss(x, target))(t.tensor([[0.5, 0.5, 0]]))
      expect(value.item()).toBe(Math.fround(Math.LN2))
      expect(gradients.toFloat32Array()).toEqual(Float32Array.of(-2, 0, 0))
      expect(loss(t.tensor([[0, 0.5, 0.5]]), target).item()).toBe(Number.POSITIVE_INFINITY)
    }
  })

  test('leaves out rows of weight 0, even of infinite loss', () => {
    const x = t.tensor([
      [0, Number.NEGATIVE_INFINITY],
      [0, 0],
    ])
    for (const reduction of ['mean', 'sum'] as const) {
      for (const target of [
        t.tensor([1, 1]),
        t.tensor([
          [0, 1],
          [0, 1],
        ]),
      ]) {
        const loss = (x: t.Tensor): t.Tensor => either({ reduction })(x, target, t.tensor([0, 1]))
        const { value, gradients } = t.valueAndGrad(loss)(x)
        expect(value.item()).toBe(Math.fround(Math.LN2))
        expectClose(gradients.toFloat32Array(), [0, 0, 0.5, -0.5], 0)
      }
    }
  })

  // The slope of the logarithm at 0 is infinite: times the weight 0 it was NaN.
  test('leaves out rows of weight 0 where they give the true class no probability', () => {
    const x = t.tensor([
      [1, 0],
      [0.5, 0.5],
    ])
    for (const target of [t.tensor([1, 1]), t.oneHot(t.tensor([1, 1]), 2)]) {
      const loss = (x: t.Tensor): t.Tensor => either({ from: 'probabilities' })(x, target, t.tensor([0, 1]))
      const { value, gradients } = t.valueAndGrad(loss)(x)
      expect(value.item()).toBe(Math.fround(Math.LN2))
      expect(gradients.toFloat32Array()).toEqual(Float32Array.of(0, 0, 0, -2))
    }
  })

  test('gives NaN for NaN logits, and 0 where all rows are of classes that do not count', () => {
    expect(either()(t.tensor([[Number.NaN, 0]]), t.tensor([1])).item()).toBeNaN()
    expect(either({ classWeights: [1, 0] })(t.tensor([[1, 0]]), t.tensor([1])).item()).toBe(0)
  })

  test('leaves no tensor behind but its result', () => {
    const x = matrix(logits)
    const target = t.tensor(labels)
    const before = t.memory().tensors
    const result = either()(x, target)
    expect(t.memory().tensors).toBe(before + 1)
    result.dispose()
  })

  test('refuses labels out of range, naming label and row', () => {
    const loss = sparseCrossEntropy()
    const x = t.zeros([3, 3])
    const words = (label: string, row: number): Error =>
      refusal(
        RangeError,
        `sparseCrossEntropy: label ${label} at row ${row} is not an integer from 0 to 2; count classes from 0`,
      )
    expect(() => loss(x, t.tensor([0, 3, 1]))).toThrow(words('3', 1))
    expect(() => loss(x, t.tensor([0, 1, -1]))).toThrow(words('-1', 2))
    expect(() => loss(x, t.tensor([0.5, 1, 1]))).toThrow(words('0.5', 0))
    expect(() => loss(x, t.tensor([0, Number.NaN, 1]))).toThrow(words('NaN', 1))
  })

  test('refuse shapes that do not fit, to the letter', () => {
    const rows = (got: string): Error =>
      refusal(
        RangeError,
        `crossEntropy: the target must be rows [2,3], got ${got}; use sparseCrossEntropy for labels`,
      )
    expect(() => crossEntropy()(t.zeros([2, 3]), t.zeros([2, 1]))).toThrow(rows('[2,1]'))
    const labels = (got: string): Error =>
      refusal(
        RangeError,
        `sparseCrossEntropy: the target must be labels [2], got ${got}; pass one label for each row of the prediction`,
      )
    expect(() => sparseCrossEntropy()(t.zeros([2, 3]), t.zeros([2, 1]))).toThrow(labels('[2,1]'))
    expect(() => sparseCrossEntropy()(t.zeros([2, 3]), t.zeros([3]))).toThrow(labels('[3]'))
    expect(() => sparseCrossEntropy()(t.zeros([2, 3]), t.tensor(1))).toThrow(labels('[]'))
    expect(() => crossEntropy()(t.zeros([3]), t.zeros([3]))).toThrow(
      refusal(RangeError, 'crossEntropy: the prediction must be [rows, …, classes], got [3]; reshape it'),
    )
    expect(() => sparseCrossEntropy()(t.zeros([2, 3]), t.zeros([2]), t.ones([2, 1]))).toThrow(
      refusal(
        RangeError,
        'sparseCrossEntropy: the weights must have shape [2], got [2,1]; pass one number for each row of the prediction',
      ),
    )
    expect(() => sparseCrossEntropy()(t.zeros([2, 4, 3]), t.zeros([2, 4]), t.ones([4]))).toThrow(
      refusal(
        RangeError,
        'sparseCrossEntropy: the weights must have shape [2] or [2,4], got [4]; pass one number for each row of the prediction',
      ),
    )
  })

  test('refuses what is no tensor and options that do not exist', () => {
    // @ts-expect-error labels must be a tensor
    expect(() => crossEntropy()(t.zeros([2, 3]), [0, 1])).toThrow(
      refusal(TypeError, 'crossEntropy: the target must be a tensor, got an array; wrap arrays in t.tensor'),
    )
    // @ts-expect-error no such source
    expect(() => crossEntropy({ from: 'logit' })).toThrow(
      refusal(TypeError, "crossEntropy: from must be 'logits' or 'probabilities', got 'logit'"),
    )
    // @ts-expect-error no such reduction
    expect(() => crossEntropy({ reduction: 'average' })).toThrow(
      refusal(TypeError, "crossEntropy: the reduction must be 'mean', 'sum' or 'none', got 'average'"),
    )
  })
})
