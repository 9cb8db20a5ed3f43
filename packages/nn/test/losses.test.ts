import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  activation,
  binaryCrossEntropy,
  categoricalHinge,
  cosineSimilarity,
  crossEntropy,
  focal,
  hinge,
  huber,
  klDivergence,
  type Loss,
  linear,
  logCosh,
  mae,
  mse,
  perceptronLoss,
  poisson,
  sequential,
  sparseCrossEntropy,
  squaredHinge,
  triplet,
} from '../src/index.ts'
import { expectClose, refusal } from './float64.ts'

describe('losses of classes', () => {
  test('name each other where they are given what the other takes', () => {
    expect(() => crossEntropy()(t.zeros([2, 3]), t.zeros([2]))).toThrow(
      refusal(
        RangeError,
        'crossEntropy: the target must be rows [2,3], got labels [2]; use sparseCrossEntropy for labels',
      ),
    )
    expect(() => sparseCrossEntropy()(t.zeros([2, 3]), t.zeros([2, 3]))).toThrow(
      refusal(
        RangeError,
        'sparseCrossEntropy: the target must be labels [2], got rows [2,3]; use crossEntropy for rows',
      ),
    )
  })

  test('take sequences: every place of a row is a sample of its own', () => {
    const [x, labels] = [t.normal(t.key(1), [2, 4, 3]), [0, 2, 1, 1, 2, 0, 0, 1]]
    const mask = [1, 1, 0, 0, 1, 1, 1, 0]
    const flat = [t.reshape(x, [8, 3]), t.tensor(labels)] as const
    for (const reduction of ['mean', 'sum', 'none'] as const) {
      const options = { reduction, classWeights: [1, 2, 3] }
      const loss = sparseCrossEntropy(options)
      const places = t.tensor(labels, [2, 4])
      for (const [given, weights] of [
        [undefined, undefined],
        [t.tensor(mask, [2, 4]), mask],
        [t.tensor([2, 1]), [2, 2, 2, 2, 1, 1, 1, 1]],
      ] as const) {
        const wanted = loss(...flat, weights && t.tensor([...weights])).toFloat32Array()
        expect(loss(x, places, given).toFloat32Array()).toEqual(wanted)
        const ofRows = crossEntropy(options)(x, t.oneHot(places, 3), given)
        expect(ofRows.shape).toEqual(reduction === 'none' ? [2, 4] : [])
        expectClose(ofRows.toFloat32Array(), wanted)
      }
    }
  })

  test('refuse labels where rows are needed, and name what makes them', () => {
    const labels = t.zeros([2])
    for (const [name, loss] of [
      ['categoricalHinge', categoricalHinge()],
      ['focal', focal({ classes: 'exclusive' })],
      ['klDivergence', klDivergence()],
    ] as const) {
      expect(() => loss(t.zeros([2, 3]), labels)).toThrow(
        refusal(
          RangeError,
          `${name}: the target must be rows [2,3], got labels [2]; use t.oneHot(labels, classes) for labels`,
        ),
      )
    }
  })
})

