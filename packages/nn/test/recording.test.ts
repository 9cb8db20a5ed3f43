import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  type Applied,
  accuracy,
  activation,
  constant,
  crossEntropy,
  glorotNormal,
  glorotUniform,
  heNormal,
  heUniform,
  type Initializer,
  identityMatrix,
  type Layer,
  type Loss,
  lecunNormal,
  lecunUniform,
  linear,
  mse,
  normal,
  ones,
  orthogonal,
  relu,
  sequential,
  sigmoid,
  tanh,
  truncatedNormal,
  uniform,
  varianceScaling,
  zeros,
} from '../src/index.ts'
import { refusal } from './float64.ts'

// Everything here runs on values that are only shapes: what reads one throws a RecordingError.

const [rows, classes] = [4, 3]

/** Asserts that `draw`, recorded once, gives for any key what it gives when it is called. */
function compiledDraws(draw: (key: t.Key) => unknown): void {
  let recordings = 0
  const compiled = t.compile((key: t.Key) => {
    recordings++
    return draw(key)
  })
  for (const seed of [1, 2, 3])
    expect(t.toSnapshot(compiled(t.key(seed)))).toEqual(t.toSnapshot(draw(t.key(seed))))
  expect(recordings).toBe(1)
  compiled.dispose()
}

interface LossRow {
  readonly name: string
  readonly make: (options: { reduction: 'mean' | 'sum' | 'none' }) => Loss
  /** The shapes that a target may have. */
  readonly targets: readonly t.Shape[]
}

const labelsOrRows = [[rows], [rows, classes]]

// A new loss is a row.
const losses: readonly LossRow[] = [
  { name: 'crossEntropy', make: crossEntropy, targets: labelsOrRows },
  {
    name: 'crossEntropy from probabilities',
    make: (options) => crossEntropy({ ...options, from: 'probabilities' }),
    targets: labelsOrRows,
  },
  { name: 'mse', make: mse, targets: [[rows, classes]] },
]

const cases = losses.flatMap(({ name, make, targets }) =>
  (['mean', 'sum', 'none'] as const).flatMap((reduction) =>
    targets.flatMap((target) =>
      [null, [rows]].map((weights) => ({ name, loss: make({ reduction }), reduction, target, weights })),
    ),
  ),
)

describe.each(cases)(
  'a loss can be recorded: $name, $reduction, target $target, weights $weights',
  ({ loss, reduction, target, weights }) => {
    const shapes = { prediction: [rows, classes], target, weights }
    type Inputs = { prediction: t.Tensor; target: t.Tensor; weights: t.Tensor | null }
    const value = (inputs: Inputs): t.Tensor =>
      loss(inputs.prediction, inputs.target, inputs.weights ?? undefined)

    test('its value', () => {
      expect(t.evalShape(value, shapes)).toEqual(reduction === 'none' ? [rows] : [])
    })

    test('compiled it gives the same bits, and the same gradients', () => {
      const of = (shape: t.Shape, seed: number): t.Tensor =>
        shape.length === 1 ? t.tensor([2, 0, 1, 1]) : t.uniform(t.key(seed), shape, 0.1, 0.9)
      const inputs = {
        prediction: of([rows, classes], 1),
        target: of(target, 2),
        weights: weights === null ? null : t.tensor([0.5, 0, 2, 1]),
      }
      const both = (inputs: Inputs): unknown[] => [
        value(inputs),
        t.grad((x: Inputs) => t.sum(value(x)))(inputs),
      ]
      const compiled = t.compile(both)
      const wanted = t.toSnapshot(both(inputs))
      expect(t.toSnapshot(compiled(inputs))).toEqual(wanted)
      expect(t.toSnapshot(compiled(inputs))).toEqual(wanted)
      compiled.dispose()
    })

    test('its gradients, and those of their squares', () => {
      const total = (inputs: Inputs): t.Tensor => t.sum(value(inputs))
      const both = t.valueAndGrad(total)
      const recorded = t.evalShape((inputs: Inputs) => {
        const { value, gradients } = both(inputs)
        return { value, gradients }
      }, shapes)
      expect(recorded).toEqual({ value: [], gradients: shapes })
      const penalty = (inputs: Inputs): t.Tensor => t.sum(t.square(t.grad(total)(inputs).prediction))
      expect(t.evalShape(t.grad(penalty), shapes)).toEqual(shapes)
    })
  },
)

