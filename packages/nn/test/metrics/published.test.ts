import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  auc,
  classificationReport,
  confusionMatrix,
  f1,
  meanAbsoluteError,
  meanIoU,
  meanSquaredError,
  measure,
  precision,
  precisionRecallCurve,
  r2,
  recall,
  rocCurve,
  rootMeanSquaredError,
  topKAccuracy,
} from '../../src/index.ts'
import { expectClose } from '../float64.ts'

// Numbers that the documentation of scikit-learn prints for these inputs, and where it says so, of Keras.

/** Predictions that name these classes. */
const naming = (labels: readonly number[], classes = 3): t.Tensor => t.oneHot(t.tensor([...labels]), classes)

describe('measures give what is published', () => {
  const [truth, guess] = [t.tensor([0, 1, 2, 0, 1, 2]), naming([0, 2, 1, 0, 0, 1])]

  test('precision, recall and F1 by average', () => {
    expectClose(measure(precision({ average: 'none' }), guess, truth), [2 / 3, 0, 0])
    expect(measure(precision({ average: 'macro' }), guess, truth)).toBeCloseTo(0.22, 2)
    expect(measure(precision({ average: 'micro' }), guess, truth)).toBeCloseTo(0.33, 2)
    expect(measure(precision({ average: 'weighted' }), guess, truth)).toBeCloseTo(0.22, 2)
    expectClose(measure(recall({ average: 'none' }), guess, truth), [1, 0, 0])
    expect(measure(recall({ average: 'macro' }), guess, truth)).toBeCloseTo(0.33, 2)
    expect(measure(recall({ average: 'micro' }), guess, truth)).toBeCloseTo(0.33, 2)
    expect(measure(recall({ average: 'weighted' }), guess, truth)).toBeCloseTo(0.33, 2)
    expectClose(measure(f1({ average: 'none' }), guess, truth), [0.8, 0, 0])
    expect(measure(f1({ average: 'macro' }), guess, truth)).toBeCloseTo(0.267, 3)
    expect(measure(f1({ average: 'micro' }), guess, truth)).toBeCloseTo(0.33, 2)
    expect(measure(f1({ average: 'weighted' }), guess, truth)).toBeCloseTo(0.267, 3)
  })

  test('the confusion matrix', () => {
    const matrix = measure(confusionMatrix(), naming([0, 0, 2, 2, 0, 2]), t.tensor([2, 0, 2, 2, 0, 1]))
    expect(matrix).toEqual([
      [2, 0, 0],
      [0, 0, 1],
      [1, 0, 2],
    ])
    expect(measure(confusionMatrix(), t.tensor([1, 1, 1, 0]), t.tensor([0, 1, 0, 1]))).toEqual([
      [0, 2],
      [1, 1],
    ])
  })

  test('the classification report, to the letter', () => {
    const labels = ['class 0', 'class 1', 'class 2']
    const { text } = measure(
      classificationReport({ labels }),
      naming([0, 0, 2, 2, 1]),
      t.tensor([0, 1, 2, 2, 2]),
    )
    expect(text).toBe(
      `              precision    recall  f1-score   support

     class 0       0.50      1.00      0.67         1
     class 1       0.00      0.00      0.00         1
     class 2       1.00      0.67      0.80         3

    accuracy                           0.60         5
   macro avg       0.50      0.56      0.49         5
weighted avg       0.70      0.60      0.61         5
`,
    )
  })

  const [scores, labels] = [t.tensor([0.1, 0.4, 0.35, 0.8]), t.tensor([0, 0, 1, 1])]
  const thresholds = [Number.POSITIVE_INFINITY, 0.8, 0.4, 0.35, 0.1].map(Math.fround)

  test('the ROC curve and the area under it', () => {
    expect(measure(rocCurve(), scores, labels)).toEqual({
      thresholds,
      falsePositiveRate: [0, 0, 0.5, 0.5, 1],
      truePositiveRate: [0, 0.5, 0.5, 1, 1],
    })
    expect(measure(auc(), scores, labels)).toBe(0.75)
  })

  test('precision and recall by threshold, and the average precision', () => {
    expect(measure(precisionRecallCurve(), scores, labels)).toEqual({
      thresholds,
      precision: [1, 1, 0.5, 2 / 3, 0.5],
      recall: [0, 0.5, 0.5, 1, 1],
    })
    expect(measure(auc({ curve: 'precisionRecall' }), scores, labels)).toBeCloseTo(0.83, 2)
  })

  test('the accuracy of the best two', () => {
    const prediction = t.tensor([
      [0.5, 0.2, 0.2],
      [0.3, 0.4, 0.2],
      [0.2, 0.4, 0.3],
      [0.7, 0.2, 0.1],
    ])
    expect(measure(topKAccuracy({ k: 2 }), prediction, t.tensor([0, 1, 2, 2]))).toBe(0.75)
  })

  const [y, x] = [t.tensor([3, -0.5, 2, 7]), t.tensor([2.5, 0, 2, 8])]
  const [pairs, guesses] = [
    t.tensor([
      [0.5, 1],
      [-1, 1],
      [7, -6],
    ]),
    t.tensor([
      [0, 2],
      [-1, 2],
      [8, -5],
    ]),
  ]

  test('errors of numbers', () => {
    expect(measure(meanAbsoluteError(), x, y)).toBe(0.5)
    expect(measure(meanAbsoluteError(), guesses, pairs)).toBe(0.75)
    expect(measure(meanSquaredError(), x, y)).toBe(0.375)
    expect(measure(meanSquaredError(), guesses, pairs)).toBeCloseTo(0.708, 3)
    expect(measure(rootMeanSquaredError(), x, y)).toBeCloseTo(0.612, 3)
  })

  test('R²', () => {
    expect(measure(r2(), x, y)).toBeCloseTo(0.9486, 4)
    expect(measure(r2(), guesses, pairs)).toBeCloseTo(0.9368, 4)
    const rising = t.tensor([1, 2, 3])
    expect(measure(r2(), rising, rising)).toBe(1)
    expect(measure(r2(), t.tensor([2, 2, 2]), rising)).toBe(0)
    expect(measure(r2(), t.tensor([3, 2, 1]), rising)).toBe(-3)
    const constant = t.tensor([-2, -2, -2])
    expect(measure(r2(), constant, constant)).toBe(1)
    // 1e-8 there, which float32 does not tell from 0 beside 2.
    expect(measure(r2(), t.tensor([-2, -2, -2 + 1e-6]), constant)).toBe(0)
  })

  test('the mean intersection over union of Keras, with weights and without', () => {
    const [prediction, target] = [naming([0, 1, 0, 1], 2), t.tensor([0, 0, 1, 1])]
    expect(measure(meanIoU(), prediction, target)).toBeCloseTo(0.33333334, 7)
    expect(measure(meanIoU(), prediction, target, t.tensor([0.3, 0.3, 0.3, 0.1]))).toBeCloseTo(0.2380952, 6)
  })
})