describe('probabilities given to a loss from logits', () => {
  const x = t.normal(t.key(1), [4, 2])
  const model = (last: (x: t.Tensor) => t.Tensor) => sequential(linear(2, 3), activation('last', last))
  const oneHot = t.oneHot(t.tensor([0, 1, 2, 0]), 3)
  const words = (name: string, maker: string): Error =>
    refusal(
      TypeError,
      `${name}: the prediction comes from ${maker}, but from 'logits' that is taken here; leave ${maker} out of the model, or use from: 'probabilities'`,
    )

  /** Takes a gradient of the loss of a model that ends so. */
  function train(
    last: (x: t.Tensor) => t.Tensor,
    loss: Loss,
    target: t.Tensor,
  ): (compiled?: boolean) => void {
    const ending = model(last)
    const { params, state } = ending.init(t.key(1), [2])
    type Params = typeof params
    const f = (p: Params): t.Tensor => loss(ending.apply(p, state, x, { training: true, path: '' }).y, target)
    return (compiled = false) => {
      const gradient = t.grad(f)
      t.leaves(compiled ? t.compile(gradient)(params) : gradient(params))
    }
  }

  test.each([
    ['crossEntropy', 'softmax', t.softmax, crossEntropy, oneHot],
    ['sparseCrossEntropy', 'softmax', t.softmax, sparseCrossEntropy, t.tensor([0, 1, 2, 0])],
    ['klDivergence', 'softmax', t.softmax, klDivergence, oneHot],
    ['binaryCrossEntropy', 'sigmoid', t.sigmoid, binaryCrossEntropy, oneHot],
    ['binaryCrossEntropy', 'softmax', t.softmax, binaryCrossEntropy, oneHot],
    ['focal', 'sigmoid', t.sigmoid, focal, oneHot],
  ] as const)('are reported, eager and compiled: %s after %s', (name, maker, last, make, target) => {
    for (const compiled of [false, true]) {
      expect(() => train((y) => last(y), make(), target)(compiled)).toThrow(words(name, maker))
      const reshaped = (y: t.Tensor): t.Tensor => t.reshape(last(t.reshape(y, [2, 2, 3])), [4, 3])
      expect(() => train(reshaped, make(), target)(compiled)).toThrow(words(name, maker))
      train((y) => last(y), make({ from: 'probabilities' }), target)(compiled)
    }
  })

  test('and nothing else is: logits, their logarithms, a softmax further up', () => {
    for (const last of [
      (y: t.Tensor) => y,
      (y: t.Tensor) => t.logSoftmax(y),
      (y: t.Tensor) => t.mul(t.softmax(y), 5),
      (y: t.Tensor) => t.sigmoid(y),
    ]) {
      for (const compiled of [false, true]) train(last, crossEntropy(), oneHot)(compiled)
    }
  })
})

// An infinite slope, or one of infinity times 0, was NaN after the weight 0.
describe('what is infinite in rows of weight 0', () => {
  const infinity = Number.POSITIVE_INFINITY

  test('moves nothing where a loss takes numbers', () => {
    for (const [make, target] of [
      [focal, 0],
      [focal, 0.25],
      [mse, 0],
      [squaredHinge, -1],
    ] as const) {
      const loss = (x: t.Tensor): t.Tensor => make()(x, t.tensor([target, 1]), t.tensor([0, 1]))
      const alone = (x: t.Tensor): t.Tensor => make()(x, t.tensor([1]))
      const { value, gradients } = t.valueAndGrad(loss)(t.tensor([infinity, 0.5]))
      const wanted = t.valueAndGrad(alone)(t.tensor([0.5]))
      expect(value.item()).toBe(wanted.value.item())
      expect(gradients.toArray()).toEqual([0, wanted.gradients.item()])
    }
  })

  test('moves nothing where a class is masked', () => {
    const loss = focal({ classes: 'exclusive', reduction: 'sum' })
    const target = t.tensor([
      [0, 1],
      [0, 1],
    ])
    const gradients = t.grad((x: t.Tensor) => loss(x, target, t.tensor([0, 1])))(
      t.tensor([
        [0, -infinity],
        [0, 0],
      ]),
    )
    expectClose(gradients.toFloat32Array(), [0, 0, 0.125 + Math.LN2 / 4, -0.125 - Math.LN2 / 4], 1e-6)
  })
})

test('the mean of no rows is NaN, whichever loss and whether weighted or not', () => {
  const [none, noLabels] = [t.zeros([0, 3]), t.zeros([0])]
  for (const weights of [undefined, noLabels]) {
    for (const make of [crossEntropy, klDivergence, categoricalHinge, mse, hinge, cosineSimilarity]) {
      expect(make()(none, none, weights).item()).toBeNaN()
      expect(make({ reduction: 'sum' })(none, none, weights).item()).toBe(0)
    }
    expect(sparseCrossEntropy()(none, noLabels, weights).item()).toBeNaN()
    expect(triplet()({ anchor: none, positive: none, negative: none }, weights).item()).toBeNaN()
  }
})