function layerCanBeRecorded<P, S>(name: string, layer: Layer<P, S>, sample: t.Shape): void {
  describe(`a layer can be recorded: ${name}`, () => {
    const { params, state, outputShape } = layer.init(t.key(1), sample)
    const paramShapes = t.mapTensors<P, t.Shape>(params, (x) => x.shape)
    const stateShapes = t.mapTensors<S, t.Shape>(state, (x) => x.shape)
    const x = [rows, ...sample]
    const y = [rows, ...outputShape]

    test.each([true, false])('its output and state, training: %s', (training) => {
      const seen: t.Shape[] = []
      const tap = (_: string, inner: t.Tensor): unknown => seen.push(inner.shape)
      const pass = (params: P, state: S, x: t.Tensor): Applied<S> =>
        layer.apply(params, state, x, { training, path: '', key: t.key(2), tap })
      expect(t.evalShape(pass, paramShapes, stateShapes, x)).toEqual({ y, state: stateShapes })
      if (layer.name?.startsWith('sequential')) expect(seen.at(-1)).toEqual(y)
    })

    test('its gradients', () => {
      const loss = (inputs: { params: P; x: t.Tensor }, state: S): t.Tensor =>
        t.sum(t.square(layer.apply(inputs.params, state, inputs.x, { training: true, path: '' }).y))
      const gradients = (params: P, state: S, x: t.Tensor): unknown => t.grad(loss)({ params, x }, state)
      expect(t.evalShape(gradients, paramShapes, stateShapes, x)).toEqual({ params: paramShapes, x })
    })

    test('compiled it gives the same bits', () => {
      const pass = (params: P, state: S, x: t.Tensor, key: t.Key): Applied<S> =>
        layer.apply(params, state, x, { training: true, path: '', key })
      const compiled = t.compile(pass)
      for (const seed of [1, 2]) {
        const key = t.key(seed)
        const input = t.normal(key, x)
        const wanted = t.toSnapshot(pass(params, state, input, key))
        expect(t.toSnapshot(compiled(params, state, input, key))).toEqual(wanted)
      }
      compiled.dispose()
    })

    test('what it draws, from a new key each time', () => {
      compiledDraws((key) => {
        const { params, state } = layer.init(key, sample)
        return { params, state }
      })
    })
  })
}

// A new layer is a line: the layer, and the shape of one sample.
layerCanBeRecorded('linear', linear(3, 2), [3])
layerCanBeRecorded('linear on samples of two axes', linear(3, 2), [5, 3])
layerCanBeRecorded('linear without a bias', linear(3, 2, { useBias: false }), [3])
layerCanBeRecorded('relu', relu(), [3])
layerCanBeRecorded('sigmoid', sigmoid(), [3])
layerCanBeRecorded('tanh', tanh(), [3])
const swish = activation('swish', (x) => t.mul(x, t.sigmoid(x)))
layerCanBeRecorded('activation', swish, [3])
layerCanBeRecorded('sequential', sequential(linear(3, 5), tanh(), sequential(linear(5, 2), relu())), [3])

// A new initialiser is a row.
const initializers: readonly (readonly [string, Initializer])[] = [
  ['constant', constant(2)],
  ['glorotNormal', glorotNormal],
  ['glorotUniform', glorotUniform],
  ['heNormal', heNormal],
  ['heUniform', heUniform],
  ['identityMatrix', identityMatrix()],
  ['lecunNormal', lecunNormal],
  ['lecunUniform', lecunUniform],
  ['normal', normal()],
  ['ones', ones],
  ['orthogonal', orthogonal()],
  ['truncatedNormal', truncatedNormal()],
  ['uniform', uniform()],
  ['varianceScaling', varianceScaling({ mode: 'fanOut', distribution: 'normal' })],
  ['zeros', zeros],
]

