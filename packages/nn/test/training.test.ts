import * as t from '@tapeflow/autodiff'
import { describe, expect, test } from 'vitest'
import {
  accuracy,
  crossEntropy,
  type Loss,
  linear,
  mse,
  type ParamsOf,
  relu,
  sequential,
  sigmoid,
  sparseCrossEntropy,
  tanh,
} from '../src/index.ts'

const inputs = t.tensor([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])
const labels = t.tensor([0, 1, 1, 0])
const ctx = { training: true, path: '' } as const

const classifier = sequential(linear(2, 8), tanh(), linear(8, 2))
type Params = ParamsOf<typeof classifier>

/** Plain gradient descent; also says what the heap held after each step. */
function train(
  seed: number,
  steps: number,
  loss: Loss,
): { params: Params; losses: number[]; bytes: number[] } {
  const { params, state } = classifier.init(t.key(seed), [2])
  const both = t.valueAndGrad((p: Params) => loss(classifier.apply(p, state, inputs, ctx).y, labels))
  const losses: number[] = []
  const bytes: number[] = []
  const trained = t.fold(params, Array.from({ length: steps }), (p) => {
    const { value, gradients } = both(p)
    losses.push(value.item())
    bytes.push(t.memory().bytes)
    return t.zipTensors([p, gradients], (x, g) => t.sub(x, t.mul(g, 0.5)))
  })
  return { params: trained, losses, bytes }
}

describe('a small chain', () => {
  test('learns XOR by gradient descent, and the heap stays flat', () => {
    const { params, losses, bytes } = train(1, 500, sparseCrossEntropy())
    expect(losses[0]).toBeGreaterThan(0.5)
    expect(losses[499]).toBeLessThan(0.01)
    expect(bytes[499]).toBe(bytes[2])
    const { state } = classifier.init(t.key(1), [2])
    const metric = accuracy()
    const { y } = classifier.apply(params, state, inputs, { training: false, path: '' })
    expect(metric.result(metric.update(metric.init(), y, labels))).toBe(1)
  })

  test('gives the same losses for the same key, bit for bit', () => {
    expect(train(7, 20, sparseCrossEntropy()).losses).toEqual(train(7, 20, sparseCrossEntropy()).losses)
    expect(train(7, 20, sparseCrossEntropy()).losses).not.toEqual(train(8, 20, sparseCrossEntropy()).losses)
  })

  test('learns alike from labels, from one-hot rows and through weights of one', () => {
    const oneHot = t.oneHot(labels, 2)
    const loss = sparseCrossEntropy()
    const fromLabels = train(3, 50, loss).losses
    const fromRows = train(3, 50, (x) => crossEntropy()(x, oneHot)).losses
    const weighted = train(3, 50, (x, y) => loss(x, y, t.ones([4]))).losses
    for (let i = 0; i < 50; i++) {
      expect(fromRows[i]).toBeCloseTo(fromLabels[i]!, 5)
      expect(weighted[i]).toBeCloseTo(fromLabels[i]!, 5)
    }
  })

  test('fits numbers by the mean squared error, through every activation', () => {
    const model = sequential(linear(2, 8), relu(), linear(8, 8), sigmoid(), linear(8, 1))
    const { params, state } = model.init(t.key(2), [2])
    const target = t.tensor([[0], [1], [1], [0]])
    const objective = (p: typeof params): t.Tensor => mse()(model.apply(p, state, inputs, ctx).y, target)
    const trained = t.fold(params, Array.from({ length: 2000 }), (p) =>
      t.zipTensors([p, t.grad(objective)(p)], (x, g) => t.sub(x, t.mul(g, 0.5))),
    )
    expect(objective(trained).item()).toBeLessThan(0.01)
  })

  test('has the gradients of central differences with respect to every parameter', () => {
    const { params, state } = classifier.init(t.key(4), [2])
    const at = t.mapTensors(params, (x) => [...x.toFloat32Array()])
    const forward = (weights: typeof at): number => {
      const [first, , last] = weights.layers
      const losses = [0, 1, 2, 3].map((row) => {
        const x = [row >> 1, row & 1]
        const hidden = first.bias.map((b, j) =>
          Math.tanh(x.reduce((sum, v, i) => sum + v * first.weight[i * 8 + j]!, b)),
        )
        const z = last.bias.map((b, j) => hidden.reduce((sum, v, i) => sum + v * last.weight[i * 2 + j]!, b))
        const label = row === 1 || row === 2 ? 1 : 0
        return Math.log(Math.exp(z[0]!) + Math.exp(z[1]!)) - z[label]!
      })
      return losses.reduce((a, b) => a + b, 0) / 4
    }
    const gradients = t.grad((p: Params) =>
      sparseCrossEntropy()(classifier.apply(p, state, inputs, ctx).y, labels),
    )(params)
    for (const layer of [0, 2] as const) {
      for (const name of ['weight', 'bias'] as const) {
        const values = at.layers[layer][name]
        const measured = gradients.layers[layer][name].toFloat32Array()
        const step = 1e-5
        for (const [i, value] of [...values].entries()) {
          values[i] = value + step
          const above = forward(at)
          values[i] = value - step
          const slope = (above - forward(at)) / (2 * step)
          values[i] = value
          expect(measured[i]).toBeCloseTo(slope, 6)
        }
      }
    }
  })
})