describe('losses of two classes', () => {
  test('take targets [rows] for predictions [rows, 1]', () => {
    const [x, y] = [t.normal(t.key(2), [4]), t.tensor([1, -1, -1, 1])]
    const column = t.reshape(x, [4, 1])
    for (const make of [hinge, squaredHinge, perceptronLoss, binaryCrossEntropy, focal]) {
      const target = make === hinge || make === squaredHinge || make === perceptronLoss ? y : t.relu(y)
      for (const reduction of ['mean', 'none'] as const) {
        const options = { reduction, classWeights: [1, 3] } as const
        const wanted = make(options)(x, target, t.tensor([1, 2, 0, 4]))
        const found = make(options)(column, target, t.tensor([1, 2, 0, 4]))
        expect(found.shape).toEqual(wanted.shape)
        expectClose(found.toFloat32Array(), wanted.toFloat32Array())
      }
    }
    expect(() => hinge()(t.zeros([4, 2]), t.zeros([4]))).toThrow(
      refusal(
        RangeError,
        'hinge: prediction and target must have one shape, got [4,2] and [4]; reshape one of them',
      ),
    )
  })

  test('perceptronLoss learns from weights of 0, which hinge without a margin would not', () => {
    const [x, y] = [t.tensor([[2], [-1]]), t.tensor([1, -1])]
    const loss = (w: t.Tensor): t.Tensor => perceptronLoss({ reduction: 'sum' })(t.matmul(x, w), y)
    expect(
      t
        .grad(loss)(t.zeros([1, 1]))
        .toArray(),
    ).toEqual([[-3]])
    expect(perceptronLoss()(t.tensor([Number.NaN]), t.tensor([1])).item()).toBeNaN()
  })

  test('weights of classes balance a mean: three negatives of weight 1 count as one positive of 3', () => {
    const loss = binaryCrossEntropy({ classWeights: [1, 3] })
    const found = loss(t.tensor([1, 1, 1, 1]), t.tensor([1, 0, 0, 0])).item()
    const [right, wrong] = [Math.log1p(Math.exp(-1)), Math.log1p(Math.exp(1))]
    expect(found).toBeCloseTo((right + wrong) / 2, 6)
  })
})

describe('triplet', () => {
  const embeddings = {
    anchor: t.tensor([
      [0, 0],
      [1, 1],
    ]),
    positive: t.tensor([
      [0, 0],
      [1, 2],
    ]),
    negative: t.tensor([
      [0.5, 0],
      [9, 9],
    ]),
  }

  test('has no gradient where embeddings are the same, and leaves nothing behind', () => {
    const gradients = t.grad((at: typeof embeddings) => triplet({ reduction: 'sum' })(at))(embeddings)
    expectClose(gradients.positive.toFloat32Array(), [0, 0, 0, 0])
    expectClose(gradients.negative.toFloat32Array(), [-1, 0, 0, 0])
    const before = t.memory().tensors
    const result = triplet()(embeddings)
    expect(t.memory().tensors).toBe(before + 1)
    expect(result.item()).toBe(0.25)
  })

  test('refuses what does not fit, to the letter', () => {
    expect(() => triplet()({ ...embeddings, negative: t.zeros([2, 3]) })).toThrow(
      refusal(RangeError, "triplet: the negative must have the anchor's shape [2,2], got [2,3]"),
    )
    const flat = t.zeros([2])
    expect(() => triplet()({ anchor: flat, positive: flat, negative: flat })).toThrow(
      refusal(RangeError, 'triplet: embeddings must be [rows, size], got [2]; reshape them'),
    )
    expect(() => triplet({ margin: -1 })).toThrow(
      refusal(RangeError, 'triplet: margin must be finite and not negative, got -1'),
    )
    // @ts-expect-error no such distance
    expect(() => triplet({ distance: 'cosine' })).toThrow(
      refusal(TypeError, "triplet: distance must be 'euclidean' or 'squaredEuclidean', got 'cosine'"),
    )
  })
})

test('cosineSimilarity has no gradient at vectors of zeros, and needs an axis for directions', () => {
  const [u, v] = [t.zeros([1, 2]), t.tensor([[3, 4]])]
  const { value, gradients } = t.valueAndGrad((at: { u: t.Tensor; v: t.Tensor }) =>
    cosineSimilarity()(at.u, at.v),
  )({ u, v })
  expect(value.item()).toBe(1)
  expect(gradients.u.toArray()).toEqual([[0, 0]])
  expect(cosineSimilarity()(t.mul(v, 1e30), t.mul(v, -1e30)).item()).toBeCloseTo(2, 6)
  expect(() => cosineSimilarity()(t.zeros([2]), t.zeros([2]))).toThrow(
    refusal(
      RangeError,
      'cosineSimilarity: the prediction must be [rows, …, size], got [2]; directions need an axis of their own',
    ),
  )
})