test.each(initializers)('an initialiser can be recorded, and draws from a new key each time: %s', (_, f) => {
  compiledDraws((key) => f(key, [3, 2], 3, 2))
})

describe('labels that are recorded', () => {
  const words = { index: 'label', place: 'row' }
  const entriesOf = (x: t.Tensor): NonNullable<t.Tensor['tape']>['entries'] => x.tape?.entries ?? []

  /** The first line of the program that looks at the labels, where `through` makes something of crossEntropy. */
  function check(through: (f: (x: t.Tensor) => t.Tensor) => (x: t.Tensor) => t.Tensor) {
    const found: ReturnType<typeof entriesOf>[number][] = []
    t.evalShape(
      (x: t.Tensor, labels: t.Tensor) => {
        const made = through((x) => crossEntropy()(x, labels))(x)
        found.push(...entriesOf(labels).filter((entry) => entry?.inputs[0] === labels))
        return made
      },
      [rows, classes],
      [rows],
    )
    return found[0]!
  }

  test.each([
    ['the loss', (f: (x: t.Tensor) => t.Tensor) => f],
    ['its gradient', (f: (x: t.Tensor) => t.Tensor) => t.grad(f)],
    [
      'the gradient of its gradient',
      (f: (x: t.Tensor) => t.Tensor) => t.grad((x: t.Tensor) => t.sum(t.square(t.grad(f)(x)))),
    ],
  ])('are checked by a line of the program, which throws when it is run: %s', (_, through) => {
    const { operation, attributes, output } = check(through)
    expect(operation.effect).toBe(true)
    expect(output.shape).toEqual([0])
    expect(attributes).toEqual({ operation: 'crossEntropy', limit: classes, words })
    const run = (labels: number[]) => (): void =>
      operation.kernel!(t.zeros([0]), [t.tensor(labels)], attributes, 0)
    const out = (label: string): Error =>
      refusal(RangeError, `crossEntropy: ${label} is not an integer from 0 to 2; count classes from 0`)
    expect(run([0, 1, 2, 0])).not.toThrow()
    expect(run([0, 1, 2, 7])).toThrow(out('label 7 at row 3'))
    expect(run([0.5, 1, 2, 7])).toThrow(out('label 0.5 at row 0'))
  })

  test('are refused by the compiled loss, which goes on with the next ones', () => {
    const gradient = t.grad((x: t.Tensor, labels: t.Tensor) => crossEntropy()(x, labels))
    const compiled = t.compile(gradient)
    const x = t.normal(t.key(1), [rows, classes])
    const right = t.tensor([0, 1, 2, 0])
    const wanted = gradient(x, right).toArray()
    const text = 'crossEntropy: label 3 at row 2 is not an integer from 0 to 2; count classes from 0'
    for (let round = 0; round < 2; round++) {
      expect(() => compiled(x, t.tensor([0, 1, 3, 0]))).toThrow(refusal(RangeError, text))
      expect(compiled(x, right).toArray()).toEqual(wanted)
    }
    compiled.dispose()
  })

  test('are checked at once where they are known', () => {
    const wrong = t.tensor([0, 1, -1, 0])
    expect(() => t.evalShape((x: t.Tensor) => crossEntropy()(x, wrong), [rows, classes])).toThrow(
      refusal(
        RangeError,
        'crossEntropy: label -1 at row 2 is not an integer from 0 to 2; count classes from 0',
      ),
    )
  })

  test('are none for a metric, which reads: it belongs outside', () => {
    const measured = (x: t.Tensor, labels: t.Tensor): number =>
      accuracy().update(accuracy().init(), x, labels).correct
    expect(() => t.evalShape(measured, [rows, classes], [rows])).toThrow(t.RecordingError)
  })
})
