import * as t from '@tapeflow/autodiff'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  accuracy,
  auc,
  binaryAccuracy,
  type ConfusionState,
  classificationReport,
  confusionMatrix,
  f1,
  type Measure,
  type Metric,
  meanAbsoluteError,
  meanIoU,
  meanSquaredError,
  measure,
  perplexity,
  precision,
  precisionRecallCurve,
  r2,
  recall,
  rocCurve,
  rootMeanSquaredError,
  sparseAccuracy,
  topKAccuracy,
} from '../../src/index.ts'
import { refusal } from '../float64.ts'

const { NaN: nan, POSITIVE_INFINITY: infinity } = Number

describe('measures', () => {
  test('go by names that differ, and by others when they are told', () => {
    const all: readonly Measure[] = [
      accuracy(),
      sparseAccuracy(),
      topKAccuracy(),
      topKAccuracy({ k: 1 }),
      binaryAccuracy(),
      precision(),
      recall({ average: 'macro' }),
      f1({ average: 'micro' }),
      f1({ average: 'weighted' }),
      f1({ average: 'none' }),
      auc(),
      auc({ curve: 'precisionRecall' }),
      rocCurve(),
      precisionRecallCurve(),
      confusionMatrix(),
      classificationReport(),
      meanAbsoluteError(),
      meanSquaredError(),
      rootMeanSquaredError(),
      r2(),
      perplexity(),
      meanIoU(),
    ]
    expect(all.map(({ name }) => name)).toEqual([
      'accuracy',
      'sparseAccuracy',
      'top5Accuracy',
      'top1Accuracy',
      'binaryAccuracy',
      'precision',
      'macroRecall',
      'microF1',
      'weightedF1',
      'f1OfEach',
      'auc',
      'averagePrecision',
      'rocCurve',
      'precisionRecallCurve',
      'confusionMatrix',
      'classificationReport',
      'meanAbsoluteError',
      'meanSquaredError',
      'rootMeanSquaredError',
      'r2',
      'perplexity',
      'meanIoU',
    ])
    const renamed = { ...accuracy(), name: 'share' }
    expect(measure(renamed, t.tensor([[1, 0]]), t.tensor([0]))).toBe(1)
    expectTypeOf(renamed).toExtend<Metric>()
  })

  test('are metrics where they come to one number, and to the type checker only there', () => {
    expectTypeOf(f1()).toEqualTypeOf<Metric<ConfusionState>>()
    expectTypeOf(f1({ average: 'macro' })).toEqualTypeOf<Metric<ConfusionState>>()
    expectTypeOf(f1({ average: 'none' })).toEqualTypeOf<Measure<ConfusionState, readonly number[]>>()
    // @ts-expect-error a matrix is no number
    const metric: Metric = confusionMatrix()
    expect(metric.name).toBe('confusionMatrix')
  })

  test('count a prediction of NaN as wrong, and as one of no class', () => {
    const [x, y] = [t.tensor([nan, 0.9, nan, 0.1]), t.tensor([0, 1, 1, 0])]
    expect(measure(binaryAccuracy(), x, y)).toBe(0.5)
    expect(measure(precision(), x, y)).toBe(1)
    expect(measure(recall(), x, y)).toBe(0.5)
    expect(measure(confusionMatrix(), x, y)).toEqual([
      [1, 0],
      [0, 1],
    ])
    const rows = t.tensor([
      [nan, 0],
      [0, 1],
      [1, nan],
      [1, 0],
    ])
    expect(measure(topKAccuracy({ k: 2 }), rows, y)).toBe(0.5)
    const report = measure(classificationReport(), rows, y)
    expect(report.accuracy).toBe(0.5)
    expect(report.classes.map(({ support }) => support)).toEqual([2, 2])
  })

  test('are NaN where scores have no order, or a class has no sample', () => {
    const labels = t.tensor([1, 0, 1])
    for (const curve of ['roc', 'precisionRecall'] as const) {
      expect(measure(auc({ curve }), t.tensor([1, nan, 0]), labels)).toBeNaN()
      expect(measure(auc({ curve }), t.tensor([1, 2, 0]), t.zeros([3]))).toBeNaN()
    }
    expect(measure(auc(), t.tensor([1, 2, 0]), t.ones([3]))).toBeNaN()
    expect(measure(auc({ curve: 'precisionRecall' }), t.tensor([1, 2, 0]), t.ones([3]))).toBe(1)
    expect(measure(rocCurve(), t.tensor([nan]), t.tensor([1])).truePositiveRate).toEqual([nan, nan])
    expect(measure(precisionRecallCurve(), t.tensor([nan]), t.tensor([1])).precision).toEqual([nan, nan])
    const unordered = measure(rocCurve(), t.tensor([nan, 1, nan]), labels)
    expect(unordered.thresholds).toEqual([infinity, 1, nan])
    expect(unordered.falsePositiveRate).toEqual([nan, nan, nan])
  })

  test('order infinite scores, and both zeros as one', () => {
    expect(measure(auc(), t.tensor([infinity, 1, -infinity]), t.tensor([1, 1, 0]))).toBe(1)
    expect(measure(auc(), t.tensor([0, -0]), t.tensor([1, 0]))).toBe(0.5)
  })

  test('compare with the threshold as predictions are rounded: a prediction of 0.1 is not above 0.1', () => {
    const [x, y] = [t.tensor([0.1, 0.1000001]), t.tensor([0, 1])]
    expect(measure(binaryAccuracy({ threshold: 0.1 }), x, y)).toBe(1)
    expect(measure(precision({ threshold: 0.1 }), x, y)).toBe(1)
  })

  test('leave out what has weight 0, whatever it is', () => {
    const [x, y, w] = [t.tensor([infinity, 1]), t.tensor([0, 0]), t.tensor([0, 2])]
    expect(measure(meanSquaredError(), x, y, w)).toBe(1)
    expect(measure(r2(), t.tensor([nan, 1, 2]), t.tensor([9, 1, 2]), t.tensor([0, 1, 1]))).toBe(1)
    expect(measure(auc(), t.tensor([nan, 2, 1]), t.tensor([0, 1, 0]), t.tensor([0, 1, 1]))).toBe(1)
    const rows = t.tensor([
      [1, 0],
      [0.5, 0.5],
    ])
    expect(
      measure(perplexity({ from: 'probabilities' }), rows, t.tensor([1, 0]), t.tensor([0, 1])),
    ).toBeCloseTo(2, 7)
    expect(measure(meanSquaredError(), x, y, t.zeros([2]))).toBeNaN()
    expect(measure(f1(), t.tensor([1]), t.tensor([1]), t.zeros([1]))).toBeNaN()
  })

  test('r2 loses no digits where targets are far from 0', () => {
    const [x, y] = [
      t.tensor([2 ** 23, 2 ** 23 + 2, 2 ** 23 + 4]),
      t.tensor([2 ** 23 + 1, 2 ** 23 + 2, 2 ** 23 + 3]),
    ]
    expect(measure(r2(), x, y)).toBe(0)
    const metric = r2()
    let state = metric.init()
    for (let i = 0; i < 1000; i++) state = metric.update(state, x, y)
    expect(metric.result(state)).toBeCloseTo(0, 9)
  })

  test('are Infinity where a true class has probability 0, and know masks', () => {
    expect(measure(perplexity(), t.tensor([[0, -infinity]]), t.tensor([1]))).toBe(infinity)
    expect(measure(perplexity(), t.tensor([[0, -infinity]]), t.tensor([0]))).toBe(1)
    expect(measure(perplexity(), t.tensor([[0, -infinity]]), t.tensor([[1, 0]]))).toBe(1)
  })

  test('weigh steps of sequences', () => {
    const [x, y] = [
      t.tensor([
        [
          [1, 0],
          [1, 0],
        ],
        [
          [0, 1],
          [1, 0],
        ],
      ]),
      t.tensor([
        [0, 1],
        [1, 1],
      ]),
    ]
    expect(measure(accuracy(), x, y)).toBe(0.5)
    expect(
      measure(
        accuracy(),
        x,
        y,
        t.tensor([
          [1, 0],
          [1, 0],
        ]),
      ),
    ).toBe(1)
    expect(measure(accuracy(), x, y, t.tensor([3, 1]))).toBe(0.5)
    expect(measure(accuracy(), x, t.oneHot(y, 2))).toBe(0.5)
  })

  test('report labels and digits as they are asked to', () => {
    const [x, y] = [t.tensor([0.9, 0.2, 0.7]), t.tensor([1, 0, 0])]
    const { text } = measure(classificationReport({ labels: ['no', 'a very long name'], digits: 3 }), x, y)
    expect(text.split('\n').map((line) => line.length)).toEqual([57, 0, 57, 57, 0, 57, 57, 57, 0])
    expect(text.split('\n')[3]).toBe('a very long name      0.500     1.000     0.667         1')
  })
})

