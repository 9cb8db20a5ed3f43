import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import { linear, type Perceptron, perceptron } from '../src/index.ts'
import { refusal } from './float64.ts'

const corners = t.tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const remedy =
  'add features that tell the classes apart, or a hidden layer, or fit a loss that bears mistakes, as logistic regression does'

const weightsOf = ({ params }: Perceptron): number[] => [
  ...params.weight.toFloat32Array(),
  ...params.bias.toFloat32Array(),
]

/** The rule with operations, a sample at a time, for as many epochs as are given. */
function byOperations(
  x: t.Tensor,
  y: t.Tensor,
  learningRate: number,
  orders: readonly (readonly number[])[],
): { weights: number[]; mistakes: number[] } {
  let w = t.zeros([x.shape[1]!])
  let b = t.zeros([])
  const mistakes = orders.map((order) => {
    let count = 0
    for (const row of order) {
      const one = t.reshape(t.slice(x, row, row + 1), [x.shape[1]!])
      const error = t.sub(t.reshape(t.slice(y, row, row + 1), []), t.step(t.add(t.dot(w, one), b)))
      w = t.add(w, t.mul(t.mul(learningRate, error), one))
      b = t.add(b, t.mul(learningRate, error))
      count += Math.abs(error.item())
    }
    return count
  })
  return { weights: [...w.toFloat32Array(), b.item()], mistakes }
}