test('mae, huber and logCosh forgive an outlier, and keep small errors apart', () => {
  const [x, z] = [t.tensor([1e-3, 1e4]), t.zeros([2])]
  const found = (loss: Loss): number[] => [...loss(x, z).toFloat32Array()]
  expectClose(found(mae({ reduction: 'none' })), [1e-3, 1e4])
  expectClose(found(huber({ reduction: 'none', delta: 2 })), [5e-7, 19998])
  expect(found(logCosh({ reduction: 'none' }))[0]! / 5e-7).toBeCloseTo(1, 5)
})

describe('options of losses', () => {
  test.each([
    [() => huber({ delta: 0 }), RangeError, 'huber: delta must be finite and above 0, got 0'],
    [() => focal({ gamma: -1 }), RangeError, 'focal: gamma must be finite and not negative, got -1'],
    [
      () => crossEntropy({ labelSmoothing: 2 }),
      RangeError,
      'crossEntropy: labelSmoothing must be between 0 and 1, got 2',
    ],
    [
      () => binaryCrossEntropy({ labelSmoothing: Number.NaN }),
      RangeError,
      'binaryCrossEntropy: labelSmoothing must be between 0 and 1, got NaN',
    ],
    [
      () => crossEntropy({ classWeights: [1, -1] }),
      RangeError,
      'crossEntropy: classWeights must be finite and not negative, got -1 at 1',
    ],
    [
      () => crossEntropy({ classWeights: [1, 2] })(t.zeros([1, 3]), t.zeros([1, 3])),
      RangeError,
      'crossEntropy: classWeights must be 3 numbers, got 2; pass one for each class',
    ],
    [
      // @ts-expect-error two classes have two weights
      () => hinge({ classWeights: [1, 2, 3] }),
      RangeError,
      'hinge: classWeights must be 2 numbers, got 3; pass one for each class',
    ],
    [
      // @ts-expect-error numbers in an array
      () => hinge({ classWeights: 3 }),
      TypeError,
      'hinge: classWeights must be an array of numbers, got a number',
    ],
    [
      // @ts-expect-error no such source
      () => poisson({ from: 'logits' }),
      TypeError,
      "poisson: from must be 'logRates' or 'rates', got 'logits'",
    ],
    [
      // @ts-expect-error no such classes
      () => focal({ classes: 'many' }),
      TypeError,
      "focal: classes must be 'independent' or 'exclusive', got 'many'",
    ],
  ])('are checked, to the letter: %#', (make, kind, message) => {
    expect(make).toThrow(refusal(kind, message))
  })
})

// 0 times the logarithm of 0.
test('a rate of 0 is no loss where nothing is counted', () => {
  const zero = t.tensor([[Number.NEGATIVE_INFINITY]])
  expect(poisson()(zero, t.tensor([[0]])).item()).toBe(0)
  expect(poisson()(zero, t.tensor([[1]])).item()).toBe(Number.POSITIVE_INFINITY)
})

test('smoothed to the full, labels have no say, whatever theirs would be', () => {
  for (const from of ['probabilities', 'logits'] as const) {
    const x = from === 'logits' ? t.tensor([[Number.NEGATIVE_INFINITY, 0]]) : t.tensor([[0, 1]])
    const options = { from, labelSmoothing: 1 }
    expect(sparseCrossEntropy(options)(x, t.tensor([0])).item()).toBe(Number.POSITIVE_INFINITY)
    expect(crossEntropy(options)(x, t.tensor([[1, 0]])).item()).toBe(Number.POSITIVE_INFINITY)
  }
})

test('vectors whose lengths exceed float32 have a direction', () => {
  const long = t.tensor([[3e38, 3e38]])
  expect(Math.abs(cosineSimilarity()(long, long).item())).toBeLessThan(1e-6)
  const gradient = t.grad((x: t.Tensor) => cosineSimilarity()(x, t.tensor([[1, 0]])))(t.tensor([[1, 1]]))
  // Of -x / |x| by x and y, at (1, 1).
  expectClose(gradient.toFloat32Array(), [-(2 ** -1.5), 2 ** -1.5])
})

test('of a row of shares the largest names the class of the hinge loss', () => {
  expect(categoricalHinge()(t.tensor([[0, 9, 9]]), t.tensor([[0.9, 0.05, 0.05]])).item()).toBe(10)
})