const [column, rows] = [
  t.tensor([0.1, 0.9]),
  t.tensor([
    [1, 0, 0],
    [0, 1, 0],
  ]),
]
const labels = t.tensor([0, 1])
const refused: readonly (readonly [() => unknown, string])[] = [
  [
    () => measure(accuracy(), t.ones([2, 1]), t.zeros([2])),
    'accuracy: the prediction has one class, got [2,1]; give each class a column, or use binaryAccuracy',
  ],
  [
    () => measure(accuracy(), t.ones([2, 4, 3]), t.ones([2, 3])),
    'accuracy: the target must be labels [2,4] or rows [2,4,3], got [2,3]; pass one label or one row of probabilities for each row of the prediction',
  ],
  [
    () => measure(accuracy(), t.ones([2, 4, 3]), t.ones([2, 4]), t.ones([4])),
    'accuracy: the weights must have shape [2] or [2,4], got [4]; pass one number for each row of the prediction',
  ],
  [
    () => measure(sparseAccuracy(), rows, rows),
    'sparseAccuracy: the target must be labels [2], got [2,3]; use accuracy for rows of probabilities',
  ],
  [() => topKAccuracy({ k: 1.5 }), 'topKAccuracy: k must be an integer from 1 on, got 1.5; count guesses'],
  [
    () => measure(topKAccuracy(), rows, labels),
    'topKAccuracy: k must be at most the number of classes, got 5 and 3 classes; pass a smaller k',
  ],
  [() => binaryAccuracy({ threshold: nan }), 'binaryAccuracy: the threshold must be a number, got NaN'],
  [
    () => measure(binaryAccuracy(), column, t.tensor([0, 2])),
    'binaryAccuracy: label 2 at row 1 is not an integer from 0 to 1; count classes from 0',
  ],
  [
    () => measure(binaryAccuracy(), column, t.tensor([0])),
    'binaryAccuracy: the target must be labels [2], got [1]; pass 0 or 1 for each number of the prediction',
  ],
  [
    () => measure(binaryAccuracy(), t.tensor(1), t.tensor(1)),
    'binaryAccuracy: the prediction must be [rows] or [rows, 1], got []; reshape it to [1]',
  ],
  [
    () => measure(f1(), rows, labels),
    "f1: the average 'binary' is for 2 classes, got 3; pass average: 'macro', 'micro' or 'weighted', or 'none' for each class",
  ],
  [
    // @ts-expect-error an unknown name
    () => recall({ average: 'samples' }),
    "recall: unknown average 'samples'; use binary, macro, micro, weighted or none",
  ],
  [
    () => {
      const metric = confusionMatrix()
      metric.update(metric.update(metric.init(), rows, labels), column, labels)
    },
    'confusionMatrix: the batches before had 3 classes, this one has 2; begin anew with init()',
  ],
  [
    () =>
      measure(
        confusionMatrix(),
        rows,
        t.tensor([
          [1, 0, 0],
          [nan, 0, 0],
        ]),
      ),
    'confusionMatrix: the target has a NaN at row 1; name a class',
  ],
  [
    () => measure(classificationReport({ labels: ['a'] }), rows, labels),
    'classificationReport: there are 1 labels, but 3 classes; name each class',
  ],
  [
    () => classificationReport({ digits: -1 }),
    'classificationReport: digits must be an integer from 0 to 20, got -1',
  ],
  [
    () => measure(auc(), rows, labels),
    'auc: the prediction must be [rows], [rows,1] or [rows,2], got [2,3]; slice the scores of one class, with labels 1 for it and 0 for the rest',
  ],
  [
    // @ts-expect-error an unknown name
    () => auc({ curve: 'pr' }),
    "auc: unknown curve 'pr'; use roc or precisionRecall",
  ],
  [
    () => measure(meanAbsoluteError(), t.ones([2, 1]), t.ones([2])),
    'meanAbsoluteError: prediction and target must have one shape, got [2,1] and [2]; reshape one of them',
  ],
  [
    () => measure(meanSquaredError(), t.tensor(1), t.tensor(1)),
    'meanSquaredError: the prediction must be [rows, …], got []; reshape it to [1]',
  ],
  [
    () => measure(meanSquaredError(), column, column, t.ones([3])),
    'meanSquaredError: the weights must have shape [2], got [3]; pass one number for each row of the prediction',
  ],
  [
    () => {
      const metric = r2()
      metric.update(metric.update(metric.init(), rows, rows), column, column)
    },
    'r2: the batches before had 3 outputs, this one has 1; begin anew with init()',
  ],
  [
    () => measure(perplexity(), t.tensor([1]), t.tensor([0])),
    'perplexity: the prediction must be [rows, classes], got [1]; reshape it',
  ],
]

test.each(refused)('measures refuse what makes no sense: %s', (call, message) => {
  expect(call).toThrow(refusal(RangeError, message))
})

test('measures refuse what is no tensor, and an option of another kind', () => {
  const no = refusal(TypeError, 'f1: the prediction must be a tensor, got an array; wrap arrays in t.tensor')
  // @ts-expect-error arrays are no tensors
  expect(() => measure(f1(), [1], t.tensor([1]))).toThrow(no)
  // @ts-expect-error an unknown name
  expect(() => perplexity({ from: 'scores' })).toThrow(
    refusal(TypeError, "perplexity: from must be 'logits' or 'probabilities', got 'scores'"),
  )
})