describe('perceptron', () => {
  test.each([
    ['and', [0, 0, 0, 1]],
    ['or', [0, 1, 1, 1]],
    ['nand', [1, 1, 1, 0]],
    ['the first input', [0, 0, 1, 1]],
    ['never', [0, 0, 0, 0]],
  ])('learns %s, by the weights that the rule gives after each epoch', (_, labels) => {
    const y = t.tensor(labels)
    const learned = perceptron(corners, y, { learningRate: 0.5 })
    const orders = Array.from({ length: learned.epochs }, () => [0, 1, 2, 3])
    const expected = byOperations(corners, y, 0.5, orders)
    expect(learned.converged).toBe(true)
    expect(weightsOf(learned)).toEqual(expected.weights)
    expect(learned.mistakes).toEqual(expected.mistakes)
    expect(learned.mistakes.indexOf(0)).toBe(learned.epochs - 1)
    const { y: f } = linear(2, 1).apply(learned.params, null, corners, { training: false, path: '' })
    expect(t.flatten(t.step(f)).toArray()).toEqual(labels)
  })

  test('stops where a line is found, and says after how many mistakes', () => {
    expect(perceptron(corners, t.tensor([1, 1, 1, 1]))).toMatchObject({
      converged: true,
      epochs: 1,
      mistakes: [0],
      message: 'perceptron: a line separates the classes, found after 1 epoch and 0 mistakes',
    })
    expect(perceptron(corners, t.tensor([0, 0, 0, 0])).message).toBe(
      'perceptron: a line separates the classes, found after 2 epochs and 1 mistake',
    )
  })

  test('at f = 0 takes label 1 for right, and in the signed form updates in either class', () => {
    const x = t.tensor([[2, -3]])
    expect(weightsOf(perceptron(x, t.tensor([1])))).toEqual([0, 0, 0])
    expect(weightsOf(perceptron(x, t.tensor([0])))).toEqual([-2, 3, -1])
    expect(weightsOf(perceptron(x, t.tensor([1]), { form: 'signed' }))).toEqual([2, -3, 1])
    expect(weightsOf(perceptron(x, t.tensor([-1]), { form: 'signed' }))).toEqual([-2, 3, -1])
  })

  test('in the signed form ends with every sample off the line', () => {
    const labels = [-1, 1, 1, 1]
    const learned = perceptron(corners, t.tensor(labels), { form: 'signed' })
    expect(learned.converged).toBe(true)
    const f = t.flatten(t.linear(corners, learned.params.weight, learned.params.bias)).toFloat32Array()
    for (const [i, label] of labels.entries()) expect(label * f[i]!).toBeGreaterThan(0)
  })

  test('a rate only scales what is learned', () => {
    const y = t.tensor([0, 0, 0, 1])
    const [one, quarter] = [1, 0.25].map((learningRate) => perceptron(corners, y, { learningRate }))
    expect(quarter!.mistakes).toEqual(one!.mistakes)
    expect(weightsOf(quarter!)).toEqual(weightsOf(one!).map((w) => w / 4))
  })

  test('a key draws the order of each epoch, the same for the same key', () => {
    const x = t.normal(t.key(1), [20, 3])
    const y = t.step(t.sum(x, { axis: 1 }))
    const learned = perceptron(x, y, { key: t.key(5) })
    const orders = learned.mistakes.map((_, epoch) => [...t.permutationValues(t.foldIn(t.key(5), epoch), 20)])
    const expected = byOperations(x, y, 1, orders)
    expect(learned.converged).toBe(true)
    expect(learned.mistakes).toEqual(expected.mistakes)
    for (const [i, w] of weightsOf(learned).entries()) expect(w).toBeCloseTo(expected.weights[i]!, 4)
    expect(weightsOf(perceptron(x, y, { key: t.key(5) }))).toEqual(weightsOf(learned))
    expect(weightsOf(perceptron(x, y, { key: t.key(6) }))).not.toEqual(weightsOf(learned))
  })

  test('says of XOR that it goes round for ever, in either form', () => {
    const zeroOne = perceptron(corners, t.tensor([0, 1, 1, 0]))
    const signed = perceptron(corners, t.tensor([-1, 1, 1, -1]), { form: 'signed' })
    for (const { converged, epochs, mistakes, message } of [zeroOne, signed]) {
      expect(converged).toBe(false)
      expect(epochs).toBeLessThan(20)
      expect(Math.min(...mistakes)).toBeGreaterThan(0)
      const found =
        /^perceptron: no line found: the weights after epoch (\d+) are those after epoch (\d+), so it goes round for ever; (.*)$/.exec(
          message,
        )
      expect(found?.[3]).toBe(remedy)
      expect(Number(found?.[1])).toBe(epochs)
    }
    const [, now, then] = /epoch (\d+) .* epoch (\d+),/.exec(zeroOne.message)!.map(Number)
    const weightsAfter = (count: number): number[] =>
      byOperations(corners, t.tensor([0, 1, 1, 0]), 1, new Array(count).fill([0, 1, 2, 3])).weights
    expect(weightsAfter(now!)).toEqual(weightsAfter(then!))
  })

  test('says of rings that no line was found, and finds a plane with the squared distance as a feature', () => {
    const angle = t.linspace(0, 2 * Math.PI, 13)
    const circle = t.stack([t.cos(angle), t.sin(angle)], { axis: 1 })
    const x = t.concat([circle, t.mul(circle, 2)])
    const y = t.concat([t.zeros([13]), t.ones([13])])
    const rings = perceptron(x, y, { epochs: 50, key: t.key(1) })
    expect(rings.converged).toBe(false)
    expect(rings.epochs).toBe(50)
    expect(rings.message).toBe(
      `perceptron: no line found in 50 epochs, ${rings.mistakes.at(-1)} mistakes in the last; pass more epochs if the classes are linearly separable, or else ${remedy}`,
    )
    const squared = t.sum(t.square(x), { axis: 1, keepDims: true })
    expect(perceptron(t.concat([x, squared], { axis: 1 }), y).converged).toBe(true)
  })

  test('says that epochs were too few where there is a line', () => {
    const few = perceptron(corners, t.tensor([0, 0, 0, 1]), { epochs: 2 })
    expect(few).toMatchObject({ converged: false, epochs: 2 })
    expect(few.message).toMatch(/^perceptron: no line found in 2 epochs, \d mistakes in the last; pass more /)
  })

  test('leaves only weight and bias in the heap', () => {
    const y = t.tensor([0, 0, 0, 1])
    const before = t.memory().tensors
    const { params } = perceptron(corners, y)
    expect(t.memory().tensors).toBe(before + 2)
    params.weight.dispose()
    params.bias.dispose()
  })

  test('reads its samples, and so is refused while a function is recorded', () => {
    const recorded = t.compile((x: t.Tensor) => perceptron(x, t.tensor([0, 0, 0, 1])).params)
    expect(() => recorded(corners)).toThrow(t.RecordingError)
  })

  test('refuses samples, labels and options that do not fit', () => {
    const y = t.tensor([0, 0, 0, 1])
    const words = (kind: typeof RangeError | typeof TypeError, text: string): Error =>
      refusal(kind, `perceptron: ${text}`)
    expect(() => perceptron(t.zeros([4]), y)).toThrow(
      words(RangeError, 'x must be [rows, features] with a row at least, got [4]; reshape it'),
    )
    expect(() => perceptron(t.zeros([0, 2]), t.zeros([0]))).toThrow(
      words(RangeError, 'x must be [rows, features] with a row at least, got [0,2]; reshape it'),
    )
    expect(() => perceptron(corners, t.zeros([4, 1]))).toThrow(
      words(RangeError, 'y must have shape [4], got [4,1]; pass one label for each row of x'),
    )
    expect(() =>
      perceptron(
        t.tensor([
          [1, 2],
          [3, Number.NaN],
        ]),
        t.tensor([0, 1]),
      ),
    ).toThrow(words(RangeError, 'x must be finite, got NaN at row 1; leave such rows out'))
    expect(() => perceptron(corners, t.tensor([1, 1, -1, 1]))).toThrow(
      words(RangeError, "labels must be 0 or 1, got -1 at row 2; pass form: 'signed' for labels -1 and 1"),
    )
    expect(() => perceptron(corners, y, { form: 'signed' })).toThrow(
      words(RangeError, "labels must be -1 or 1, got 0 at row 0; pass form: 'zeroOne' for labels 0 and 1"),
    )
    expect(() => perceptron(corners, y, { learningRate: 0 })).toThrow(
      words(RangeError, 'learningRate must be a finite float32 above 0, got 0'),
    )
    // Every step would round to nothing.
    expect(() => perceptron(corners, y, { learningRate: 1e-46 })).toThrow(
      words(RangeError, 'learningRate must be a finite float32 above 0, got 1e-46'),
    )
    expect(() => perceptron(corners, y, { epochs: 0.5 })).toThrow(
      words(RangeError, 'epochs must be an integer from 1 on, got 0.5'),
    )
    expect(() => perceptron(t.full([1, 1], 3e38), t.tensor([0]), { learningRate: 10 })).toThrow(
      words(RangeError, 'the weights overflow float32; scale x, or pass a smaller learningRate'),
    )
    // @ts-expect-error no such form
    expect(() => perceptron(corners, y, { form: 'binary' })).toThrow(
      words(TypeError, "form must be 'zeroOne' or 'signed', got 'binary'"),
    )
    // @ts-expect-error samples must be a tensor
    expect(() => perceptron([[0, 1]], y)).toThrow(
      words(TypeError, 'the samples must be a tensor, got an array; wrap arrays in t.tensor'),
    )
  })
})
